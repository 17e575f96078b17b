"""Latency over time: one merged sketch for each bucket, of every region or of all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import Connection

from statuspulse.domain.sketch import Sketch
from statuspulse.engine.series import checks_by_bucket
from statuspulse.storage import watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One bucket [start, end) of one region, or of all together where that is None.

    `latency` is None where the rollups that are left are wider than the bucket.
    """

    start: int
    end: int
    region: str | None
    latency: Sketch | None


def latency_cells(
    connection: Connection, monitor_key: int, regions: Sequence[str] | None, edges: Sequence[int], now: int
) -> list[Cell]:
    """The cells by time, and of the given regions in their order; without any, all that ever looked are merged."""
    series = checks_by_bucket(connection, [monitor_key], edges, now)[monitor_key]
    keys = watch.region_keys(connection)
    cells = []
    for (start, end), checks in zip(pairwise(edges), series, strict=True):
        if regions is None:
            latency = None if checks is None else checks.whole().latency
            cells.append(Cell(start=start, end=end, region=None, latency=latency))
            continue
        for slug in regions:
            latency = None if checks is None else checks.region(keys[slug]).latency
            cells.append(Cell(start=start, end=end, region=slug, latency=latency))
    return cells
