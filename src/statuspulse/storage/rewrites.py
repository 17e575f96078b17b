"""How often the past of a monitor was written: whoever remembers what follows from it compares the count."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, bindparam, select

from statuspulse.storage.dialect import insert_or_count_up
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import rollup_rewrites

# Built once: what a read of a status builds anew each time costs more than what it asks for.
_TIMES = Prepared(select(rollup_rewrites).where(rollup_rewrites.c.monitor_key.in_(bindparam("keys", expanding=True))))


def times(connection: Connection, monitor_keys: Collection[int]) -> dict[int, int]:
    """The count of each monitor; one whose past was never written is missing."""
    return {row.monitor_key: row.times for row in _TIMES.rows(connection, keys=list(monitor_keys))}


def count(connection: Connection, monitor_keys: Iterable[int]) -> None:
    """To be called in the transaction that writes intervals, holes, incidents, or rollups below the monitor's reach."""
    rows = [{"monitor_key": key, "times": 1} for key in set(monitor_keys)]
    if rows:
        connection.execute(insert_or_count_up(connection, rollup_rewrites, ("monitor_key",), "times"), rows)
