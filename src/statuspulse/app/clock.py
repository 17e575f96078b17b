"""The time of day as the whole product counts it."""

from __future__ import annotations

from time import time_ns


def now_ms() -> int:
    """Milliseconds since 1970 in UTC."""
    return time_ns() // 1_000_000
