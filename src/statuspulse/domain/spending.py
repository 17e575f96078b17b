"""Time that was bad, ready to be asked how much of it lies in any stretch; all in integer milliseconds."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Spending:
    """Disjoint pieces (start, end, bad), ascending: of the time from start to end so much was bad, evenly spread.

    What lies in two neighbouring stretches is exactly what lies in both together.
    """

    def __init__(self, pieces: Iterable[tuple[int, int, int]] = ()) -> None:
        self._pieces = [piece for piece in pieces if piece[0] < piece[1] and piece[2] > 0]
        self._starts = [start for start, _, _ in self._pieces]
        self._before = [0, *accumulate(bad for _, _, bad in self._pieces)]

    def between(self, start: int, end: int) -> int:
        """How much of [start, end) was bad."""
        return self._up_to(end) - self._up_to(start) if start < end else 0

    def until(self, at: int) -> Spending:
        """The same without what lies behind the instant."""
        return Spending(
            (start, min(end, at), bad if end <= at else bad * (at - start) // (end - start))
            for start, end, bad in self._pieces
            if start < at
        )

    def reaches(self, start: int, amount: int) -> int | None:
        """The first instant up to which so much was bad since `start`; None where it never is."""
        wanted = self._up_to(start) + amount
        place = bisect_left(self._before, wanted)
        if place >= len(self._before):
            return None
        if place == 0 or amount <= 0:
            return start
        begun, end, bad = self._pieces[place - 1]
        return begun + -(-(wanted - self._before[place - 1]) * (end - begun) // bad)

    def _up_to(self, at: int) -> int:
        place = bisect_right(self._starts, at)
        if place == 0:
            return 0
        start, end, bad = self._pieces[place - 1]
        return self._before[place - 1] + (bad if at >= end else bad * (at - start) // (end - start))
