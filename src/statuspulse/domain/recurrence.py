"""Recurrence rules: which days one of RFC 5545, 3.3.10 means, in the part of it that windows take.

Every period of a rule is found without those before it, so that an old rule costs as much as a new one and a rule that
never comes true ends. Only COUNT needs the days from the first on.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from statuspulse.domain.times import from_datetime

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# A rule that does not come true for so long never does, whatever the calendar of Gregory would still bring.
HORIZON = timedelta(days=50 * 366)
LONGEST_INTERVAL = 366
MOST_COUNTED = 1000
_MOST_POSITIONS = 5
_LAST_YEAR = 9998
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_NUMBER = re.compile(r"[+-]?[0-9]{1,5}")


class RuleError(ValueError):
    """No rule of ours; the text goes on from the name of the member."""


class Frequency(StrEnum):
    """How long a period is, before the interval."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week, Monday is 0; the nth of month or year from its beginning or, below 0, its end; 0 is each."""

    nth: int
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The parts of a rule. `until` is the last instant (ms) at which something may begin."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: int | None = None
    weekdays: tuple[Weekday, ...] = ()
    month_days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    positions: frozenset[int] = frozenset()
    week_start: int = 0

    @classmethod
    def of(cls, text: str) -> Rule:
        """Reads a rule; raises RuleError for what is none, or one of more than the part that we take."""
        parts = [part.partition("=") for part in text.upper().split(";")]
        given = {name: value for name, _, value in parts}
        if len(given) < len(parts):
            raise RuleError("names a part twice")
        if unknown := [name for name in given if name not in _PARTS]:
            raise RuleError(f'must not have "{unknown[0][:20]}"; a rule is made of {", ".join(_PARTS)}')
        if given.get("FREQ") not in set(Frequency):
            raise RuleError(f"needs FREQ, one of {', '.join(Frequency)}")
        rule = cls(
            frequency=Frequency(given["FREQ"]),
            interval=_number(given, "INTERVAL", 1, LONGEST_INTERVAL) or 1,
            count=_number(given, "COUNT", 1, MOST_COUNTED),
            until=_until(given.get("UNTIL")),
            weekdays=tuple(_weekday(one) for one in _several(given, "BYDAY")),
            month_days=_numbers(given, "BYMONTHDAY", 31, negative=True),
            months=_numbers(given, "BYMONTH", 12, negative=False),
            positions=_numbers(given, "BYSETPOS", _MOST_POSITIONS, negative=True),
            week_start=_week_start(given.get("WKST", "MO")),
        )
        _check(rule)
        return rule

    def days(self, first: date, since: date) -> Iterator[date]:
        """The days that the rule means from `since` on, ascending; `first` is the day of the beginning.

        Neither COUNT nor UNTIL ends them here. Nothing is looked for beyond the horizon behind `since`.
        """
        completed = self._completed(first)
        if completed is not self:
            yield from completed.days(first, since)
            return
        since = max(first, since)
        number = self._number_of(first, since)
        while True:
            period = self._period(first, number)
            if period is None or period[0] - since > HORIZON:
                return
            for day in self._days_of(period):
                if day >= since:
                    yield day
            number = max(number + 1, self._number_of(first, self._month_meant(period[1])))

    def _month_meant(self, day: date) -> date:
        """The day itself, or the first of the next month where its own is not meant: years may lie between two."""
        return _next_month(day) if self.months and day.month not in self.months else day

    def _completed(self, first: date) -> Rule:
        """What a rule leaves open is as on the first day."""
        if self.weekdays or self.month_days or self.frequency is Frequency.DAILY:
            return self
        if self.frequency is Frequency.WEEKLY:
            return replace(self, weekdays=(Weekday(0, first.weekday()),))
        months = self.months
        if self.frequency is Frequency.YEARLY and not months:
            months = frozenset({first.month})
        return replace(self, month_days=frozenset({first.day}), months=months)

    def _number_of(self, first: date, day: date) -> int:
        """The number of the last period of the rule that begins by the day."""
        return self._passed(first, day) // self.interval

    def _passed(self, first: date, day: date) -> int:
        """How many periods, before the interval, lie between those of two days."""
        match self.frequency:
            case Frequency.DAILY:
                return (day - first).days
            case Frequency.WEEKLY:
                return (self._week_of(day) - self._week_of(first)).days // 7
            case Frequency.MONTHLY:
                return 12 * (day.year - first.year) + day.month - first.month
            case Frequency.YEARLY:
                return day.year - first.year

    def _period(self, first: date, number: int) -> tuple[date, date] | None:
        """The first and the last day of a period; None where the calendar ends."""
        try:
            begin, end = self._ends(first, number * self.interval)
        except (ValueError, OverflowError):
            return None
        return None if end.year > _LAST_YEAR else (begin, end)

    def _ends(self, first: date, step: int) -> tuple[date, date]:
        match self.frequency:
            case Frequency.DAILY:
                return first + timedelta(days=step), first + timedelta(days=step)
            case Frequency.WEEKLY:
                begin = self._week_of(first) + timedelta(weeks=step)
                return begin, begin + timedelta(days=6)
            case Frequency.MONTHLY:
                months = 12 * first.year + first.month - 1 + step
                begin = date(months // 12, months % 12 + 1, 1)
                return begin, begin.replace(day=monthrange(begin.year, begin.month)[1])
            case Frequency.YEARLY:
                return date(first.year + step, 1, 1), date(first.year + step, 12, 31)

    def _week_of(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self.week_start) % 7)

    def _days_of(self, period: tuple[date, date]) -> list[date]:
        days = [day for day in self._candidates(*period) if self._is_meant(day)]
        if not self.positions:
            return days
        places = {place - 1 if place > 0 else len(days) + place for place in self.positions}
        return [day for place, day in enumerate(days) if place in places]

    def _candidates(self, begin: date, end: date) -> Iterator[date]:
        """The days of the months that are meant: whole months are passed over."""
        day = begin
        while day <= end:
            if self.months and day.month not in self.months:
                day = _next_month(day)
            else:
                yield day
                day += timedelta(days=1)

    def _is_meant(self, day: date) -> bool:
        length = monthrange(day.year, day.month)[1]
        if self.month_days and self.month_days.isdisjoint({day.day, day.day - length - 1}):
            return False
        return not self.weekdays or any(self._is_on(day, weekday, length) for weekday in self.weekdays)

    def _is_on(self, day: date, weekday: Weekday, month_length: int) -> bool:
        if day.weekday() != weekday.day:
            return False
        if weekday.nth == 0:
            return True
        passed, length = day.day - 1, month_length
        if self.frequency is Frequency.YEARLY and not self.months:
            begun = date(day.year, 1, 1)
            passed, length = (day - begun).days, (date(day.year + 1, 1, 1) - begun).days
        nth = passed // 7 + 1 if weekday.nth > 0 else -((length - 1 - passed) // 7 + 1)
        return nth == weekday.nth


_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST")


def _check(rule: Rule) -> None:
    """Parts that mean nothing together."""
    by_month = rule.frequency in {Frequency.MONTHLY, Frequency.YEARLY}
    if rule.count is not None and rule.until is not None:
        raise RuleError("must have COUNT or UNTIL and not both")
    if not by_month and any(weekday.nth for weekday in rule.weekdays):
        raise RuleError(f"takes days without number in BYDAY with FREQ={rule.frequency}, as in BYDAY=MO,TH")
    if rule.frequency is Frequency.WEEKLY and rule.month_days:
        raise RuleError("must not have BYMONTHDAY with FREQ=WEEKLY")
    if rule.positions and not (rule.weekdays or rule.month_days or rule.months):
        raise RuleError("needs BYDAY, BYMONTHDAY or BYMONTH beside BYSETPOS")


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _several(given: dict[str, str], name: str) -> list[str]:
    return given[name].split(",") if name in given else []


def _number(given: dict[str, str], name: str, lowest: int, highest: int) -> int | None:
    if name not in given:
        return None
    value = given[name]
    if not _NUMBER.fullmatch(value) or not lowest <= int(value) <= highest:
        raise RuleError(f"needs {name} between {lowest} and {highest}")
    return int(value)


def _numbers(given: dict[str, str], name: str, highest: int, *, negative: bool) -> frozenset[int]:
    found = set()
    for value in _several(given, name):
        lowest = -highest if negative else 1
        if not _NUMBER.fullmatch(value) or not lowest <= int(value) <= highest or int(value) == 0:
            raise RuleError(f"takes numbers between {lowest} and {highest} in {name}, and not 0")
        found.add(int(value))
    return frozenset(found)


def _weekday(text: str) -> Weekday:
    form = _WEEKDAY.fullmatch(text)
    nth = 0 if form is None or form[1] is None else int(form[1])
    if form is None or (form[1] is not None and not 1 <= abs(nth) <= 53):
        raise RuleError("takes days such as MO, 2TU or -1FR in BYDAY")
    return Weekday(nth, WEEKDAYS.index(form[2]))


def _week_start(text: str) -> int:
    if text not in WEEKDAYS:
        raise RuleError(f"needs WKST out of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(text)


def _until(text: str | None) -> int | None:
    if text is None:
        return None
    if not _UNTIL.fullmatch(text):
        raise RuleError("needs UNTIL in UTC, as in UNTIL=20261231T235959Z")
    try:
        return from_datetime(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC))
    except ValueError:
        raise RuleError("has an UNTIL that is no instant") from None
