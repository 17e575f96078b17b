"""What a recurrence rule means, by asking every day of some years: slow, literal, and without a line of ours."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_CALENDAR = [date(2024, 1, 1) + timedelta(days=number) for number in range(366 * 5)]
_MONTHS: dict[tuple[int, int], list[date]] = defaultdict(list)
_YEARS: dict[int, list[date]] = defaultdict(list)
for _day in _CALENDAR:
    _MONTHS[_day.year, _day.month].append(_day)
    _YEARS[_day.year].append(_day)


def days_meant(rule: dict[str, str], first: date, last: date) -> list[date]:
    """The days from the first one up to some behind the last one, which lie in 2025 to 2027; COUNT ends them."""
    rule = _completed(rule, first)
    frequency, week_start = rule["FREQ"], _WEEKDAYS.index(rule.get("WKST", "MO"))
    periods: dict[int, list[date]] = defaultdict(list)
    for day in _CALENDAR:
        if day.year <= last.year:
            periods[_period(day, frequency, week_start)].append(day)
    found: list[date] = []
    origin = _period(first, frequency, week_start)
    for number in sorted(periods):
        if number < origin or (number - origin) % int(rule.get("INTERVAL", "1")):
            continue
        meant = _at_places(rule, [day for day in periods[number] if _is_meant(rule, day)])
        found += [day for day in meant if day >= first]
    return found[: int(rule["COUNT"])] if "COUNT" in rule else found


def _completed(rule: dict[str, str], first: date) -> dict[str, str]:
    if "BYMONTHDAY" in rule or "BYDAY" in rule or rule["FREQ"] == "DAILY":
        return rule
    if rule["FREQ"] == "WEEKLY":
        return {**rule, "BYDAY": _WEEKDAYS[first.weekday()]}
    month = {"BYMONTH": str(first.month)} if rule["FREQ"] == "YEARLY" else {}
    return {**month, **rule, "BYMONTHDAY": str(first.day)}


def _period(day: date, frequency: str, week_start: int) -> int:
    """The number of the day, week, month or year among all of them."""
    if frequency == "DAILY":
        return day.toordinal()
    if frequency == "WEEKLY":
        return (day.toordinal() - 1 - week_start) // 7
    return 12 * day.year + day.month if frequency == "MONTHLY" else day.year


def _is_meant(rule: dict[str, str], day: date) -> bool:
    month = _MONTHS[day.year, day.month]
    if str(day.month) not in rule.get("BYMONTH", str(day.month)).split(","):
        return False
    places = {str(day.day), str(month.index(day) - len(month))}
    if "BYMONTHDAY" in rule and places.isdisjoint(rule["BYMONTHDAY"].split(",")):
        return False
    if "BYDAY" not in rule:
        return True
    scope = month if rule["FREQ"] == "MONTHLY" or "BYMONTH" in rule else _YEARS[day.year]
    same = [one for one in scope if one.weekday() == day.weekday()]
    name = _WEEKDAYS[day.weekday()]
    names = {name, f"{same.index(day) + 1}{name}", f"{same.index(day) - len(same)}{name}"}
    return not names.isdisjoint(rule["BYDAY"].split(","))


def _at_places(rule: dict[str, str], days: list[date]) -> list[date]:
    if "BYSETPOS" not in rule:
        return days
    places = rule["BYSETPOS"].split(",")
    return [day for number, day in enumerate(days) if {str(number + 1), str(number - len(days))} & {*places}]
