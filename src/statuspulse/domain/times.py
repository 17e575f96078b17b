"""Instants: integer milliseconds since the Unix epoch inside, RFC 3339 text at the edge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_datetime(at: int) -> datetime:
    """The instant as a datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=at)


def from_datetime(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def to_text(at: int) -> str:
    """RFC 3339 in UTC with `Z` and milliseconds, as every answer prints times (`API.md` B.2)."""
    return to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


def from_text(text: str) -> int:
    """Reads RFC 3339 with an offset; a naive or malformed time raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset, for example 2026-11-23T06:20:00Z")
    return from_datetime(moment)
