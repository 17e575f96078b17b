"""Rollups: results of 5 minutes, an hour or a day in one bucket, and how a window is covered by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from statuspulse.domain.result import Verdict
from statuspulse.domain.sketch import Sketch
from statuspulse.domain.times import DAY, HOUR, MINUTE

FINEST = 5 * MINUTE
# Each width holds a whole number of the one before it, so that buckets merge without remainder (UTC).
WIDTHS = (FINEST, HOUR, DAY)


@dataclass(slots=True)
class Bucket:
    """Counts of scheduled checks by verdict, and the latency of the successful ones; void is no verdict."""

    ok: int = 0
    failed: int = 0
    void: int = 0
    latency: Sketch = field(default_factory=Sketch)

    @property
    def checks(self) -> int:
        return self.ok + self.failed

    def add(self, verdict: Verdict, latency_us: int | None) -> None:
        if verdict is Verdict.VOID:
            self.void += 1
        elif verdict is Verdict.FAILED:
            self.failed += 1
        else:
            self.ok += 1
            if latency_us is not None:
                self.latency.add(latency_us)

    def merge(self, other: Bucket) -> None:
        self.ok += other.ok
        self.failed += other.failed
        self.void += other.void
        self.latency.merge(other.latency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Buckets of one width, from the one that starts at `start` up to the one that ends at `end`."""

    width: int
    start: int
    end: int


def floor(at: int, width: int) -> int:
    """The start of the bucket that the instant lies in."""
    return at - at % width


def edge(start: int, now: int) -> int:
    """Where a window really begins: at the nearest edge of the narrowest buckets that are kept for so long."""
    width = narrowest(start, now)
    return floor(start + width // 2, width)


def narrowest(at: int, now: int) -> int:
    """The width of the narrowest buckets that are kept since the instant."""
    if now - at <= 7 * DAY:
        return FINEST
    return HOUR if now - at <= 90 * DAY else DAY


def cover(start: int, complete: Mapping[int, int]) -> tuple[list[Stretch], int]:
    """The widest buckets from `start` on, and the instant from which only raw results tell.

    `complete` says for each width up to where its buckets exist; `start` lies on an edge.
    """
    stretches: list[Stretch] = []
    at = start
    while at < complete.get(FINEST, 0):
        width = max(width for width in WIDTHS if at % width == 0 and at + width <= complete.get(width, 0))
        begun = at
        if stretches and stretches[-1].width == width:
            begun = stretches.pop().start
        at += width
        stretches.append(Stretch(width=width, start=begun, end=at))
    return stretches, at
