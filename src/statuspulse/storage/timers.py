"""What waits for an instant: rows with a due time, so that no timer lives in memory alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from statuspulse.domain.escalation import Timer, TimerKind
from statuspulse.storage.schema import escalation_timers


@dataclass(frozen=True, slots=True)
class DueIncident:
    """An incident of which something is due, and since when (ms)."""

    team_id: str
    incident_id: str
    due_at: int


def replace_all(connection: Connection, team_id: str, incident_id: str, timers: Iterable[Timer]) -> None:
    """Makes these the timers of the incident, and no others."""
    connection.execute(delete(escalation_timers).where(escalation_timers.c.incident_id == incident_id))
    rows = [
        {
            "team_id": team_id,
            "incident_id": incident_id,
            "kind": timer.kind.value,
            "repeat": timer.place.repeat,
            "step": timer.place.step,
            "due_at": timer.due_at,
        }
        for timer in timers
    ]
    if rows:
        connection.execute(escalation_timers.insert(), rows)


def next_due_at(connection: Connection) -> int | None:
    """When the first timer of all is due (ms), perhaps long ago; None when nothing waits."""
    due: int | None = connection.scalar(select(func.min(escalation_timers.c.due_at)))
    return due


def due(connection: Connection, now: int, limit: int) -> list[DueIncident]:
    """Incidents of which something is due, those that wait longest first."""
    first = func.min(escalation_timers.c.due_at)
    query = (
        select(escalation_timers.c.team_id, escalation_timers.c.incident_id, first)
        .where(escalation_timers.c.due_at <= now)
        .group_by(escalation_timers.c.team_id, escalation_timers.c.incident_id)
        .order_by(first, escalation_timers.c.incident_id)
        .limit(limit)
    )
    return [DueIncident(*row) for row in connection.execute(query)]


def hasten(connection: Connection, incident_id: str, now: int) -> None:
    """A message of the incident will not arrive: whether it has a next step is looked at now and not later.

    For the dispatcher, in the transaction in which it writes down a refusal for good.
    """
    connection.execute(
        update(escalation_timers)
        .where(
            escalation_timers.c.incident_id == incident_id,
            escalation_timers.c.kind == TimerKind.REACH.value,
            escalation_timers.c.due_at > now,
        )
        .values(due_at=now)
    )
