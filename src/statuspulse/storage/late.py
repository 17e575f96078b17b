"""What late results tell of time that nobody saw, and which monitors have some that were not read yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, select
from sqlalchemy.sql.elements import ColumnElement

from statuspulse.domain.health import State
from statuspulse.domain.replay import Observed
from statuspulse.domain.result import Verdict
from statuspulse.domain.uptime import Interval
from statuspulse.storage import rewrites
from statuspulse.storage.dialect import upsert
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.results import IS_SLOT, VERDICT_CODES, VERDICTS
from statuspulse.storage.schema import late_intervals, late_marks, results

_INTERVALS = Prepared(
    select(late_intervals)
    .where(
        late_intervals.c.monitor_key.in_(bindparam("keys", expanding=True)),
        late_intervals.c.start_at < bindparam("end", type_=BigInteger),
        late_intervals.c.end_at > bindparam("start", type_=BigInteger),
    )
    .order_by(late_intervals.c.monitor_key, late_intervals.c.start_at)
)
_MARKS = Prepared(select(late_marks).where(late_marks.c.monitor_key.in_(bindparam("keys", expanding=True))))
_DUE = Prepared(
    select(late_marks)
    .where(late_marks.c.due_at <= bindparam("now", type_=BigInteger))
    .order_by(late_marks.c.due_at)
    .limit(1)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Late results of a monitor in [start, end); they are read when it is due, and for the last time once settled."""

    monitor_key: int
    start: int
    end: int
    due_at: int
    settled_at: int


def intervals_by_monitor(
    connection: Connection, monitor_keys: Collection[int], start: int, end: int
) -> dict[int, list[Interval]]:
    """The intervals that touch [start, end), ascending; a monitor that has none is missing."""
    found: dict[int, list[Interval]] = {}
    for row in _INTERVALS.rows(connection, keys=list(monitor_keys), start=start, end=end):
        interval = Interval(start=row.start_at, end=row.end_at, state=State(row.state))
        found.setdefault(row.monitor_key, []).append(interval)
    return found


def replace_between(
    connection: Connection, monitor_key: int, start: int, end: int, intervals: Iterable[Interval]
) -> None:
    """From now on [start, end) holds these intervals, which lie in it; one that began before it ends there."""
    touching = intervals_by_monitor(connection, [monitor_key], start, end).get(monitor_key, [])
    kept = [
        *(Interval(start=one.start, end=start, state=one.state) for one in touching if one.start < start),
        *intervals,
        *(Interval(start=end, end=one.end, state=one.state) for one in touching if one.end > end),
    ]
    connection.execute(
        delete(late_intervals).where(
            late_intervals.c.monitor_key == monitor_key,
            late_intervals.c.start_at < end,
            late_intervals.c.end_at > start,
        )
    )
    rewrites.count(connection, [monitor_key])
    rows = [
        {"monitor_key": monitor_key, "start_at": one.start, "end_at": one.end, "state": one.state.value} for one in kept
    ]
    if rows:
        connection.execute(late_intervals.insert(), rows)


def observed_between(
    connection: Connection, monitor_key: int, region_keys: Collection[int], window: tuple[int, int], version: int
) -> list[Observed]:
    """The verdicts for slots in a window [start, end), of checks under this version of the configuration or a later."""
    query = select(results.c.scheduled_at, results.c.region_key, results.c.verdict).where(
        *_verdicts(monitor_key, region_keys, window), results.c.config_version >= version
    )
    return [Observed(at, region, VERDICTS[verdict]) for at, region, verdict in connection.execute(query)]


def saw_something(connection: Connection, monitor_key: int, region_key: int, window: tuple[int, int]) -> bool:
    """Whether a region has a verdict for a slot in the window [start, end)."""
    query = select(results.c.kind).where(*_verdicts(monitor_key, [region_key], window)).limit(1)
    return connection.scalar(query) is not None


def marks(connection: Connection, monitor_keys: Collection[int]) -> dict[int, Mark]:
    """The mark of each monitor that has one."""
    return {row.monitor_key: _mark(row) for row in _MARKS.rows(connection, keys=list(monitor_keys))}


def due(connection: Connection, now: int) -> Mark | None:
    """The mark that is due for the longest time."""
    found = _DUE.rows(connection, now=now)
    return _mark(found[0]) if found else None


def save_marks(connection: Connection, changed: Sequence[Mark]) -> None:
    if not changed:
        return
    statement = upsert(connection, late_marks, ("monitor_key",), ("from_at", "until_at", "due_at", "settled_at"))
    connection.execute(
        statement,
        [
            {
                "monitor_key": mark.monitor_key,
                "from_at": mark.start,
                "until_at": mark.end,
                "due_at": mark.due_at,
                "settled_at": mark.settled_at,
            }
            for mark in changed
        ],
    )


def remove_mark(connection: Connection, monitor_key: int) -> None:
    """Everything that came late has been read."""
    connection.execute(delete(late_marks).where(late_marks.c.monitor_key == monitor_key))


def _mark(row: Any) -> Mark:
    return Mark(
        monitor_key=row.monitor_key,
        start=row.from_at,
        end=row.until_at,
        due_at=row.due_at,
        settled_at=row.settled_at,
    )


def _verdicts(monitor_key: int, region_keys: Collection[int], window: tuple[int, int]) -> Sequence[ColumnElement[bool]]:
    start, end = window
    return (
        results.c.monitor_key == monitor_key,
        results.c.region_key.in_(region_keys),
        results.c.scheduled_at >= start,
        results.c.scheduled_at < end,
        results.c.verdict != VERDICT_CODES[Verdict.VOID],
        IS_SLOT,
    )
