"""Channels and notifications as callers read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statuspulse.api.documents.monitor import time_or_null
from statuspulse.domain.times import to_text
from statuspulse.storage.channels import Channel
from statuspulse.storage.outbox import Delivery, Notification, State


def channel_document(channel: Channel, used_by: int, now: int) -> dict[str, Any]:
    until = channel.previous_until
    return {
        "object": "channel",
        "id": channel.id,
        "team_id": channel.team_id,
        "type": channel.type,
        "url_masked": channel.shown,
        "name": channel.name,
        "enabled": channel.enabled,
        "health": channel.health if channel.enabled else "disabled",
        "last_error": channel.last_error,
        "last_success_at": time_or_null(channel.last_success_at),
        "used_by_monitors": used_by,
        "previous_secret_until": None if until is None or until <= now else to_text(until),
        "version": channel.version,
        "created_at": to_text(channel.created_at),
        "updated_at": to_text(channel.updated_at),
    }


def notification_document(row: Notification, channel: Channel | None, made: Sequence[Delivery]) -> dict[str, Any]:
    """`channel` is None where it has been deleted."""
    return {
        "object": "notification",
        "id": row.id,
        "team_id": row.team_id,
        "channel_id": row.destination,
        "channel_type": None if channel is None else channel.type,
        "channel_masked": None if channel is None else channel.url_masked,
        "incident_id": row.incident_id,
        "action": row.action,
        "status": row.state.value,
        "attempts": row.attempts,
        "deliveries": [_attempt(place, one) for place, one in enumerate(made, start=1)],
        "last_error": row.last_error,
        "provider_status": row.provider_status,
        "next_attempt_at": to_text(row.next_attempt_at) if row.state is State.PENDING else None,
        "finished_at": time_or_null(row.finished_at),
        "created_at": to_text(row.created_at),
    }


def _attempt(place: int, one: Delivery) -> dict[str, Any]:
    return {
        "attempt": place,
        "started_at": to_text(one.started_at),
        "latency_ms": one.latency_ms,
        "outcome": one.ending.value,
        "provider_status": one.provider_status,
        "error": one.error,
    }
