"""How well our own process runs: a loop that stood still must not be taken for a target that did not answer."""

from __future__ import annotations

from collections.abc import Callable

_STALL_SECONDS = 2.0
# Delays below this are the daily business of a busy loop and expire no time-out.
_NOTICED_SECONDS = 0.05


class Pulse:
    """Hears from the schedule's task when it wanted to run and when it ran (seconds of the monotonic clock)."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._expected = monotonic()
        self.stalls = 0
        self.lost_seconds = 0.0
        self.lags: list[float] = []

    def expect(self, seconds: float) -> None:
        """The schedule's task sleeps for so long."""
        self._expected = self._monotonic() + seconds

    def beat(self) -> bool:
        """The task is awake; true if the process stood still for more than 2 s before that."""
        lag = self._overdue()
        self.lags.append(lag)
        self._expected = self._monotonic()
        if lag > _NOTICED_SECONDS:
            self.lost_seconds += lag
        if lag > _STALL_SECONDS:
            self.stalls += 1
            return True
        return False

    def stood_still(self, stalls: int) -> bool:
        """Whether the process has stood still since the count was read, even if `beat` does not know of it yet."""
        return self.stalls != stalls or self._overdue() > _STALL_SECONDS

    def lost_since(self, lost_seconds: float) -> float:
        """Seconds for which the loop did not run since the sum was read."""
        overdue = self._overdue()
        return self.lost_seconds - lost_seconds + (overdue if overdue > _NOTICED_SECONDS else 0.0)

    def _overdue(self) -> float:
        return max(self._monotonic() - self._expected, 0.0)
