"""Rounds that were answered too slowly, as time: each spends one interval of the budget.

A round of regions that look in parallel is made of one result each, so that one of three slow regions spends a third.
The limit is that of the histograms: what lies up to two percent above it may still count as fast, whatever the age.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.rollup import FINEST, floor
from statuspulse.domain.schedule import Strategy
from statuspulse.domain.sketch import bucket_index
from statuspulse.domain.times import DAY, HOUR, SECOND
from statuspulse.engine.series import checks_by_bucket
from statuspulse.storage import config_versions
from statuspulse.storage.monitors import Monitor

# The long windows of burn rates are looked at in steps of five minutes, what lies before in days.
_FINE = 3 * DAY + HOUR


def edges_since(start: int, now: int) -> list[int]:
    """Edges that tell burn windows apart to five minutes, and days before them."""
    fine = max(start, floor(now - _FINE, DAY))
    days = range(floor(start, DAY) + DAY, fine, DAY)
    steps = range(floor(fine, FINEST) + FINEST, now, FINEST)
    return [start, *days, *([fine] if fine > start else []), *steps, now]


def slow_rounds(
    connection: Connection, monitor: Monitor, limit_us: int, edges: Sequence[int], now: int
) -> Iterator[tuple[int, int, int]]:
    """(start, end, ms that were bad) between each two neighbouring edges; an edit counts from the next one on."""
    limit = bucket_index(limit_us)
    weights = list(_weights(connection, monitor))
    since = [at for at, _, _ in weights]
    found = checks_by_bucket(connection, [monitor.key], edges, now)[monitor.key]
    for (start, end), checks in zip(pairwise(edges), found, strict=True):
        if checks is None:
            continue
        buckets = checks.whole().latency.buckets
        slow = sum(count for index, count in buckets.items() if index > limit)
        _, interval, results = weights[max(0, bisect_right(since, start) - 1)]
        if slow:
            yield start, end, slow * interval // results


def _weights(connection: Connection, monitor: Monitor) -> Iterator[tuple[int, int, int]]:
    """(since when, interval, results of a round) of each configuration that is kept, ascending."""
    for at, config in config_versions.schedules_of(connection, monitor.key):
        yield at, *_round(config)
    yield monitor.updated_at, *_round(monitor.config)


def _round(config: dict[str, Any]) -> tuple[int, int]:
    rotates = config.get("region_strategy") == Strategy.ROTATE
    return config.get("interval_seconds", 0) * SECOND, 1 if rotates else max(1, len(config["regions"]))
