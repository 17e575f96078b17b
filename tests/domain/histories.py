"""Random histories of one monitor, and what they mean for a budget, worked out anew and by other means.

Nothing of `domain.budget` is used: sums are taken stretch by stretch, and instants of crossing are found between the
corners of what is linear in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from itertools import pairwise
from random import Random

from statuspulse.domain.health import State
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.domain.uptime import Interval

BEGUN = int(datetime(2026, 3, 3, 7, 11, tzinfo=UTC).timestamp() * 1000)


@dataclass(frozen=True)
class History:
    """What held from BEGUN to `end`, without a gap."""

    stretches: tuple[Interval, ...]
    end: int

    def time_in(self, states: frozenset[State], start: int, end: int) -> int:
        return sum(max(0, min(one.end, end) - max(one.start, start)) for one in self.stretches if one.state in states)


def random_history(random: Random, days: int) -> History:
    """Mostly up; outages from seconds to hours, and now and then time that is unknown, planned or paused."""
    stretches: list[Interval] = []
    at = BEGUN
    end = BEGUN + days * DAY
    bad_share = random.choice([0.5, 1.0, 3.0])
    while at < end:
        up = random.randrange(MINUTE, int(4 * DAY / bad_share))
        kind = random.choices(
            [State.DOWN, State.DEGRADED, State.UNKNOWN, State.MAINTENANCE, State.PAUSED], [6, 1, 2, 1, 1]
        )[0]
        length = (
            int(random.choice([SECOND, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR]) * random.uniform(0.2, 2) * bad_share) + 1
        )
        for state, lasted in ((State.UP, up), (kind, length)):
            until = min(at + lasted, end)
            if until > at:
                stretches.append(Interval(start=at, end=until, state=state))
            at = until
    return History(tuple(stretches), end)


PLANNED = frozenset({State.MAINTENANCE, State.PAUSED})
GOOD = frozenset({State.UP, State.DEGRADED})
DOWN = frozenset({State.DOWN})


def months(zone: tzinfo, start: int, end: int) -> list[tuple[int, int]]:
    """The months of the zone that touch [start, end)."""
    at = datetime.fromtimestamp(start / 1000, zone)
    year, month = at.year, at.month
    found: list[tuple[int, int]] = []
    while True:
        first = int(datetime(year, month, 1, tzinfo=zone).timestamp() * 1000)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        following = int(datetime(year, month, 1, tzinfo=zone).timestamp() * 1000)
        if first >= end:
            return found
        found.append((first, following))


@dataclass(frozen=True)
class Oracle:
    """`allowed` is the share that may be bad; `length` that of a rolling window (ms), None for months of the zone.

    Nobody looks before `begun`.
    """

    history: History
    allowed: Fraction
    length: int | None
    zone: tzinfo
    begun: int = BEGUN

    def period(self, now: int) -> tuple[int, int]:
        if self.length is not None:
            return now - self.length, now
        return next((start, end) for start, end in months(self.zone, self.begun, now + 1) if start <= now < end)

    def over(self, now: int) -> Fraction:
        """How much more than the budget is spent (ms); at most 0 while it is not."""
        start, end = self.period(now)
        return self._spent(start, now) - self.allowed * self._basis(start, end, now)

    def is_over(self, now: int) -> bool:
        return self.over(now) > 0

    def is_well_below(self, now: int) -> bool:
        """Whether less than nine tenths are spent, and something good was seen."""
        start, end = self.period(now)
        above = self._spent(start, now) - Fraction(9, 10) * self.allowed * self._basis(start, end, now)
        return above < 0 and self.history.time_in(GOOD, start, now) > 0

    def _spent(self, start: int, now: int) -> Fraction:
        return Fraction(self.history.time_in(DOWN, start, now))

    def _basis(self, start: int, end: int, now: int) -> int:
        return end - start - self.history.time_in(PLANNED, start, now)

    def breaches(self) -> list[tuple[int, int | None]]:
        """(when the budget ended, when the breach was over), each the first instant at which it was so."""
        found: list[tuple[int, int | None]] = []
        begun: int | None = None
        told: int | None = None
        for low, high in pairwise(self._corners()):
            at: int | None = low
            while at is not None:
                may_break = begun is None if self.length is not None else told != self.period(at)[0]
                broken = _first(self.is_over, at, high) if may_break else None
                mended = None if begun is None else _first(self.is_well_below, at, high)
                if broken is not None and (mended is None or broken < mended):
                    if begun is not None:
                        found.append((begun, None))  # the next month began without a good moment
                    begun, told, at = broken, self.period(broken)[0], broken
                elif mended is not None and begun is not None:
                    found.append((begun, mended))
                    begun, at = None, mended
                else:
                    at = None
        if begun is not None:
            found.append((begun, None))
        return found

    def _corners(self) -> list[int]:
        edges = {self.begun, self.history.end}
        for one in self.history.stretches:
            edges |= {one.start, one.end}
            if self.length is not None:
                edges |= {one.start + self.length, one.end + self.length}
        if self.length is None:
            edges |= {start for start, _ in months(self.zone, self.begun, self.history.end)}
        return sorted(at for at in edges if self.begun <= at <= self.history.end)


def _first(holds: Callable[[int], bool], low: int, high: int) -> int | None:
    """The first whole instant in [low, high) at which it holds, where it holds from then on or never."""
    if not holds(high - 1):
        return low if holds(low) else None
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
