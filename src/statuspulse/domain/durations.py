"""Lengths of time as people say them."""

from __future__ import annotations

from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND

_UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"))


def compact(length_ms: int) -> str:
    """A length of time in the largest unit that divides it, as Prometheus writes it: `5m`, `6h`, `3d`, `90s`."""
    unit, name = next((unit, name) for unit, name in _UNITS if length_ms % unit == 0 or unit == SECOND)
    return f"{length_ms // unit}{name[0]}"


def duration(length_ms: int) -> str:
    """A length of time in its two largest units, rounded down: `3 hours 12 minutes`, `45 seconds`."""
    rest = max(length_ms, 0)
    parts: list[str] = []
    for unit, name in _UNITS:
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count} {name}" if count == 1 else f"{count} {name}s")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "less than a second"
