"""When a message that was not taken is handed over again: a ladder of waits, and `Retry-After` (RFC 9110, 10.2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from statuspulse.domain.times import DAY, MINUTE, SECOND, from_datetime

_SPREAD = 0.2
# More digits than any wait that is honoured has; beyond some thousands int() itself refuses.
_DIGITS_LIMIT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAfter:
    """A receiver's wish to be left alone for a while: the header's text, and the same answer's `Date`."""

    text: str
    answered: str | None

    def wait(self, now: int) -> int | None:
        """The wait in ms, 0 for a past date; None for a text that is neither seconds nor a date.

        A date counts from the answer's own `Date`, because our clock or the receiver's may be wrong (RFC 9110, 10.2.3).
        """
        text = self.text.strip()
        if text.isascii() and text.isdecimal():
            return int(text[:_DIGITS_LIMIT]) * SECOND
        until = _instant(text)
        if until is None:
            return None
        answered = None if self.answered is None else _instant(self.answered)
        return max(0, until - (now if answered is None else answered))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The waits (ms) after each failed attempt, the last one for ever; `lifetime` after which nobody tries again."""

    waits: tuple[int, ...]
    lifetime: int
    longest_told: int

    def next_attempt(
        self, *, attempts: int, owed_at: int, now: int, jitter: float, retry_after: RetryAfter | None
    ) -> int | None:
        """When to try again after `attempts` failed ones, ± 20 % by `jitter` in [0, 1); None for never.

        The last attempt is made when the lifetime ends. What the receiver asks for wins, up to `longest_told`; no
        wait at all is nothing to ask for.
        """
        ends_at = owed_at + self.lifetime
        if now >= ends_at:
            return None
        told = None if retry_after is None else retry_after.wait(now)
        if told:
            return now + min(told, self.longest_told)
        wait = self.waits[min(attempts, len(self.waits)) - 1]
        return min(now + round(wait * (1 - _SPREAD + 2 * _SPREAD * jitter)), ends_at)


# The first attempt is made at once.
CHANNELS = Ladder(
    waits=(5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE), lifetime=DAY, longest_told=15 * MINUTE
)


def _instant(text: str) -> int | None:
    """An HTTP date in any of its three forms (ms)."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # Two of the forms name no zone: HTTP dates are UTC.
    return from_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
