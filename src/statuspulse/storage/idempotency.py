"""Answers that were given under an idempotency key, each stored in the transaction of its effect."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from statuspulse.domain.times import DAY
from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.schema import idempotency_records as records

KEPT = DAY


@dataclass(frozen=True, slots=True)
class Record:
    """What was asked under a key, by its fingerprint, and the sealed answer."""

    fingerprint: bytes
    answer: bytes


def find(connection: Connection, team_id: str, digest: bytes, since: int) -> Record | None:
    """The record of a key that was stored at the instant or later."""
    row = connection.execute(
        select(records.c.fingerprint, records.c.answer).where(
            records.c.team_id == team_id,
            records.c.digest == digest,
            records.c.created_at >= since,
            records.c.answer.is_not(None),
        )
    ).one_or_none()
    return None if row is None else Record(row.fingerprint, row.answer)


def claim(connection: Connection, team_id: str, digest: bytes, *, fingerprint: bytes, now: int, since: int) -> bool:
    """Takes the key for this transaction; False where somebody has it. One from before `since` is free again.

    On PostgreSQL it waits for a transaction that has the key and has not ended.
    """
    connection.execute(
        delete(records).where(records.c.team_id == team_id, records.c.digest == digest, records.c.created_at < since)
    )
    row = {"team_id": team_id, "digest": digest, "fingerprint": fingerprint, "created_at": now}
    taken = insert_or_ignore(connection, records).values(row).returning(records.c.created_at)
    return connection.scalar(taken) is not None


def settle(connection: Connection, team_id: str, digest: bytes, answer: bytes) -> None:
    """Stores the answer under a key that this transaction has claimed."""
    mine = (records.c.team_id == team_id) & (records.c.digest == digest)
    connection.execute(update(records).where(mine).values(answer=answer))


def delete_older(connection: Connection, before: int, limit: int) -> int:
    """Deletes up to so many records from before the instant, of all teams; answers how many."""
    old = select(records.c.team_id, records.c.digest).where(records.c.created_at < before).limit(limit)
    keys = [(row.team_id, row.digest) for row in connection.execute(old)]
    for team_id, digest in keys:
        connection.execute(delete(records).where(records.c.team_id == team_id, records.c.digest == digest))
    return len(keys)
