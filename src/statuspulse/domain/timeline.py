"""What held when: decided states where somebody looked, and unknown where nobody did."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from statuspulse.domain.health import State
from statuspulse.domain.maintenance import union
from statuspulse.domain.uptime import Interval, Span, Sums, blind_spans

PLANNED = frozenset({State.PAUSED, State.MAINTENANCE})
# States in which nothing was decided.
UNDECIDED = frozenset({State.UNKNOWN, State.PENDING})


@dataclass(frozen=True, slots=True)
class Timeline:
    """Disjoint stretches, ascending. Checks are never counted: time is weighed by what held."""

    stretches: Sequence[Interval]

    @classmethod
    def of(
        cls, intervals: Iterable[Interval], unseen: Sequence[Span], regions: int, late: Sequence[Interval]
    ) -> Timeline:
        """Of decided intervals, ascending; holes of the regions that look; and what late results told, ascending.

        Pending is unknown, and so is what fewer than half of the regions saw, however short. Late results say what
        held in that time, and in no other.
        """
        blind = [Interval(start=start, end=end, state=State.UNKNOWN) for start, end in blind_spans(unseen, regions)]
        return cls(list(_resolved(intervals, _Places(blind), _Places(late))))

    def with_maintenance(self, planned: Sequence[tuple[int, int]]) -> Timeline:
        """The same where windows take time out of it: whatever was seen in theirs, but a pause is one still."""
        laid = _Places([Interval(start=start, end=end, state=State.MAINTENANCE) for start, end in union(planned)])
        return Timeline(list(_planned(self.stretches, laid)))

    def within(self, start: int, end: int) -> Iterator[Interval]:
        """The stretches that touch [start, end), cut to it."""
        place = max(0, bisect_right(self.stretches, start, key=_start) - 1)
        for stretch in self.stretches[place:]:
            if stretch.start >= end:
                return
            if stretch.end > start:
                low, high = max(stretch.start, start), min(stretch.end, end)
                yield Interval(start=low, end=high, state=stretch.state)

    def sums(self, start: int, end: int) -> Sums:
        """Milliseconds of each kind in [start, end); together they are the time since creation, exactly."""
        totals = dict.fromkeys(State, 0)
        for stretch in self.within(start, end):
            totals[stretch.state] += stretch.end - stretch.start
        return Sums(
            up=totals[State.UP],
            degraded=totals[State.DEGRADED],
            down=totals[State.DOWN],
            unknown=totals[State.UNKNOWN],
            maintenance=totals[State.MAINTENANCE],
            paused=totals[State.PAUSED],
        )

    def outages(self, start: int, end: int) -> int:
        """How many outages began in [start, end): down where it was not down just before.

        One that a window interrupts is one, though the time of the window is none of it.
        """
        began, down_until = 0, None
        for stretch in self.stretches:
            if stretch.start >= end:
                break
            continues = stretch.start == down_until
            if stretch.state is State.DOWN and stretch.start >= start and not continues:
                began += 1
            if stretch.state is State.DOWN or (stretch.state is State.MAINTENANCE and continues):
                down_until = stretch.end
        return began


class _Places:
    """Disjoint intervals, ascending, that can be asked for a stretch: there may be many of them."""

    def __init__(self, intervals: Sequence[Interval]) -> None:
        self._intervals = intervals
        self._ends = [interval.end for interval in intervals]

    def touching(self, start: int, end: int) -> Iterator[Interval]:
        for interval in self._intervals[bisect_right(self._ends, start) :]:
            if interval.start >= end:
                return
            yield Interval(start=max(interval.start, start), end=min(interval.end, end), state=interval.state)


def _resolved(intervals: Iterable[Interval], blind: _Places, late: _Places) -> Iterator[Interval]:
    for interval in intervals:
        if interval.start >= interval.end:
            continue
        if interval.state in PLANNED:
            yield interval
        elif interval.state in UNDECIDED:
            yield from _told(interval.start, interval.end, late)
        else:
            for part in _laid_over(interval, blind.touching(interval.start, interval.end)):
                if part.state is State.UNKNOWN:
                    yield from _told(part.start, part.end, late)
                else:
                    yield part


def _planned(stretches: Iterable[Interval], laid: _Places) -> Iterator[Interval]:
    for stretch in stretches:
        if stretch.state is State.PAUSED:
            yield stretch
        else:
            yield from _laid_over(stretch, laid.touching(stretch.start, stretch.end))


def _told(start: int, end: int, late: _Places) -> Iterator[Interval]:
    """A stretch that nobody saw in time, with what late results say of it."""
    unknown = Interval(start=start, end=end, state=State.UNKNOWN)
    yield from _laid_over(unknown, late.touching(start, end))


def _laid_over(ground: Interval, pieces: Iterable[Interval]) -> Iterator[Interval]:
    """The pieces, and the ground where it shows between them."""
    at = ground.start
    for piece in pieces:
        if at < piece.start:
            yield Interval(start=at, end=piece.start, state=ground.state)
        yield piece
        at = piece.end
    if at < ground.end:
        yield Interval(start=at, end=ground.end, state=ground.state)


def _start(interval: Interval) -> int:
    return interval.start
