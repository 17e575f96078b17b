"""Rolls results up into buckets of 5 minutes, those into hours and these into days, a little at a time.

Every step is a transaction of its own. How far it all has come stands in the database and nowhere else, so a step may
be the last before a crash, and doing one twice makes the same rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from statuspulse.domain.result import ResultKind
from statuspulse.domain.rollup import FINEST, WIDTHS, Bucket, Stretch, floor
from statuspulse.domain.times import DAY, HOUR, SECOND
from statuspulse.engine.retention import RAW_KEPT
from statuspulse.storage import results, rewrites, rollups
from statuspulse.storage.results import Placed
from statuspulse.storage.rollups import Mark, Place

# Results arrive after their slot: most have come by then, and a later one makes its hour be rolled up again.
_GRACE = 60 * SECOND
# How far one sweep over the monitors goes at most, when there is much to catch up with.
_LONGEST_SWEEP = {FINEST: HOUR // 2, HOUR: DAY, DAY: 31 * DAY}
ROWS_PER_STEP = 1000
_MONITORS_PER_STEP = 100
_HOURS_PER_STEP = 20

Buckets = dict[Place, Bucket]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Some monitors in some regions over [start, end)."""

    keys: Collection[int]
    regions: Collection[int]
    start: int
    end: int


def roll(connection: Connection, now: int, limit: int) -> int:
    """One step of work, 0 when there is none left to do. Runs inside the writer's transaction.

    `limit` is how many rows it may read before it stops at the next monitor or hour: 1,000 take some 20 ms.
    """
    marks = rollups.marks(connection)
    if not marks:
        rollups.begin(connection, now - _GRACE)
        return 1
    regions = rollups.region_keys(connection)
    if done := _roll_again(connection, marks, now, limit):
        return done
    bounds = {
        FINEST: floor(now - _GRACE, FINEST),
        HOUR: floor(marks[FINEST].complete_until, HOUR),
        DAY: floor(marks[HOUR].complete_until, DAY),
    }
    return next((done for width in WIDTHS if (done := _sweep(connection, regions, marks[width], bounds, limit))), 0)


def touch(connection: Connection, placed: Iterable[Placed]) -> None:
    """Has the hours rolled up again that got a result although they, or a part of them, had been already."""
    mark = rollups.marks(connection).get(FINEST)
    if mark is None:
        return
    late = {
        Place(item.monitor_key, item.region_key, floor(item.result.scheduled_at, HOUR))
        for item in placed
        if item.result.kind is ResultKind.SCHEDULED and item.result.scheduled_at < mark.reach(item.monitor_key)
    }
    rollups.touch(connection, late)


def _sweep(connection: Connection, regions: Collection[int], mark: Mark, bounds: dict[int, int], limit: int) -> int:
    """Takes some monitors of one width on to where the sweep goes; answers the rows that were read, at least 1."""
    if mark.sweep_until == mark.complete_until:
        until = min(bounds[mark.width], mark.complete_until + _LONGEST_SWEEP[mark.width])
        if until <= mark.complete_until:
            return 0
        mark = replace(mark, sweep_until=until)
    keys = rollups.monitor_keys(connection, mark.next_key, mark.complete_until, _MONITORS_PER_STEP)
    buckets: Buckets = {}
    read = passed = 0
    for key in keys:
        if read >= limit:
            break
        rows = _Rows([key], regions, mark.complete_until, mark.sweep_until)
        read += _gather(connection, mark.width, rows, buckets)
        passed += 1
    rollups.save(connection, mark.width, buckets)
    rollups.save_mark(connection, _advanced(mark, keys, passed))
    return max(1, read)


def _advanced(mark: Mark, keys: Sequence[int], passed: int) -> Mark:
    if passed == len(keys) < _MONITORS_PER_STEP:
        return replace(mark, complete_until=mark.sweep_until, next_key=0)
    return replace(mark, next_key=keys[passed - 1] + 1)


def _roll_again(connection: Connection, marks: dict[int, Mark], now: int, limit: int) -> int:
    """Rolls some touched hours up anew with the days that they belong to; answers the rows that were read."""
    read = 0
    days: set[Place] = set()
    for hour in rollups.touched(connection, _HOURS_PER_STEP):
        if read >= limit:
            break
        rollups.untouch(connection, hour)
        read += 1
        if hour.start >= now - RAW_KEPT:  # of an older hour a part of the results is gone
            read += _hour_again(connection, hour, marks)
            rewrites.count(connection, [hour.monitor_key])
            days.add(hour._replace(start=floor(hour.start, DAY)))
    for day in days:
        if day.start + DAY <= marks[DAY].reach(day.monitor_key):
            buckets: Buckets = {}
            _gather(connection, DAY, _Rows([day.monitor_key], [day.region_key], day.start, day.start + DAY), buckets)
            rollups.save(connection, DAY, buckets)
    return read


def _hour_again(connection: Connection, hour: Place, marks: dict[int, Mark]) -> int:
    end = min(hour.start + HOUR, marks[FINEST].reach(hour.monitor_key))
    buckets: Buckets = {}
    read = _gather(connection, FINEST, _Rows([hour.monitor_key], [hour.region_key], hour.start, end), buckets)
    rollups.save(connection, FINEST, buckets)
    if buckets and hour.start + HOUR <= marks[HOUR].reach(hour.monitor_key):
        whole = Bucket()
        for bucket in buckets.values():
            whole.merge(bucket)
        rollups.save(connection, HOUR, {hour: whole})
    return read


def _gather(connection: Connection, width: int, rows: _Rows, into: Buckets) -> int:
    """Collects buckets of one width from what they are made of; answers the rows that were read."""
    read = 0
    if width == FINEST:
        found = results.verdicts_between(connection, rows.keys, rows.regions, rows.start, rows.end)
        for key, region, at, verdict, latency_us in found:
            into.setdefault(Place(key, region, floor(at, width)), Bucket()).add(verdict, latency_us)
            read += 1
        return read
    narrower = Stretch(width=WIDTHS[WIDTHS.index(width) - 1], start=rows.start, end=rows.end)
    for place, bucket in rollups.between(connection, rows.keys, rows.regions, narrower):
        into.setdefault(place._replace(start=floor(place.start, width)), Bucket()).merge(bucket)
        read += 1
    return read
