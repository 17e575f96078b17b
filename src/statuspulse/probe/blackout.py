"""The blackout brake: most monitors of a probe fail at once, and it suspects itself first. Pure."""

from __future__ import annotations

from heapq import heappop, heappush

from statuspulse.domain.times import MINUTE, SECOND

SUSPECT_FOR = 30 * SECOND
_AGAIN_AFTER = 10 * MINUTE
_FEWEST = 10
_SHORTEST_WINDOW = 60 * SECOND


class Blackout:
    """Which monitors were good and which of them have failed since; targets on loopback are not told of here.

    All instants in ms of one clock that never goes back.
    """

    def __init__(self) -> None:
        self._good: set[str] = set()
        # Failing monitors by the instant until which their turn belongs to one event.
        self._failing: dict[str, int] = {}
        self._recent = 0
        self._ends: list[tuple[int, str]] = []
        self._brakes_from = 0
        self.suspect_until = 0

    def passed(self, monitor_id: str) -> None:
        if monitor_id in self._good:
            return
        self._forget_turn(monitor_id)
        self._good.add(monitor_id)

    def failed(self, monitor_id: str, interval: int, now: int) -> bool:
        """Takes a failure; true if from now on the probe is suspect."""
        self._expire(now)
        if monitor_id in self._good:
            self._good.discard(monitor_id)
            until = now + max(_SHORTEST_WINDOW, 2 * interval)
            self._failing[monitor_id] = until
            self._recent += 1
            heappush(self._ends, (until, monitor_id))
        elif monitor_id not in self._failing:
            self._failing[monitor_id] = 0  # it was never seen to be good, so it has not turned
        if now < self._brakes_from or not self._is_blackout():
            return False
        self.suspect_until, self._brakes_from = now + SUSPECT_FOR, now + _AGAIN_AFTER
        return True

    def forget(self, monitor_id: str) -> None:
        """The monitor is not checked here any more."""
        self._good.discard(monitor_id)
        self._forget_turn(monitor_id)

    def is_suspect(self, now: int) -> bool:
        return now < self.suspect_until

    def _is_blackout(self) -> bool:
        monitors = len(self._good) + len(self._failing)
        return monitors >= _FEWEST and 2 * self._recent > monitors

    def _forget_turn(self, monitor_id: str) -> None:
        if self._failing.pop(monitor_id, 0):
            self._recent -= 1

    def _expire(self, now: int) -> None:
        while self._ends and self._ends[0][0] <= now:
            until, monitor_id = heappop(self._ends)
            if self._failing.get(monitor_id) == until:
                self._failing[monitor_id] = 0
                self._recent -= 1
