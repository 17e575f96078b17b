"""How long to wait before the next attempt."""

from __future__ import annotations

from random import random

_FIRST_SECONDS = 0.1
_JITTER = 0.25


class Backoff:
    """0.1 s, doubled up to a limit, and up to a quarter less, so that many probes do not come back together."""

    def __init__(self, longest_seconds: float) -> None:
        self._longest = longest_seconds
        self._next = _FIRST_SECONDS

    def grow(self) -> float:
        """Seconds to wait now; the next time it is more."""
        seconds = self._next
        self._next = min(self._next * 2, self._longest)
        return seconds * (1 - _JITTER * random())  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        self._next = _FIRST_SECONDS
