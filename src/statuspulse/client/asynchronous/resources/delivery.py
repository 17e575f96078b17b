"""The ways from an incident to people and programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.asynchronous.resources.resource import AsyncResource
from statuspulse.client.calls import PAGE, given, path_of


class AsyncChannels(AsyncResource):
    """Where people are told."""

    def list(self) -> AsyncIterator[answers.Channel]:
        return self._caller.each(answers.Channel, path_of("channels"), {"limit": PAGE})

    async def get(self, channel_id: str) -> answers.Channel:
        return await self._caller.answer(answers.Channel, calls.get(path_of("channels", channel_id)))

    async def create(
        self, *, url: str, name: str | None = None, idempotency_key: str | None = None
    ) -> answers.MadeChannel:
        """The channel of a URL, which may exist. A signed one has a `secret`, whose `reveal()` is told this once."""
        call = calls.post(path_of("channels"), given(url=url, name=name), key=idempotency_key)
        return await self._caller.answer(answers.MadeChannel, call)

    async def update(self, channel_id: str, *, if_match: int | None = None, **members: Any) -> answers.Channel:
        """Changes these members and leaves the rest.

        `if_match` is the `version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        call = calls.patch(path_of("channels", channel_id), members, if_match=if_match)
        return await self._caller.answer(answers.Channel, call)

    async def delete(self, channel_id: str, *, if_match: int | None = None) -> None:
        await self._caller.delete(path_of("channels", channel_id), if_match=if_match)

    async def test(self, channel_id: str, *, idempotency_key: str | None = None) -> answers.ChannelTest:
        """Sends a message now; `ok` says whether it was taken."""
        call = calls.post(path_of("channels", channel_id, "test"), key=idempotency_key)
        return await self._caller.answer(answers.ChannelTest, call)

    async def rotate_secret(
        self, channel_id: str, *, overlap_seconds: int | None = None, idempotency_key: str | None = None
    ) -> answers.MadeChannel:
        body = given(overlap_seconds=overlap_seconds)
        call = calls.post(path_of("channels", channel_id, "rotate-secret"), body, key=idempotency_key)
        return await self._caller.answer(answers.MadeChannel, call)

    def deliveries(self, channel_id: str, *, status: str | None = None) -> AsyncIterator[answers.Notification]:
        """What was sent there, the newest first."""
        path = path_of("channels", channel_id, "deliveries")
        return self._caller.each(answers.Notification, path, {"limit": PAGE, "status": status})


class AsyncNotifications(AsyncResource):
    """Single messages to channels."""

    def list(self, *, incident_id: str | None = None, status: str | None = None) -> AsyncIterator[answers.Notification]:
        query = {"limit": PAGE, "incident_id": incident_id, "status": status}
        return self._caller.each(answers.Notification, path_of("notifications"), query)

    async def retry(self, notification_id: str, *, idempotency_key: str | None = None) -> answers.Notification:
        """Sends one again that was given up."""
        call = calls.post(path_of("notifications", notification_id, "retry"), key=idempotency_key)
        return await self._caller.answer(answers.Notification, call)


class AsyncWebhooks(AsyncResource):
    """Endpoints of programs, which get every event that they ask for."""

    def list(self) -> AsyncIterator[answers.Webhook]:
        return self._caller.each(answers.Webhook, path_of("webhooks"), {"limit": PAGE})

    async def get(self, webhook_id: str) -> answers.Webhook:
        return await self._caller.answer(answers.Webhook, calls.get(path_of("webhooks", webhook_id)))

    async def create(
        self, *, url: str, events: Sequence[str], idempotency_key: str | None = None, **members: Any
    ) -> answers.IssuedWebhook:
        """`secret.reveal()` of the answer, for `verify`, is told this once."""
        body = {"url": url, "events": events, **members}
        return await self._caller.answer(
            answers.IssuedWebhook, calls.post(path_of("webhooks"), body, key=idempotency_key)
        )

    async def update(self, webhook_id: str, *, if_match: int | None = None, **members: Any) -> answers.Webhook:
        """Changes these members and leaves the rest.

        `if_match` is the `version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        call = calls.patch(path_of("webhooks", webhook_id), members, if_match=if_match)
        return await self._caller.answer(answers.Webhook, call)

    async def delete(self, webhook_id: str, *, if_match: int | None = None) -> None:
        await self._caller.delete(path_of("webhooks", webhook_id), if_match=if_match)

    async def rotate_secret(
        self, webhook_id: str, *, overlap_seconds: int | None = None, idempotency_key: str | None = None
    ) -> answers.IssuedWebhook:
        """A new secret; the old one signs as well for `overlap_seconds` more."""
        body = given(overlap_seconds=overlap_seconds)
        call = calls.post(path_of("webhooks", webhook_id, "rotate-secret"), body, key=idempotency_key)
        return await self._caller.answer(answers.IssuedWebhook, call)

    async def enable(
        self, webhook_id: str, *, replay_missed: bool | None = None, idempotency_key: str | None = None
    ) -> answers.Webhook:
        body = given(replay_missed=replay_missed)
        call = calls.post(path_of("webhooks", webhook_id, "enable"), body, key=idempotency_key)
        return await self._caller.answer(answers.Webhook, call)

    async def test(self, webhook_id: str, *, idempotency_key: str | None = None) -> answers.WebhookDelivery:
        """Sends `endpoint.ping` now."""
        call = calls.post(path_of("webhooks", webhook_id, "test"), key=idempotency_key)
        return await self._caller.answer(answers.WebhookDelivery, call)

    def deliveries(
        self,
        webhook_id: str,
        *,
        status: str | None = None,
        event_type: str | None = None,
        event_id: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> AsyncIterator[answers.WebhookDelivery]:
        query = {
            "limit": PAGE,
            "status": status,
            "event_type": event_type,
            "event_id": event_id,
            "from": start,
            "to": end,
        }
        return self._caller.each(answers.WebhookDelivery, path_of("webhooks", webhook_id, "deliveries"), query)

    async def delivery(self, webhook_id: str, delivery_id: str) -> answers.WebhookDelivery:
        """One with the whole body that was sent."""
        call = calls.get(path_of("webhooks", webhook_id, "deliveries", delivery_id))
        return await self._caller.answer(answers.WebhookDelivery, call)

    async def redeliver(
        self, webhook_id: str, delivery_id: str, *, idempotency_key: str | None = None
    ) -> answers.WebhookDelivery:
        """Sends it again under the same `webhook-id`."""
        path = path_of("webhooks", webhook_id, "deliveries", delivery_id, "redeliver")
        return await self._caller.answer(answers.WebhookDelivery, calls.post(path, key=idempotency_key))

    async def replay(
        self,
        webhook_id: str,
        *,
        start: datetime,
        end: datetime,
        types: Sequence[str] | None = None,
        only_failed: bool | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Replay:
        """Sends the events of a stretch of time again, of a week at most."""
        body = given(**{"from": start, "to": end}, types=types, only_failed=only_failed)
        call = calls.post(path_of("webhooks", webhook_id, "replay"), body, key=idempotency_key)
        return await self._caller.answer(answers.Replay, call)
