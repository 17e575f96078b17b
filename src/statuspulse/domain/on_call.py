"""Who is on call at an instant: a rotation of members handed over at a wall time, and exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from statuspulse.domain.hours import instant_of
from statuspulse.domain.times import from_datetime, from_text, to_datetime

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LONGEST_INTERVAL = 366
_NAMES = {"FREQ", "INTERVAL", "BYDAY"}
_FREQUENCIES = {"DAILY", "WEEKLY"}
NAMED = {"daily": "FREQ=DAILY", "weekly": "FREQ=WEEKLY"}


class RotationError(ValueError):
    """No rotation of ours; the text goes on from the name of the member."""


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody else is on call from `start` up to `end` (ms)."""

    start: int
    end: int
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """The days on which a shift begins: some weekdays of every nth week, or every nth day (RFC 5545, 3.3.10).

    Weeks begin on Monday, and the first one is that of the first day.
    """

    is_weekly: bool
    interval: int
    weekdays: frozenset[int]

    @classmethod
    def of(cls, text: str, first: date) -> Pattern:
        """Reads `daily`, `weekly` or an RRULE of FREQ, INTERVAL and BYDAY; raises RotationError for anything else."""
        parts = [part.partition("=") for part in NAMED.get(text, text).split(";")]
        rule = {name: value for name, _, value in parts}
        if len(rule) < len(parts) or not rule.keys() <= _NAMES or rule.get("FREQ") not in _FREQUENCIES:
            raise RotationError(
                'must be "daily", "weekly" or a rule of FREQ=DAILY or FREQ=WEEKLY with INTERVAL and BYDAY'
            )
        weekly = rule["FREQ"] == "WEEKLY"
        days = rule["BYDAY"].split(",") if "BYDAY" in rule else []
        if not set(days) <= set(_WEEKDAYS) or (days and not weekly):
            raise RotationError("takes BYDAY with FREQ=WEEKLY, as in FREQ=WEEKLY;BYDAY=MO,TH")
        interval = rule.get("INTERVAL", "1")
        if not re.fullmatch(r"[0-9]{1,3}", interval) or not 1 <= int(interval) <= _LONGEST_INTERVAL:
            raise RotationError("needs an INTERVAL between 1 and 366")
        weekdays = frozenset(_WEEKDAYS.index(day) for day in days) or {first.weekday()}
        return cls(is_weekly=weekly, interval=int(interval), weekdays=frozenset(weekdays))

    def count(self, first: date, last: date) -> int:
        """How many shifts begin from the first day up to and with the last one."""
        if last < first:
            return 0
        if not self.is_weekly:
            return (last - first).days // self.interval + 1
        monday = first - timedelta(days=first.weekday())
        week = (last - monday).days // 7
        whole = (week + self.interval - 1) // self.interval  # weeks of ours that are over before the last day's week
        count = whole * len(self.weekdays) - sum(day < first.weekday() for day in self.weekdays)
        if week % self.interval == 0:
            count += sum(day <= last.weekday() for day in self.weekdays)
        return count

    def days_from(self, day: date, first: date) -> Iterator[date]:
        """The days on which shifts begin, from a day on."""
        while True:
            if self.count(first, day) > self.count(first, day - timedelta(days=1)):
                yield day
            day += timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Members in turn, each until the next shift begins at `handoff` on the wall of the zone.

    A handoff that the clock skips in spring comes when it has gone on, one that it shows twice in autumn at the first.
    """

    zone: ZoneInfo
    first: date
    handoff: time
    pattern: Pattern
    members: Sequence[str]
    overrides: Sequence[Override] = ()

    @classmethod
    def of(cls, plan: Mapping[str, Any], team_zone: str) -> Rotation:
        """Reads a stored plan, by the zone of the team where it has none; raises RotationError for no rotation."""
        first = date.fromisoformat(plan["starts_on"])
        return cls(
            zone=ZoneInfo(plan["timezone"] or team_zone),
            first=first,
            handoff=time.fromisoformat(plan["handoff"]),
            pattern=Pattern.of(plan["rotation"], first),
            members=plan["members"],
            overrides=[
                Override(from_text(one["start_at"]), from_text(one["end_at"]), one["member"])
                for one in plan["overrides"]
            ],
        )

    def at(self, instant: int) -> str | None:
        """Who is on call; None before the first shift. Of overrides that overlap the last one counts."""
        for override in reversed(self.overrides):
            if override.start <= instant < override.end:
                return override.member
        number = self._begun(instant)
        return self.members[(number - 1) % len(self.members)] if number else None

    def next_handoff(self, instant: int) -> int:
        """When the next shift of the rotation begins (ms)."""
        today = to_datetime(instant).astimezone(self.zone).date()
        days = self.pattern.days_from(max(today - timedelta(days=1), self.first), self.first)
        return next(at for at in map(self._instant, days) if at > instant)

    def _begun(self, instant: int) -> int:
        """How many shifts have begun; no zone is further than a day from the date on its wall."""
        today = to_datetime(instant).astimezone(self.zone).date()
        last = today if self._instant(today) <= instant else today - timedelta(days=1)
        return self.pattern.count(self.first, last)

    def _instant(self, day: date) -> int:
        return from_datetime(instant_of(datetime.combine(day, self.handoff), self.zone))


def names(plan: Mapping[str, Any], member: str) -> bool:
    """Whether a stored plan has the member in its rotation or in an override."""
    return member in plan["members"] or any(one["member"] == member for one in plan["overrides"])
