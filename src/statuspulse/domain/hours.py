"""Hours of the week in a zone: when a step or a rule applies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from statuspulse.domain.times import from_datetime, to_datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY_MINUTES = 24 * 60
# Hours that leave any time of the week end within it.
_DAYS_AHEAD = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Wall time of some days, from `begin` up to and without `end`, in minutes since midnight.

    Where `end` is not behind `begin` the hours go over midnight and belong to the day on which they begin; equal ones
    are a whole day. Clocks that are changed change nothing of it: what counts is what the clock on the wall shows.
    """

    zone: ZoneInfo
    days: frozenset[int]
    begin: int
    end: int

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Hours:
        """Reads {timezone, days, from, to}, which has been checked and has a zone."""
        return cls(
            zone=ZoneInfo(document["timezone"]),
            days=frozenset(DAYS.index(day) for day in document["days"]),
            begin=minutes_of(document["from"]),
            end=minutes_of(document["to"]),
        )

    def hold(self, at: int) -> bool:
        """Whether the instant (ms) lies within."""
        local = to_datetime(at).astimezone(self.zone)
        minute = 60 * local.hour + local.minute
        if self.begin < self.end:
            return local.weekday() in self.days and self.begin <= minute < self.end
        today = local.weekday() in self.days and minute >= self.begin
        return today or ((local.weekday() - 1) % 7 in self.days and minute < self.end)

    def end_after(self, at: int) -> int:
        """When the hours that hold at the instant end (ms): the first end of a day behind it at which none hold.

        An end that the clock skips in spring comes when it has gone on; of one that it shows twice in autumn the first
        counts that leaves the hours.
        """
        today = to_datetime(at).astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        walls = [today + timedelta(days=day, minutes=self.end) for day in range(-1, _DAYS_AHEAD)]
        ends = sorted(from_datetime(instant_of(wall, self.zone, fold=fold)) for wall in walls for fold in (0, 1))
        return next(end for end in ends if end > at and not self.hold(end))


def in_zone(document: Mapping[str, Any] | None, zone: str) -> dict[str, Any] | None:
    """The hours with a zone: their own, or else this one."""
    return None if document is None else {**document, "timezone": document["timezone"] or zone}


def minutes_of(text: str) -> int:
    """Minutes since midnight of "HH:MM"."""
    hours, minutes = text.split(":")
    return (60 * int(hours) + int(minutes)) % _DAY_MINUTES


def instant_of(wall: datetime, zone: ZoneInfo, *, fold: Literal[0, 1] = 0) -> datetime:
    """The instant of a wall time: the first of two in autumn unless `fold` is 1, shifted forward where spring has none.

    That is how RFC 5545, 3.3.5, reads local times. Raises OverflowError where the zone leads out of the
    years 1 to 9999.
    """
    aware = wall.replace(tzinfo=zone, fold=fold)
    offset = aware.utcoffset() or timedelta(0)
    return (wall - offset).replace(tzinfo=ZoneInfo("UTC"))
