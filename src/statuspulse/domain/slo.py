"""Service level objectives: what was promised, over which period, and how fast it may be used up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Any

from statuspulse.domain.periods import month_around
from statuspulse.domain.times import DAY, SECOND

# An objective of 99.95 % is 99_950_000 of these; what it allows to be bad is the rest.
WHOLE = 100_000_000
_PER_PERCENT = WHOLE // 100
# The contract's bound: what burns for less than this in the long window is one recheck and no alarm.
LEAST_BAD = 60 * SECOND
RATE_UNITS = 100


class Kind(StrEnum):
    """What an objective is about."""

    AVAILABILITY = "availability"
    LATENCY = "latency"


class Window(StrEnum):
    """Over which time an objective is held: one that ends now, or the month of a time zone."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"
    CALENDAR_MONTH = "calendar_month"


_LENGTHS = {Window.DAY: DAY, Window.WEEK: 7 * DAY, Window.MONTH: 30 * DAY, Window.QUARTER: 90 * DAY}


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch [start, end) over which an objective is held; the end may lie ahead."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two windows (ms) that both have to burn faster than `rate` hundredths; the short one ends the alarm soon."""

    name: str
    rate: int
    long: int
    short: int


# The pairs of the Site Reliability Workbook (Google 2018, chapter 5, table 5-8), the fastest first.
USUAL_ALERTING: dict[str, dict[str, float]] = {
    "fast": {"burn_rate": 14.4, "long": 3600, "short": 300},
    "slow": {"burn_rate": 6.0, "long": 21_600, "short": 1800},
    "ticket": {"burn_rate": 1.0, "long": 259_200, "short": 21_600},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was promised. `allowance` is the share that may be bad, of WHOLE; the pairs stand fastest first."""

    kind: Kind
    allowance: int
    window: Window
    zone: tzinfo
    pairs: tuple[Pair, ...]

    @property
    def is_rolling(self) -> bool:
        return self.window is not Window.CALENDAR_MONTH

    def period_at(self, now: int) -> Period:
        """The period that holds now."""
        if self.window is Window.CALENDAR_MONTH:
            return Period(*month_around(now, self.zone))
        return Period(now - _LENGTHS[self.window], now)


def allowance_of(objective_pct: float) -> int:
    """The share of WHOLE that may be bad under an objective in percent with up to six decimals."""
    return WHOLE - round(objective_pct * _PER_PERCENT)


def pairs_of(alerting: Mapping[str, Mapping[str, Any] | None]) -> tuple[Pair, ...]:
    """The pairs of burn rates that are switched on, the fastest first; windows in seconds become ms."""
    return tuple(sorted(_pairs(alerting), key=lambda pair: -pair.rate))


def _pairs(alerting: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Pair]:
    for name, told in alerting.items():
        if told is not None:
            yield Pair(
                name=name,
                rate=round(told["burn_rate"] * RATE_UNITS),
                long=int(told["long"]) * SECOND,
                short=int(told["short"]) * SECOND,
            )
