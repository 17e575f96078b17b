"""Jobs that call us: found by the digest of the key in their URL, or by their deadline."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, select, update

from statuspulse.domain.heartbeat import Beat
from statuspulse.storage.dialect import upsert
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import heartbeats, listening, monitor_states, monitors
from statuspulse.storage.states import MonitorState, state_in
from statuspulse.storage.watch import WatchedMonitor, monitor_of

# Built once: what a read of a status builds anew each time costs more than what it asks for.
_LINES = Prepared(select(heartbeats).where(heartbeats.c.monitor_key.in_(bindparam("keys", expanding=True))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A monitor that is called, with what is known of its job; `newest_at` is the slot of its newest result."""

    monitor: WatchedMonitor
    state: MonitorState
    beat: Beat
    newest_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What the owner of a monitor sees of its job: the sealed key, and the job itself."""

    key_sealed: bytes
    beat: Beat


def insert(connection: Connection, monitor_key: int, digest: bytes, key_sealed: bytes) -> None:
    """A job that has never called."""
    connection.execute(heartbeats.insert().values(monitor_key=monitor_key, digest=digest, key_sealed=key_sealed))


def replace_key(connection: Connection, monitor_key: int, digest: bytes, key_sealed: bytes) -> None:
    """From now on the job calls by another key, and by no other."""
    connection.execute(
        update(heartbeats).where(heartbeats.c.monitor_key == monitor_key).values(digest=digest, key_sealed=key_sealed)
    )


def remove(connection: Connection, monitor_key: int) -> None:
    """Its key is one that nobody knows."""
    connection.execute(delete(heartbeats).where(heartbeats.c.monitor_key == monitor_key))


def is_key(connection: Connection, digest: bytes) -> bool:
    """Whether a key with the digest leads to a monitor."""
    found = connection.scalar(select(heartbeats.c.monitor_key).where(heartbeats.c.digest == digest))
    return found is not None


def by_digests(connection: Connection, digests: Collection[bytes]) -> dict[bytes, Heartbeat]:
    """The heartbeats to some keys, by digest; a key that leads nowhere is missing."""
    rows = connection.execute(_query().where(heartbeats.c.digest.in_(digests)))
    return {row.digest: _heartbeat(row) for row in rows}


def of_monitor(connection: Connection, monitor_key: int) -> Heartbeat | None:
    """The heartbeat of a monitor, None for a monitor that is checked."""
    row = connection.execute(_query().where(heartbeats.c.monitor_key == monitor_key)).one_or_none()
    return None if row is None else _heartbeat(row)


def due(connection: Connection, by: int, limit: int) -> list[Heartbeat]:
    """Those whose deadline has come, the oldest deadline first."""
    query = _query().where(heartbeats.c.due_at <= by).order_by(heartbeats.c.due_at).limit(limit)
    return [_heartbeat(row) for row in connection.execute(query)]


def awaited(connection: Connection) -> list[Heartbeat]:
    """Those that have called, or are expected to, and are not paused."""
    live = monitors.c.paused.is_(False) & monitors.c.deleted_at.is_(None)
    called = heartbeats.c.due_at.is_not(None) | heartbeats.c.last_ping_at.is_not(None)
    return [_heartbeat(row) for row in connection.execute(_query().where(live, called))]


def flapping(connection: Connection) -> list[Heartbeat]:
    """Those that flap; there are few."""
    live = monitors.c.deleted_at.is_(None) & monitor_states.c.flapping_since.is_not(None)
    return [_heartbeat(row) for row in connection.execute(_query().where(live))]


def lines(connection: Connection, monitor_keys: Collection[int]) -> dict[int, Line]:
    """What owners see, by monitor; a monitor that is checked is missing."""
    found = _LINES.rows(connection, keys=list(monitor_keys))
    return {row.monitor_key: Line(key_sealed=row.key_sealed, beat=_beat(row)) for row in found}


def save(connection: Connection, changed: Iterable[Heartbeat]) -> None:
    """Stores what is known of the jobs, and the slots of their newest results."""
    rows = [
        {
            "at_key": one.monitor.key,
            "last_ping_at": one.beat.last_ping_at,
            "started_at": one.beat.started_at,
            "expected_at": one.beat.expected_at,
            "due_at": one.beat.due_at,
            "newest_at": one.newest_at,
        }
        for one in changed
    ]
    if rows:
        connection.execute(update(heartbeats).where(heartbeats.c.monitor_key == bindparam("at_key")), rows)


def save_beat(connection: Connection, monitor_key: int, beat: Beat) -> None:
    connection.execute(
        update(heartbeats)
        .where(heartbeats.c.monitor_key == monitor_key)
        .values(
            last_ping_at=beat.last_ping_at,
            started_at=beat.started_at,
            expected_at=beat.expected_at,
            due_at=beat.due_at,
        )
    )


def exist(connection: Connection) -> bool:
    """Whether there is anything to listen for."""
    return connection.scalar(select(heartbeats.c.monitor_key).limit(1)) is not None


def listened_until(connection: Connection) -> int | None:
    """Up to when somebody has surely listened; None where nobody ever did."""
    until: int | None = connection.scalar(select(listening.c.until_at))
    return until


def save_listened_until(connection: Connection, until: int) -> None:
    connection.execute(upsert(connection, listening, ("only",), ("until_at",)).values(only=1, until_at=until))


def _query() -> Select[Any]:
    return (
        select(monitors, heartbeats, monitor_states)
        .join(heartbeats, heartbeats.c.monitor_key == monitors.c.key)
        .join(monitor_states, monitor_states.c.monitor_key == monitors.c.key)
    )


def _heartbeat(row: Row[Any]) -> Heartbeat:
    return Heartbeat(
        monitor=monitor_of(row),
        state=state_in(row),
        beat=_beat(row),
        newest_at=row.newest_at,
    )


def _beat(row: Row[Any]) -> Beat:
    return Beat(
        last_ping_at=row.last_ping_at, started_at=row.started_at, expected_at=row.expected_at, due_at=row.due_at
    )
