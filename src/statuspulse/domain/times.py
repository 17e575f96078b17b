"""Instants: integer milliseconds since the Unix epoch inside, RFC 3339 text at the edge."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FORM = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
_NAIVE = re.compile(_FORM)
_RFC_3339 = re.compile(_FORM + r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")


def to_datetime(at: int) -> datetime:
    """The instant as a datetime in UTC."""
    return _EPOCH + at * _MILLISECOND


def from_datetime(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def to_text(at: int) -> str:
    """RFC 3339 in UTC with `Z` and milliseconds, as every answer prints times."""
    return to_datetime(at).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def from_text(text: str) -> int:
    """Reads RFC 3339 with an offset; a naive or malformed time, or one outside the years 1 to 9999, raises ValueError.

    `fromisoformat` alone takes much more, weeks and bare dates for example.
    """
    if _NAIVE.fullmatch(text):
        raise ValueError("a time needs an offset, for example 2026-11-23T06:20:00Z")
    if not _RFC_3339.fullmatch(text):
        raise ValueError("a time looks like 2026-11-23T06:20:00Z")
    try:
        return from_datetime(datetime.fromisoformat(text.upper()).astimezone(UTC))
    except OverflowError as error:
        raise ValueError("a time lies in the years 1 to 9999") from error
