"""Rollup rows, up to where they are complete, and the hours that have to be rolled up again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Integer, Row, bindparam, delete, or_, select

from statuspulse.domain.rollup import FINEST, WIDTHS, Bucket, Stretch, floor
from statuspulse.domain.sketch import Sketch
from statuspulse.domain.times import HOUR, SECOND
from statuspulse.storage.dialect import insert_or_ignore, upsert
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import (
    monitors,
    regions,
    results,
    rollup_marks,
    rollup_touched,
    rollups,
)

_VALUES = ("ok", "failed", "void", "total_us", "min_us", "max_us", "sketch")


# Built once: what a read of a status builds anew each time costs more than what it asks for.
_MARKS = Prepared(select(rollup_marks))
_TOUCHED = Prepared(
    select(rollup_touched)
    .order_by(rollup_touched.c.monitor_key, rollup_touched.c.region_key, rollup_touched.c.start_at)
    .limit(bindparam("limit", type_=Integer))
)
_REGION_KEYS = Prepared(select(regions.c.key))
_BETWEEN = Prepared(
    select(rollups).where(
        rollups.c.width_seconds == bindparam("width"),
        rollups.c.monitor_key.in_(bindparam("keys", expanding=True)),
        rollups.c.region_key.in_(bindparam("regions", expanding=True)),
        rollups.c.start_at >= bindparam("start", type_=BigInteger),
        rollups.c.start_at < bindparam("end", type_=BigInteger),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far the rows of one width (ms) are complete."""

    width: int
    complete_until: int
    sweep_until: int
    next_key: int

    def reach(self, monitor_key: int) -> int:
        """Up to where the rows of one monitor are complete."""
        return self.sweep_until if monitor_key < self.next_key else self.complete_until


class Place(NamedTuple):
    """Which bucket of one width: monitor, region and start."""

    monitor_key: int
    region_key: int
    start: int


def marks(connection: Connection) -> dict[int, Mark]:
    """The mark of each width; empty before the first run."""
    return {
        row.width_seconds * SECOND: Mark(
            width=row.width_seconds * SECOND,
            complete_until=row.complete_until,
            sweep_until=row.sweep_until,
            next_key=row.next_key,
        )
        for row in _MARKS.rows(connection)
    }


def save_mark(connection: Connection, mark: Mark) -> None:
    statement = upsert(
        connection, rollup_marks, ("width_seconds",), ("complete_until", "sweep_until", "next_key")
    ).values(
        width_seconds=mark.width // SECOND,
        complete_until=mark.complete_until,
        sweep_until=mark.sweep_until,
        next_key=mark.next_key,
    )
    connection.execute(statement)


def begin(connection: Connection, until: int) -> None:
    """The first marks: rows are complete up to the edges before `until`, once every hour with results is rolled up."""
    for width in WIDTHS:
        edge = floor(until, width)
        save_mark(connection, Mark(width=width, complete_until=edge, sweep_until=edge, next_key=0))
    hour = results.c.scheduled_at - results.c.scheduled_at % HOUR
    seen = (
        select(results.c.monitor_key, results.c.region_key, hour)
        .where(results.c.scheduled_at < floor(until, FINEST))
        .distinct()
    )
    columns = ["monitor_key", "region_key", "start_at"]
    connection.execute(insert_or_ignore(connection, rollup_touched).from_select(columns, seen))


def monitor_keys(connection: Connection, first: int, alive_at: int, limit: int) -> list[int]:
    """Keys of monitors from `first` on, ascending, without those deleted before `alive_at`."""
    query = (
        select(monitors.c.key)
        .where(monitors.c.key >= first, or_(monitors.c.deleted_at.is_(None), monitors.c.deleted_at >= alive_at))
        .order_by(monitors.c.key)
        .limit(limit)
    )
    return list(connection.scalars(query))


def region_keys(connection: Connection) -> list[int]:
    """Every region: with it given, a query on rows finds its range in the key instead of reading the whole monitor."""
    return [row.key for row in _REGION_KEYS.rows(connection)]


def save(connection: Connection, width: int, buckets: Mapping[Place, Bucket]) -> None:
    """Stores buckets of one width in place of those that were there."""
    if not buckets:
        return
    keys = ("width_seconds", "monitor_key", "region_key", "start_at")
    connection.execute(
        upsert(connection, rollups, keys, _VALUES),
        [
            {
                "width_seconds": width // SECOND,
                "monitor_key": place.monitor_key,
                "region_key": place.region_key,
                "start_at": place.start,
                "ok": bucket.ok,
                "failed": bucket.failed,
                "void": bucket.void,
                "total_us": bucket.latency.total_us,
                "min_us": bucket.latency.min_us,
                "max_us": bucket.latency.max_us,
                "sketch": bucket.latency.encode(),
            }
            for place, bucket in buckets.items()
        ],
    )


def between(
    connection: Connection, monitor_keys: Collection[int], region_keys: Collection[int], stretch: Stretch
) -> Iterator[tuple[Place, Bucket]]:
    """The buckets of a stretch; those in which nothing ran are missing."""
    wanted: dict[str, Any] = {
        "width": stretch.width // SECOND,
        "keys": list(monitor_keys),
        "regions": list(region_keys),
        "start": stretch.start,
        "end": stretch.end,
    }
    for row in _BETWEEN.rows(connection, **wanted):
        yield Place(row.monitor_key, row.region_key, row.start_at), _bucket(row)


def touch(connection: Connection, hours: Iterable[Place]) -> None:
    """Asks for hours to be rolled up again."""
    rows = [{"monitor_key": hour.monitor_key, "region_key": hour.region_key, "start_at": hour.start} for hour in hours]
    if rows:
        connection.execute(insert_or_ignore(connection, rollup_touched), rows)


def touched(connection: Connection, limit: int) -> list[Place]:
    """Hours to be rolled up again; those of one monitor and region stand together."""
    rows = _TOUCHED.rows(connection, limit=limit)
    return [Place(row.monitor_key, row.region_key, row.start_at) for row in rows]


def untouch(connection: Connection, hour: Place) -> None:
    """The hour has been rolled up again."""
    connection.execute(
        delete(rollup_touched).where(
            rollup_touched.c.monitor_key == hour.monitor_key,
            rollup_touched.c.region_key == hour.region_key,
            rollup_touched.c.start_at == hour.start,
        )
    )


def _bucket(row: Row[Any]) -> Bucket:
    latency = Sketch.decode(row.sketch, total_us=row.total_us, min_us=row.min_us, max_us=row.max_us)
    return Bucket(row.ok, row.failed, row.void, latency)
