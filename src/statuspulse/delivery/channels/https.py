"""A server of the user's own: the change as JSON, signed by Standard Webhooks 1.0.0 as events are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from statuspulse import __version__
from statuspulse.delivery import posting
from statuspulse.delivery.channel import Outcome, Refused
from statuspulse.delivery.posting import Post
from statuspulse.delivery.wording import links, summary
from statuspulse.domain import webhook
from statuspulse.domain.channel_addresses import ChannelUrlError, HttpsReceiver
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND, to_text
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Purpose

_TYPES = {
    Action.TRIGGER: "incident.triggered",
    Action.ACKNOWLEDGE: "incident.acknowledged",
    Action.RESOLVE: "incident.resolved",
    Action.UPDATE: "incident.updated",
    Action.TEST: "channel.test",
    Action.DIGEST: "channel.digest",
    Action.NOTICE: "channel.notice",
}


class HttpsChannel:
    """Posts to the URL; `webhook-id` is the same for every copy of one message. `now` gives ms since the epoch."""

    spacing_ms = 0
    groups = False

    def __init__(self, client: HttpClient, *, public_url: str, now: Callable[[], int]) -> None:
        self._client = client
        self._public_url = public_url.rstrip("/")
        self._now = now

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:
        try:
            receiver = HttpsReceiver.of(address.reveal())
        except ChannelUrlError:
            return Refused(error="address_invalid")
        body = json.dumps(render(message, key, self._public_url), ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = self._now() // SECOND
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"StatusPulse-Webhooks/1 (StatusPulse/{__version__})",
            "webhook-id": key,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": webhook.signatures(receiver.keys, key, timestamp, body),
        }
        return await posting.deliver(self._client, Post(receiver.url, body, headers, Purpose.DELIVERY_WEBHOOK))


def render(message: Message, key: str, public_url: str) -> dict[str, Any]:
    """Type, instant and data, as Standard Webhooks wants them; times are RFC 3339, lengths milliseconds."""
    facts = message.facts
    data: dict[str, Any] = {
        "summary": summary(message),
        "acknowledge_url": dict(links(message, public_url)).get("Acknowledge"),
        "actor": message.actor,
        "incident": None,
        "monitor": None if facts.subject is None else asdict(facts.subject),
        "since": None if facts.since is None else to_text(facts.since),
        "reason": facts.reason,
        "failing_regions": list(facts.failing_regions),
        "region_count": facts.region_count,
        "downtime_ms": facts.downtime_ms,
        "flapping": facts.flapping,
        "note": facts.note,
    }
    if message.action.is_of_incident:
        data["incident"] = {
            "id": message.incident_id,
            "number": message.number,
            "title": message.title,
            "severity": message.severity,
            "state": message.state,
            "assignee": message.assignee,
        }
    return {
        "object": "notification",
        "id": key,
        "type": _TYPES[message.action],
        "timestamp": to_text(message.at),
        "data": data,
    }
