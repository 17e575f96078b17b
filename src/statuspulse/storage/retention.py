"""Deletes what is kept no longer, one monitor at a time and never more than an hour of results at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, ScalarSelect, Table, delete, func, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from statuspulse.domain.times import HOUR, SECOND
from statuspulse.storage.schema import failure_details, gap_records, monitors, regions, results, rollups


def monitor_keys(connection: Connection, first: int, limit: int) -> list[int]:
    """Keys of all monitors that ever were, from `first` on, ascending."""
    query = select(monitors.c.key).where(monitors.c.key >= first).order_by(monitors.c.key).limit(limit)
    return list(connection.scalars(query))


def due(connection: Connection, keys: Collection[int], before: int, ends: Mapping[int, int]) -> list[int]:
    """Which of the monitors have results or gaps from before an instant, or buckets that ended by that of their width.

    Only the oldest row of each kind is looked at, by its key.
    """
    oldest_result = _of_pair(results, func.min(results.c.scheduled_at))
    oldest_buckets = [
        _of_pair(rollups, func.min(rollups.c.start_at), rollups.c.width_seconds == width // SECOND) <= end - width
        for width, end in ends.items()
    ]
    ended_gap = select(gap_records.c.to_at).where(
        gap_records.c.monitor_key == monitors.c.key, gap_records.c.to_at < before
    )
    query = (
        select(monitors.c.key)
        .join_from(monitors, regions, true())
        .where(
            monitors.c.key.in_(keys),
            or_(oldest_result < before, *oldest_buckets, ended_gap.correlate(monitors).exists()),
        )
        .distinct()
        .order_by(monitors.c.key)
    )
    return list(connection.scalars(query))


def _of_pair(table: Table, value: ColumnElement[int], *further: ColumnElement[bool]) -> ScalarSelect[int]:
    """A value of the rows of one monitor and region."""
    mine = (table.c.monitor_key == monitors.c.key, table.c.region_key == regions.c.key, *further)
    return select(value).where(*mine).correlate(monitors, regions).scalar_subquery()


def delete_results(connection: Connection, monitor_key: int, region_keys: Collection[int], before: int) -> int:
    """Deletes the oldest hour of each region's results, with their details, as far as it lies before the instant.

    Answers how many results are gone; 0 means that none is left to delete.
    """
    return sum(_delete_oldest(connection, monitor_key, region_key, before) for region_key in region_keys)


def _delete_oldest(connection: Connection, monitor_key: int, region_key: int, before: int) -> int:
    mine = (results.c.monitor_key == monitor_key) & (results.c.region_key == region_key)
    oldest: int | None = connection.scalar(select(func.min(results.c.scheduled_at)).where(mine))
    if oldest is None or oldest >= before:
        return 0
    until = min(before, oldest + HOUR)
    connection.execute(
        delete(failure_details).where(
            failure_details.c.monitor_key == monitor_key,
            failure_details.c.region_key == region_key,
            failure_details.c.scheduled_at < until,
        )
    )
    return connection.execute(delete(results).where(mine, results.c.scheduled_at < until)).rowcount


def delete_gaps(connection: Connection, monitor_key: int, before: int) -> int:
    """Deletes the gap records that ended before the instant; answers how many."""
    mine = gap_records.c.monitor_key == monitor_key
    return connection.execute(delete(gap_records).where(mine, gap_records.c.to_at < before)).rowcount


def delete_rollups(
    connection: Connection, width: int, monitor_key: int, region_keys: Collection[int], before: int
) -> int:
    """Deletes the buckets of one width (ms) that ended by the instant; answers how many."""
    return connection.execute(
        delete(rollups).where(
            rollups.c.width_seconds == width // SECOND,
            rollups.c.monitor_key == monitor_key,
            rollups.c.region_key.in_(region_keys),
            rollups.c.start_at <= before - width,
        )
    ).rowcount
