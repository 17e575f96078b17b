"""Other systems that incidents are kept in step with, or that tell of alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.asynchronous.resources.resource import AsyncResource
from statuspulse.client.calls import PAGE, given, path_of

# The server waits 17 s for the other side.
_TEST_SECONDS = 20.0


class AsyncIntegrations(AsyncResource):
    """Other systems that incidents are kept in step with, or that tell of alerts."""

    def list(self) -> AsyncIterator[answers.Integration]:
        return self._caller.each(answers.Integration, path_of("integrations"), {"limit": PAGE})

    async def get(self, integration_id: str) -> answers.Integration:
        return await self._caller.answer(answers.Integration, calls.get(path_of("integrations", integration_id)))

    async def create(self, *, kind: str, idempotency_key: str | None = None, **members: Any) -> answers.MadeIntegration:
        """Connects a `pagerduty`, `jira` or `alertmanager`; `members` are those of that kind.

        A sender of alerts has a `secret`, whose `reveal()` is told this once.
        """
        call = calls.post(path_of("integrations"), {"kind": kind, **members}, key=idempotency_key)
        return await self._caller.answer(answers.MadeIntegration, call)

    async def update(self, integration_id: str, *, if_match: int | None = None, **members: Any) -> answers.Integration:
        """Changes these members and leaves the rest; None takes an optional one away.

        `if_match` is the `version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        call = calls.patch(path_of("integrations", integration_id), members, if_match=if_match)
        return await self._caller.answer(answers.Integration, call)

    async def delete(self, integration_id: str, *, if_match: int | None = None) -> None:
        """What it made on the other side stays there."""
        await self._caller.delete(path_of("integrations", integration_id), if_match=if_match)

    async def rotate_secret(
        self, integration_id: str, *, overlap_seconds: int | None = None, idempotency_key: str | None = None
    ) -> answers.MadeIntegration:
        """A new secret for a sender of alerts; the old one is good for `overlap_seconds` more."""
        body = given(overlap_seconds=overlap_seconds)
        call = calls.post(path_of("integrations", integration_id, "rotate-secret"), body, key=idempotency_key)
        return await self._caller.answer(answers.MadeIntegration, call)

    async def test(self, integration_id: str, *, idempotency_key: str | None = None) -> answers.IntegrationTest:
        """Tries it out now; `ok` says whether the other side took it, or has told us anything yet."""
        call = calls.post(path_of("integrations", integration_id, "test"), key=idempotency_key, seconds=_TEST_SECONDS)
        return await self._caller.answer(answers.IntegrationTest, call)

    def sync_log(self, integration_id: str) -> AsyncIterator[answers.SyncLogEntry]:
        """What was said in either direction, the newest first."""
        path = path_of("integrations", integration_id, "sync-log")
        return self._caller.each(answers.SyncLogEntry, path, {"limit": PAGE})
