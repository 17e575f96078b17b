"""The one deadline of an attempt: everything it does has to fit into it."""

from __future__ import annotations

import math
from time import monotonic
from typing import NamedTuple


class Deadline(NamedTuple):
    """An instant of the monotonic clock, and the time-out it came from for texts."""

    at: float
    timeout_ms: int

    @classmethod
    def after(cls, timeout_ms: int) -> Deadline:
        return cls(monotonic() + timeout_ms / 1000, timeout_ms)

    def rest_seconds(self) -> float:
        """What is left, never negative."""
        return max(self.at - monotonic(), 0.0)

    def rest_ms(self) -> int:
        """The same in whole milliseconds, at least one: to libcurl zero means for ever."""
        return max(math.ceil((self.at - monotonic()) * 1000), 1)
