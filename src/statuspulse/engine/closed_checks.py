"""What the checks of a window gave, and the part of it that lies in rollups remembered between reads.

Whatever is remembered is the same as what a fresh read would give: it is found again only under everything that it was
made of, which the reader takes from its own snapshot.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from statuspulse.domain.rollup import Bucket
from statuspulse.engine.known_pasts import KnownPasts

# For each width of rollups the instant up to where they are complete.
Complete = tuple[tuple[int, int], ...]
# An entry is a merged histogram for each region, some 5 kB.
CAPACITY = 2048


@dataclass(slots=True)
class Checks:
    """What the scheduled checks of a window gave, by region key."""

    by_region: dict[int, Bucket] = field(default_factory=dict)

    def whole(self) -> Bucket:
        """All regions together; those that look no more count for the time in which they did."""
        whole = Bucket()
        for bucket in self.by_region.values():
            whole.merge(bucket)
        return whole

    def region(self, key: int) -> Bucket:
        """The bucket of a region, to be added to."""
        return self.by_region.setdefault(key, Bucket())

    def copy(self) -> Checks:
        """The same, to be added to."""
        copied = Checks()
        for key, bucket in self.by_region.items():
            copied.region(key).merge(bucket)
        return copied


@dataclass(frozen=True, slots=True)
class Basis:
    """All that the closed part of a window is made of: rows from `start` up to where they are complete, by monitor.

    Rows below that are only ever written again with `rewrites` counted up in the same transaction.
    """

    monitor_key: int
    start: int
    complete: Complete
    rewrites: int


class ClosedChecks:
    """Remembers the closed part of the windows that were read last; readers in several threads share it.

    `pasts` are what the figures of a status are made of beside it.
    """

    def __init__(self, capacity: int) -> None:
        self.pasts = KnownPasts(capacity)
        self._capacity = capacity
        self._kept: OrderedDict[tuple[int, int], tuple[Basis, Checks]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, basis: Basis) -> Checks | None:
        """A copy of what was kept under the very same basis."""
        place = (basis.monitor_key, basis.start)
        with self._lock:
            known, checks = self._kept.get(place, (None, None))
            if known != basis or checks is None:
                return None
            self._kept.move_to_end(place)
        return checks.copy()

    def keep(self, basis: Basis, checks: Checks) -> None:
        """Keeps a copy, and drops what was not asked for the longest."""
        copied = checks.copy()
        with self._lock:
            self._kept[basis.monitor_key, basis.start] = (basis, copied)
            self._kept.move_to_end((basis.monitor_key, basis.start))
            if len(self._kept) > self._capacity:
                self._kept.popitem(last=False)
