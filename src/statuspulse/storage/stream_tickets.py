"""Tickets that open one stream of events each, found by the digest of their text; the text itself is never stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from statuspulse.storage.schema import stream_tickets as tickets


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Whose secret a ticket stands for, by its digest, in which team, and until when (ms)."""

    secret_digest: bytes
    team_id: str
    ends_at: int


def insert(connection: Connection, digest: bytes, ticket: Ticket, *, now: int) -> None:
    """Stores a ticket, and forgets those that nobody has used in time."""
    connection.execute(delete(tickets).where(tickets.c.ends_at <= now))
    row = {"secret_digest": ticket.secret_digest, "team_id": ticket.team_id, "ends_at": ticket.ends_at}
    connection.execute(tickets.insert().values(digest=digest, **row))


def find(connection: Connection, digest: bytes) -> Ticket | None:
    return _ticket(connection.execute(select(tickets).where(tickets.c.digest == digest)).one_or_none())


def take(connection: Connection, digest: bytes) -> Ticket | None:
    """The ticket, which is gone with that; of two who ask at once one gets it."""
    return _ticket(
        connection.execute(delete(tickets).where(tickets.c.digest == digest).returning(tickets)).one_or_none()
    )


def _ticket(row: Row[Any] | None) -> Ticket | None:
    if row is None:
        return None
    return Ticket(secret_digest=bytes(row.secret_digest), team_id=row.team_id, ends_at=row.ends_at)
