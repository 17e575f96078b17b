"""Hours of the week in a zone: when a step or a rule applies (`API.md` C.4, D.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from statuspulse.domain.times import to_datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY_MINUTES = 24 * 60


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
        """Reads {timezone, days, from, to}, which has been checked."""
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


def minutes_of(text: str) -> int:
    """Minutes since midnight of "HH:MM"."""
    hours, minutes = text.split(":")
    return (60 * int(hours) + int(minutes)) % _DAY_MINUTES


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall time: the first of two in autumn, shifted forward where spring has none (WIRE 20)."""
    aware = wall.replace(tzinfo=zone, fold=0)
    offset = aware.utcoffset() or timedelta(0)
    return (wall - offset).replace(tzinfo=ZoneInfo("UTC"))
