"""Alerts that other systems tell of, each with the incident that stands for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from statuspulse.domain.times import DAY
from statuspulse.storage.dialect import upsert
from statuspulse.storage.schema import alerts

# After so long without a word an alert that fires again is a new one.
KEPT = 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """The newest firing of one fingerprint. `due_at` is when it ends unless it is repeated, None for never (ms)."""

    integration_id: str
    fingerprint: str
    incident_id: str
    starts_at: int
    due_at: int | None
    seen_at: int


def get(connection: Connection, integration_id: str, fingerprint: str) -> Alert | None:
    query = select(alerts).where(alerts.c.integration_id == integration_id, alerts.c.fingerprint == fingerprint)
    row = connection.execute(query).one_or_none()
    return None if row is None else _alert(row)


def save(connection: Connection, alert: Alert) -> None:
    """Stores it, in place of the firing of before."""
    columns = {
        "incident_id": alert.incident_id,
        "starts_at": alert.starts_at,
        "due_at": alert.due_at,
        "seen_at": alert.seen_at,
    }
    statement = upsert(connection, alerts, ("integration_id", "fingerprint"), tuple(columns))
    connection.execute(statement.values(integration_id=alert.integration_id, fingerprint=alert.fingerprint, **columns))


def expired(connection: Connection, now: int, limit: int) -> list[Alert]:
    """Those that nobody has repeated in time, the oldest first."""
    query = select(alerts).where(alerts.c.due_at <= now).order_by(alerts.c.due_at).limit(limit)
    return [_alert(row) for row in connection.execute(query.with_for_update(skip_locked=True))]


def end(connection: Connection, alert: Alert) -> None:
    """It is waited for no longer."""
    connection.execute(
        update(alerts)
        .where(alerts.c.integration_id == alert.integration_id, alerts.c.fingerprint == alert.fingerprint)
        .values(due_at=None)
    )


def next_due_at(connection: Connection) -> int | None:
    at: int | None = connection.scalar(select(func.min(alerts.c.due_at)))
    return at


def delete_older(connection: Connection, before: int, limit: int) -> int:
    """Deletes up to so many that were seen last before the instant; answers how many."""
    old = select(alerts.c.integration_id, alerts.c.fingerprint).where(alerts.c.seen_at < before).limit(limit)
    found = connection.execute(old).all()
    for row in found:
        connection.execute(
            delete(alerts).where(alerts.c.integration_id == row.integration_id, alerts.c.fingerprint == row.fingerprint)
        )
    return len(found)


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        integration_id=row.integration_id,
        fingerprint=row.fingerprint,
        incident_id=row.incident_id,
        starts_at=row.starts_at,
        due_at=row.due_at,
        seen_at=row.seen_at,
    )
