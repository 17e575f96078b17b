"""What uptime is made of: stretches of one state, holes in what was seen, and sums in ms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from statuspulse.domain.health import State

_FOUR_DECIMALS = 10**4


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch [start, end) of one state."""

    start: int
    end: int
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch [start, end) in which one region saw nothing."""

    region: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Milliseconds per kind of time; together they are the window since creation, exactly."""

    up: int = 0
    degraded: int = 0
    down: int = 0
    unknown: int = 0
    maintenance: int = 0
    paused: int = 0

    @property
    def window(self) -> int:
        return self.up + self.degraded + self.down + self.unknown + self.maintenance + self.paused

    @property
    def measured(self) -> int:
        return self.up + self.degraded + self.down

    @property
    def uptime_pct(self) -> float | None:
        """Share of the measured time that was up or degraded; None where nothing was measured."""
        return floored_pct(self.up + self.degraded, self.measured)

    def coverage_pct(self, full_window: int) -> float | None:
        """Share of the full window, maintenance and pause excluded, that was measured."""
        return floored_pct(self.measured, full_window - self.maintenance - self.paused)


def floored_pct(part: int, whole: int) -> float | None:
    """Rounded down to four decimals in integers: 99.99996 never prints 100."""
    if whole <= 0:
        return None
    return part * 100 * _FOUR_DECIMALS // whole / _FOUR_DECIMALS


def blind_spans(unseen: Sequence[Span], regions: int) -> Iterator[tuple[int, int]]:
    """The disjoint stretches that fewer than half of the regions saw, ascending; one region's spans do not overlap."""
    edges = sorted([(span.start, 1) for span in unseen] + [(span.end, -1) for span in unseen])
    blind = 0
    began: int | None = None
    for at, step in edges:
        blind += step
        too_few = 2 * (regions - blind) < regions
        if too_few and began is None:
            began = at
        elif not too_few and began is not None:
            yield began, at
            began = None
