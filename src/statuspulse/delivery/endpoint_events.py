"""Events about webhook endpoints: their bodies, as `events.schema.json` has them."""

from __future__ import annotations

from typing import Any

from statuspulse.domain.actor import Actor
from statuspulse.domain.event import Event, EventType
from statuspulse.domain.times import to_text
from statuspulse.domain.webhook import DisabledReason
from statuspulse.storage.webhooks import Endpoint


def disabled(endpoint: Endpoint, reason: DisabledReason, actor: Actor, at: int, *, pending: int) -> Event:
    """`pending` deliveries will not be made any more."""
    since = endpoint.failing_since
    data = {
        "endpoint": _summary(endpoint),
        "reason": reason.value,
        "failing_since": None if since is None else to_text(since),
        "pending_deliveries": pending,
    }
    return Event(type=EventType.ENDPOINT_DISABLED, team_id=endpoint.team_id, at=at, data=data, origin=actor.origin)


def ping(endpoint: Endpoint, actor: Actor, at: int) -> Event:
    data = {"endpoint": _summary(endpoint)}
    return Event(type=EventType.ENDPOINT_PING, team_id=endpoint.team_id, at=at, data=data, origin=actor.origin)


def _summary(endpoint: Endpoint) -> dict[str, Any]:
    return {"object": "webhook_endpoint", "id": endpoint.id, "url": endpoint.url}
