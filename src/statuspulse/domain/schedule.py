"""A monitor's place in time: a pure function of its id, its interval and the order of its regions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from statuspulse.domain.times import SECOND

PARTITIONS = 32
_LATEST_START = 5 * SECOND


def hashed(key: str, salt: str) -> int:
    """A 64-bit hash; every use has a salt of its own, or partitions would share their seconds."""
    digest = hashlib.blake2b(key.encode(), digest_size=8, person=salt.encode()).digest()
    return int.from_bytes(digest)


class Strategy(StrEnum):
    """Who looks in a round: every region, or one after the other."""

    PARALLEL = "parallel"
    ROTATE = "rotate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The slots of one monitor in one region, in milliseconds; of so many rounds (`every`) one is the region's."""

    phase: int
    offset: int
    interval: int
    every: int = 1

    @classmethod
    def of(
        cls,
        monitor_id: str,
        interval: int,
        region_index: int,
        region_count: int,
        strategy: Strategy = Strategy.PARALLEL,
    ) -> Grid:
        """In parallel each region looks once per interval, the regions spread evenly over it.

        In rotation one region looks per interval: that of round n has the place (n + hash) mod R in the list.
        """
        phase = hashed(monitor_id, "sp-phase") % interval
        if strategy is Strategy.PARALLEL:
            return cls(phase=phase, offset=region_index * interval // region_count, interval=interval)
        first_round = (region_index - hashed(monitor_id, "sp-rotate")) % region_count
        return cls(phase=phase, offset=first_round * interval, interval=interval, every=region_count)

    @property
    def spacing(self) -> int:
        """From one slot of the region to the next (ms)."""
        return self.interval * self.every

    def next_slot(self, after: int) -> int:
        """The first slot strictly after the instant."""
        start = self.phase + self.offset
        return start + ((after - start) // self.spacing + 1) * self.spacing

    def round_of(self, scheduled_at: int) -> int:
        """The number of the turn; the regions of one turn share it."""
        return (scheduled_at - self.phase) // self.interval

    def slots_between(self, after: int, until: int) -> int:
        """How many slots lie in (after, until]."""
        start = self.phase + self.offset
        return max(0, (until - start) // self.spacing - (after - start) // self.spacing)


def first_check_delay(monitor_id: str, interval: int) -> int:
    """A new monitor is looked at once within min(5 s, interval), at a hashed moment."""
    return hashed(monitor_id, "sp-first") % min(_LATEST_START, interval)


def latest_start(interval: int) -> int:
    """How late (ms) a slot may start; later than that it is missed."""
    return min(interval // 2, _LATEST_START)


def next_after_edit(grid: Grid, last_start: int, old_spacing: int, now: int) -> int:
    """The first slot under a new grid, or one bridging slot where the gap would exceed the longer spacing."""
    regular = grid.next_slot(now)
    bridge = max(now, last_start + max(old_spacing, grid.spacing))
    return min(regular, bridge)


def partition(monitor_id: str) -> int:
    """Which of the fixed partitions owns the monitor."""
    return hashed(monitor_id, "sp-part") % PARTITIONS


def owner(monitor_id: str, probe_ids: tuple[str, ...]) -> str:
    """The live probe that runs the monitor: rendezvous hashing, so that a change moves only its own share."""
    return max(probe_ids, key=lambda probe_id: hashed(f"{probe_id}|{monitor_id}", "sp-owner"))
