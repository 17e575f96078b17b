"""What the figures of a monitor are made of, remembered between reads of its status.

Nothing has to be told to forget. What is remembered is found again only under counts that the reader takes from its
own snapshot: how often the past of the monitor was written (`storage/rewrites.py`), how far its rollups are complete,
and how many results it has behind them. Results are only ever added, so equal counts are the same results.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from statuspulse.domain.maintenance import Stretch
from statuspulse.domain.rollup import Bucket
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.uptime import Interval, Span
from statuspulse.storage.status import Incidents

if TYPE_CHECKING:
    from statuspulse.engine.closed_checks import Checks, Complete

# The end of what is not over: no instant (ms) lies behind it.
FOREVER = 1 << 62
# Windows of one monitor that are kept at once: there are five.
_WINDOWS = 5


class Told:
    """The checks of a window that nobody adds to any more, with what every answer tells of them."""

    def __init__(self, checks: Checks) -> None:
        self._checks = checks
        self._whole = checks.whole()
        self._percentiles: dict[tuple[int | None, int], float | None] = {}

    def whole(self) -> Bucket:
        """All regions together."""
        return self._whole

    def region(self, key: int) -> Bucket:
        """One region; empty where it has not looked."""
        return self._checks.by_region.get(key) or Bucket()

    def percentile_us(self, percent: int, region_key: int | None = None) -> float | None:
        """The nearest-rank percentile of the latency of all regions, or of one."""
        asked = (region_key, percent)
        if asked not in self._percentiles:
            bucket = self._whole if region_key is None else self.region(region_key)
            self._percentiles[asked] = bucket.latency.percentile(percent)
        return self._percentiles[asked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The checks of a window as of so many results behind `rest`, from where on raw results tell."""

    start: int
    complete: Complete
    rest: int
    results: int
    told: Told


@dataclass(frozen=True, kw_only=True)
class KnownPast:
    """The past of a monitor as of so many `rewrites`: decided intervals, holes by region, what late results told.

    An interval that is not over ends at FOREVER. `excluded` is what maintenance windows take out.
    """

    rewrites: int
    intervals: Sequence[Interval]
    unseen: Sequence[Span]
    late: Sequence[Interval]
    excluded: Sequence[Stretch]
    incidents: Incidents
    windows: dict[int, Seen] = field(default_factory=dict)
    _timelines: dict[tuple[int, ...], Timeline] = field(default_factory=dict)

    def timeline(self, regions: tuple[int, ...], holes: Sequence[Span], excluded: Sequence[Stretch] = ()) -> Timeline:
        """What held when; `regions` are those that look now, `holes` what they miss up to now.

        `excluded` is what a window takes out that is not carried out yet.
        """
        if holes or excluded:
            return self._timeline(regions, holes, excluded)
        known = self._timelines.get(regions)
        if known is None:
            known = self._timelines[regions] = self._timeline(regions, (), ())
        return known

    def _timeline(self, regions: tuple[int, ...], holes: Sequence[Span], excluded: Sequence[Stretch]) -> Timeline:
        """Holes of regions that look at the monitor no more say nothing about what the others saw."""
        unseen = [*(span for span in self.unseen if span.region in regions), *holes]
        timeline = Timeline.of(self.intervals, unseen, len(regions), self.late)
        return timeline.with_maintenance([*self.excluded, *excluded])


class KnownPasts:
    """The pasts that were read last, by monitor key; readers in several threads share it."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[int, KnownPast] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, monitor_key: int, rewrites: int) -> KnownPast | None:
        """What was kept under the very same count."""
        with self._lock:
            known = self._kept.get(monitor_key)
            if known is None or known.rewrites != rewrites:
                return None
            self._kept.move_to_end(monitor_key)
            return known

    def keep(self, monitor_key: int, past: KnownPast) -> None:
        """Drops what was not asked for the longest."""
        with self._lock:
            self._kept[monitor_key] = past
            self._kept.move_to_end(monitor_key)
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)

    def keep_window(self, past: KnownPast, seen: Seen) -> None:
        """Keeps the checks of one window of a past, and drops those of the window that was read first."""
        with self._lock:
            past.windows.pop(seen.start, None)
            past.windows[seen.start] = seen
            if len(past.windows) > _WINDOWS:
                del past.windows[next(iter(past.windows))]
