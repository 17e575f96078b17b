"""What was said between an integration and us, in either direction: for people, and kept as long as events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from statuspulse.domain.ids import new_ulid
from statuspulse.domain.times import DAY
from statuspulse.storage.keyset import page_of
from statuspulse.storage.schema import sync_log

KEPT = 30 * DAY
OUT = "out"
IN = "in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One attempt to tell them something, or one thing that they told. `error` is a word and holds no secret."""

    at: int
    direction: str
    what: str
    outcome: str
    incident_id: str | None = None
    external_id: str | None = None
    attempt: int | None = None
    http_status: int | None = None
    latency_ms: int | None = None
    error: str | None = None
    id: str = ""


def append(connection: Connection, integration_id: str, said: Said) -> None:
    connection.execute(
        sync_log.insert().values(
            id=new_ulid("syn", said.at),
            integration_id=integration_id,
            at=said.at,
            direction=said.direction,
            what=said.what,
            outcome=said.outcome,
            incident_id=said.incident_id,
            external_id=said.external_id,
            attempt=said.attempt,
            http_status=said.http_status,
            latency_ms=said.latency_ms,
            error=said.error,
        )
    )


def page(
    connection: Connection, integration_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Said]:
    """Of an integration that was found in the team before."""
    query = select(sync_log).where(sync_log.c.integration_id == integration_id)
    rows = page_of(query, sync_log.c.at, sync_log.c.id, after=after, descending=descending, limit=limit)
    return [_said(row) for row in connection.execute(rows)]


def count(connection: Connection, integration_id: str, limit: int) -> int:
    """How many entries there are, `limit` at most."""
    found = select(sync_log.c.id).where(sync_log.c.integration_id == integration_id).limit(limit).subquery()
    return connection.scalar(select(func.count()).select_from(found)) or 0


def delete_older(connection: Connection, before: int, limit: int) -> int:
    """Deletes up to so many entries from before the instant; answers how many."""
    ids = list(connection.scalars(select(sync_log.c.id).where(sync_log.c.at < before).limit(limit)))
    if ids:
        connection.execute(delete(sync_log).where(sync_log.c.id.in_(ids)))
    return len(ids)


def _said(row: Row[Any]) -> Said:
    return Said(
        id=row.id,
        at=row.at,
        direction=row.direction,
        what=row.what,
        outcome=row.outcome,
        incident_id=row.incident_id,
        external_id=row.external_id,
        attempt=row.attempt,
        http_status=row.http_status,
        latency_ms=row.latency_ms,
        error=row.error,
    )
