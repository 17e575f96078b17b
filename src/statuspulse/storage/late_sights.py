"""Regions whose newest result came too late to vote: which slots of theirs did count, and which voted last.

There is a row for as long as that is so, and no longer: otherwise both are the slot of the newest result.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select

from statuspulse.storage.dialect import upsert
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import late_sights

_OF_MONITORS = Prepared(select(late_sights).where(late_sights.c.monitor_key.in_(bindparam("keys", expanding=True))))


@dataclass(frozen=True, slots=True, kw_only=True)
class LateSight:
    """The newest slots (ms) of a region that let us see, and that had a vote; None where none ever did."""

    counted: int | None
    voted: int | None


def by_region(connection: Connection, monitor_keys: Collection[int]) -> dict[tuple[int, int], LateSight]:
    """By (monitor key, region key)."""
    return {
        (row.monitor_key, row.region_key): LateSight(counted=row.counted_at, voted=row.voted_at)
        for row in _OF_MONITORS.rows(connection, keys=list(monitor_keys))
    }


def save(connection: Connection, changed: Mapping[tuple[int, int], LateSight | None]) -> None:
    """Stores by (monitor key, region key) what is late now; None is in time again."""
    late = [
        {"monitor_key": key, "region_key": region, "counted_at": sight.counted, "voted_at": sight.voted}
        for (key, region), sight in changed.items()
        if sight is not None
    ]
    if late:
        columns = ("counted_at", "voted_at")
        connection.execute(upsert(connection, late_sights, ("monitor_key", "region_key"), columns), late)
    for (key, region), sight in changed.items():
        if sight is None:
            connection.execute(
                delete(late_sights).where(late_sights.c.monitor_key == key, late_sights.c.region_key == region)
            )
