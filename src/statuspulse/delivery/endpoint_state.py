"""Endpoints that get nothing any more: switched off with what they were owed, and told of."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from statuspulse.delivery import endpoint_events
from statuspulse.domain.actor import Actor
from statuspulse.domain.webhook import DisabledReason
from statuspulse.storage import events, webhook_deliveries, webhooks
from statuspulse.storage.webhooks import Endpoint


def disable(connection: Connection, endpoint: Endpoint, reason: DisabledReason, actor: Actor, now: int) -> Endpoint:
    """Cancels what the endpoint is owed; the others hear of it. One that is disabled stays as it is."""
    if not endpoint.enabled:
        return endpoint
    off = replace(
        endpoint,
        enabled=False,
        disabled_reason=reason,
        disabled_at=now,
        version=endpoint.version + 1,
        updated_at=now,
    )
    webhooks.save(connection, off)
    pending = webhook_deliveries.cancel(connection, endpoint.id, now)
    events.record(connection, endpoint_events.disabled(off, reason, actor, now, pending=pending))
    return off
