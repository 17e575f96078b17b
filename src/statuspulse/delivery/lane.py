"""One destination as the dispatcher sees it: places, pace and breaker."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from statuspulse.domain.times import MINUTE, SECOND

PLACES = 4

_FAILURES_LIMIT = 5
_FIRST_BREAK = 30 * SECOND
_LONGEST_BREAK = 5 * MINUTE
# So many messages a minute are told one by one; what comes above that is a storm.
_CALM_LIMIT = 5
_STORM_WINDOW = MINUTE
_DIGEST_SPACING = 30 * SECOND


@dataclass(slots=True)
class Lane:
    """How much the destination takes. Lives in memory: after a restart a dead receiver is tried a few times more."""

    under_way: int = 0
    failures: int = 0
    breaks: int = 0
    opens_at: int = 0
    on_trial: bool = False
    storm_until: int = 0
    _told: deque[int] = field(default_factory=lambda: deque(maxlen=_CALM_LIMIT))

    @property
    def is_broken(self) -> bool:
        """The breaker is open: one trial at a time, each after a break, and rows that wait lose no attempt."""
        return self.failures >= _FAILURES_LIMIT

    @property
    def has_place(self) -> bool:
        return self.under_way < (1 if self.is_broken else PLACES)

    def takes(self, now: int) -> bool:
        """Whether one more message may be handed over now."""
        return self.has_place and now >= self.opens_at

    def is_idle(self, now: int) -> bool:
        """There is nothing to remember of it."""
        return self.under_way == 0 and self.failures == 0 and now >= self.opens_at and not self.remembers(now)

    def remembers(self, now: int) -> bool:
        """Whether what was told lately still counts."""
        return self.is_in_storm(now) or (bool(self._told) and now - self._told[-1] < _STORM_WINDOW)

    def is_in_storm(self, now: int) -> bool:
        """What is owed is told together, one message each half minute."""
        return now < self.storm_until

    def count(self, now: int, messages: int) -> None:
        """A message has arrived that stands for so many."""
        self._told.append(now)
        full = len(self._told) == _CALM_LIMIT and now - self._told[0] < _STORM_WINDOW
        if messages > 1 or (full and not self.is_in_storm(now)):
            self.storm_until = now + _STORM_WINDOW
        if self.is_in_storm(now):
            self.opens_at = max(self.opens_at, now + _DIGEST_SPACING)

    def enter(self, now: int, spacing: int) -> None:
        """A message is being handed over; the next one waits for `spacing` ms."""
        self.under_way += 1
        self.on_trial = self.is_broken
        self.opens_at = max(self.opens_at, now + spacing)

    def leave(self) -> None:
        """A message is no longer under way, whatever came of it."""
        self.under_way -= 1

    def answered(self) -> None:
        """The receiver is there, whether it took the message or refused it."""
        self.failures = 0
        self.breaks = 0

    def failed(self, now: int, told: int) -> None:
        """The receiver is sick; `told` is for how long it asked to be left alone (ms)."""
        # Those that were under way when the breaker opened say nothing new.
        is_news = self.on_trial or not self.is_broken
        self.failures += 1
        if self.is_broken and is_news:
            self.opens_at = max(self.opens_at, now + min(_FIRST_BREAK << self.breaks, _LONGEST_BREAK))
            self.breaks = min(self.breaks + 1, _FAILURES_LIMIT)
        self.opens_at = max(self.opens_at, now + told)
