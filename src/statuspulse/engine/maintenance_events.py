"""Events about maintenance windows: their bodies, as `events.schema.json` has them."""

from __future__ import annotations

from sqlalchemy import Connection

from statuspulse.domain.actor import SYSTEM, Actor
from statuspulse.domain.event import Event, EventType
from statuspulse.domain.maintenance import Occurrence
from statuspulse.domain.times import to_text
from statuspulse.storage import events, maintenance
from statuspulse.storage.maintenance import Window

_MOST_MONITORS = 1000


def scheduled(
    connection: Connection, window: Window, occurrence: Occurrence, actor: Actor, at: int, reason: str
) -> None:
    """`reason` is created or updated; `occurrence` is the next one."""
    _record(connection, EventType.MAINTENANCE_SCHEDULED, window, occurrence, actor, at, reason)


def started(connection: Connection, window: Window, occurrence: Occurrence, actor: Actor | None, at: int) -> None:
    """By its schedule where no actor is given."""
    _record(connection, EventType.MAINTENANCE_STARTED, window, occurrence, actor or SYSTEM, at, _reason(actor))


def ended(connection: Connection, window: Window, occurrence: Occurrence, actor: Actor | None, at: int) -> None:
    """By its schedule where no actor is given."""
    _record(connection, EventType.MAINTENANCE_ENDED, window, occurrence, actor or SYSTEM, at, _reason(actor))


def cancelled(
    connection: Connection, window: Window, occurrence: Occurrence, actor: Actor, at: int, reason: str
) -> None:
    """An occurrence that will not be; `reason` is manual or monitor_deleted."""
    _record(connection, EventType.MAINTENANCE_CANCELLED, window, occurrence, actor, at, reason)


def _reason(actor: Actor | None) -> str:
    return "schedule" if actor is None else "manual"


def _record(
    connection: Connection,
    kind: EventType,
    window: Window,
    occurrence: Occurrence,
    actor: Actor,
    at: int,
    reason: str,
) -> None:
    plan = window.plan
    meant = maintenance.meant_monitors(connection, window, 0, _MOST_MONITORS)
    document = {
        "object": "maintenance_window",
        "id": window.id,
        "name": window.name,
        "timezone": plan["timezone"],
        "rrule": plan["rrule"],
        "duration_seconds": plan["duration_seconds"],
        "probing": plan["probing"],
        "alerting": plan["alerting"],
        "sla": plan["sla"],
        "monitor_ids": [monitor.id for monitor in meant],
    }
    data = {
        "maintenance_window": document,
        "occurrence": {"start_at": to_text(occurrence.start), "end_at": to_text(occurrence.end)},
        "actor": actor.document(),
        "reason": reason,
    }
    event = Event(type=kind, team_id=window.team_id, at=at, data=data, origin=actor.origin)
    events.record(connection, event)
