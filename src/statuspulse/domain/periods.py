"""Edges of the buckets that a window is shown in: 5 minutes and hours of UTC; days, weeks and months of a zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from statuspulse.domain.rollup import FINEST, floor
from statuspulse.domain.times import DAY, HOUR, from_datetime, to_datetime


class Width(StrEnum):
    """How long a bucket is; a day of a clock change has 23 or 25 hours, or another odd length."""

    FIVE_MINUTES = "5m"
    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"
    MONTH = "1mo"


# How long (ms) a bucket is at most, but for the hour that a clock may be set back.
LONGEST = {
    Width.FIVE_MINUTES: FINEST,
    Width.HOUR: HOUR,
    Width.DAY: DAY,
    Width.WEEK: 7 * DAY,
    Width.MONTH: 31 * DAY,
}


def edges(start: int, end: int, width: Width, zone: tzinfo) -> list[int]:
    """`start`, every edge of the buckets inside (start, end), and `end`. Weeks begin on Monday (ISO 8601)."""
    return [start, *_inside(start, end, width, zone), end]


def _inside(start: int, end: int, width: Width, zone: tzinfo) -> Iterator[int]:
    if width in (Width.FIVE_MINUTES, Width.HOUR):
        step = LONGEST[width]
        yield from range(floor(start, step) + step, end, step)
        return
    day = _first_day(to_datetime(start).astimezone(zone), width)
    while (at := from_datetime(day)) < end:
        if at > start:
            yield at
        day = _following(day, width)


def _first_day(moment: datetime, width: Width) -> datetime:
    # Where a clock change skips midnight, fold 0 stands for the very instant of the change (PEP 495).
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if width is Width.WEEK:
        return midnight - timedelta(days=midnight.weekday())
    return midnight.replace(day=1) if width is Width.MONTH else midnight


def _following(day: datetime, width: Width) -> datetime:
    """The wall clock's next one: adding to an aware time moves its wall clock."""
    if width is Width.MONTH:
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if width is Width.WEEK else 1)


def month_around(at: int, zone: tzinfo) -> tuple[int, int]:
    """The month of a zone that the instant lies in, as [start, end) in ms."""
    first = _first_day(to_datetime(at).astimezone(zone), Width.MONTH)
    return from_datetime(first), from_datetime(_following(first, Width.MONTH))


def month_of(year: int, month: int, zone: tzinfo) -> tuple[int, int]:
    """A month of a zone as [start, end) in ms."""
    first = datetime(year, month, 1, tzinfo=zone)
    return from_datetime(first), from_datetime(_following(first, Width.MONTH))
