"""The checks of monitors bucket by bucket over a window, each row of rollups merged into the bucket that it lies in.

Buckets begin and end at the nearest edge of the narrowest rollups that are kept for so long; behind the last rollup raw
results tell to the millisecond.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from sqlalchemy import Connection

from statuspulse.domain.rollup import FINEST, Stretch, cover, edge, narrowest
from statuspulse.engine.closed_checks import Checks
from statuspulse.engine.figures import alike
from statuspulse.storage import results, rollups

# The checks of each bucket by monitor key; None where the rollups that are left are wider than the bucket.
Series = dict[int, list[Checks | None]]


def checks_by_bucket(connection: Connection, keys: Collection[int], edges: Sequence[int], now: int) -> Series:
    """The checks between each two neighbouring edges, which ascend and end by now."""
    regions = rollups.region_keys(connection)
    found: Series = {}
    for complete, group in alike(connection, keys).items():
        places = _places(edges, dict(complete).get(FINEST, 0), now)
        found |= {key: [Checks() if fits else None for fits in _fits(edges, places, now)] for key in group}
        stretches, raw = _cover(places, dict(complete))
        for stretch in stretches:
            for place, bucket in rollups.between(connection, group, regions, stretch):
                checks = found[place.monitor_key][bisect_right(places, place.start) - 1]
                if checks is not None:
                    checks.region(place.region_key).merge(bucket)
        if raw < places[-1]:
            rows = results.verdicts_between(connection, group, regions, raw, places[-1])
            for key, region_key, at, verdict, latency_us in rows:
                checks = found[key][bisect_right(places, at) - 1]
                if checks is not None:
                    checks.region(region_key).add(verdict, latency_us)
    return found


def _places(edges: Sequence[int], reach: int, now: int) -> list[int]:
    """Where the buckets of an answer begin and end in what is stored."""
    return [at if at >= reach else edge(at, now) for at in edges]


def _fits(edges: Sequence[int], places: Sequence[int], now: int) -> Iterator[bool]:
    """Whether each bucket has checks that are its own: one that is much narrower than the rollups has none."""
    for (start, end), (low, high) in zip(pairwise(edges), pairwise(places), strict=True):
        exact = (low, high) == (start, end)
        yield low < high and (exact or 2 * (end - start) >= narrowest(start, now))


def _cover(places: Sequence[int], complete: Mapping[int, int]) -> tuple[list[Stretch], int]:
    """The widest rows that lie within the buckets, and the instant from which only raw results tell."""
    found: list[Stretch] = []
    for low, high in pairwise(places):
        stretches, rest = cover(low, {width: min(until, high) for width, until in complete.items()})
        for stretch in stretches:
            goes_on = found and (found[-1].width, found[-1].end) == (stretch.width, stretch.start)
            begun = found.pop().start if goes_on else stretch.start
            found.append(Stretch(width=stretch.width, start=begun, end=stretch.end))
        if rest < high:
            return found, rest
    return found, places[-1]
