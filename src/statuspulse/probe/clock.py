"""The clock of the schedule: it never runs backwards, whatever the wall clock does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from statuspulse.domain.times import DAY, SECOND, to_text

_US = 1000
_STEP = SECOND
# Reading two clocks one after the other and rounding make them differ by a little; that is no reason to slew.
_SLEW_ABOVE = 50
_SLEW_UNTIL = 5
_SLOWER = 0.9
_FASTER = 1.1
_FURTHEST_AHEAD = DAY


class ClockBehindError(Exception):
    """The wall clock is so far behind what this probe has lived through already that it must be wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """The wall clock was set forward and the schedule followed: (from, to] was never lived. Milliseconds."""

    from_at: int
    to_at: int


class Clock:
    """Wall time at the start plus monotonic time, kept near the wall without ever going back.

    A wall that is more than 1 s ahead is followed at once; any other difference is slewed away, at 0.9 s per second if
    the wall is behind and at 1.1 if it is ahead. `not_before` is the instant up to which an earlier run has lived;
    ClockBehindError if that is more than a day ahead of the wall.
    """

    def __init__(self, *, wall: Callable[[], int], monotonic: Callable[[], float], not_before: int = 0) -> None:
        now = wall()
        if not_before > now + _FURTHEST_AHEAD:
            raise ClockBehindError(
                f"the clock says {to_text(now)}, but this probe has run until {to_text(not_before)}: set the clock"
            )
        self._wall = wall
        self._monotonic = monotonic
        self._rate = 1.0
        self._base_us = max(now, not_before) * _US
        self._origin = monotonic()

    @property
    def is_ahead(self) -> bool:
        """Whether the wall was set back, so that it may show instants that have been lived already."""
        return self._rate < 1.0

    def now_us(self) -> int:
        """Microseconds since the epoch."""
        return self._base_us + int((self._monotonic() - self._origin) * 1_000_000 * self._rate)

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.now_us() // _US

    def observe(self) -> Step | None:
        """Compares with the wall; has to be called several times a second. A step forward is told."""
        now = self.now()
        wall = self._wall()
        ahead_by = now - wall
        if ahead_by < -_STEP:
            self._continue_at(wall * _US, 1.0)
            return Step(now, wall)
        if self._rate == 1.0:
            is_off = abs(ahead_by) > _SLEW_ABOVE
        else:
            is_off = ahead_by > _SLEW_UNTIL if self._rate < 1.0 else ahead_by < -_SLEW_UNTIL
        rate = 1.0 if not is_off else _SLOWER if ahead_by > 0 else _FASTER
        if rate != self._rate:
            self._continue_at(self.now_us(), rate)
        return None

    def _continue_at(self, base_us: int, rate: float) -> None:
        self._base_us = max(base_us, self.now_us())
        self._origin = self._monotonic()
        self._rate = rate
