"""Buckets of the calendar: days of 23 and 25 hours, weeks from Monday, months; never a hole, never an overlap."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.periods import LONGEST, Width, edges
from statuspulse.domain.times import DAY, HOUR, MINUTE, from_text, to_datetime, to_text

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "America/Havana", "Asia/Beirut", "Pacific/Apia")


def lengths(start: str, end: str, width: Width, zone: str) -> list[float]:
    found = edges(from_text(start), from_text(end), width, ZoneInfo(zone))
    return [(until - since) / HOUR for since, until in pairwise(found)]


@pytest.mark.parametrize(
    ("start", "end", "zone", "expected"),
    [
        ("2026-03-07T05:00:00Z", "2026-03-10T04:00:00Z", "America/New_York", [24, 23, 24]),
        ("2026-10-31T04:00:00Z", "2026-11-03T05:00:00Z", "America/New_York", [24, 25, 24]),
        ("2026-03-28T23:00:00Z", "2026-03-30T22:00:00Z", "Europe/Berlin", [23, 24]),
        ("2026-11-22T06:00:00Z", "2026-11-23T06:00:00Z", "UTC", [18, 6]),
        # At midnight the clock goes back to 23:00 of the day before, and in Beirut forward from midnight.
        ("2026-10-31T04:00:00Z", "2026-11-02T05:00:00Z", "America/Havana", [24, 25]),
        ("2026-03-27T22:00:00Z", "2026-03-29T21:00:00Z", "Asia/Beirut", [24, 23]),
    ],
)
def test_a_day_of_a_clock_change_has_its_own_length(start: str, end: str, zone: str, expected: list[float]) -> None:
    assert lengths(start, end, Width.DAY, zone) == expected


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    zone = ZoneInfo("Europe/Berlin")
    start, end = from_text("2026-10-20T12:00:00Z"), from_text("2026-12-05T00:00:00Z")
    weeks = [to_text(at) for at in edges(start, end, Width.WEEK, zone)[1:3]]
    assert weeks == ["2026-10-25T23:00:00.000Z", "2026-11-01T23:00:00.000Z"]
    months = [to_text(at) for at in edges(start, end, Width.MONTH, zone)[1:-1]]
    assert months == ["2026-10-31T23:00:00.000Z", "2026-11-30T23:00:00.000Z"]


@given(
    start=st.integers(from_text("2005-01-01T00:00:00Z"), from_text("2030-01-01T00:00:00Z")),
    length=st.integers(1, 400 * DAY),
    zone=st.sampled_from(ZONES),
    width=st.sampled_from([Width.DAY, Width.WEEK, Width.MONTH]),
)
def test_edges_are_midnights_that_cover_the_window_once(start: int, length: int, zone: str, width: Width) -> None:
    found = edges(start, start + length, width, ZoneInfo(zone))
    assert (found[0], found[-1]) == (start, start + length)
    assert all(since < until <= since + LONGEST[width] + 2 * HOUR for since, until in pairwise(found))
    for at in found[1:-1]:
        here, just_before = (to_datetime(moment).astimezone(ZoneInfo(zone)) for moment in (at, at - 1))
        assert here.date() > just_before.date() or here.date() == just_before.date()
        assert (here.hour, here.minute) in {(0, 0), (1, 0)}
        if width is Width.WEEK:
            assert here.weekday() == 0
        if width is Width.MONTH:
            assert here.day == 1


@given(start=st.integers(0, DAY), length=st.integers(1, DAY), width=st.sampled_from([Width.FIVE_MINUTES, Width.HOUR]))
def test_short_buckets_are_those_of_utc(start: int, length: int, width: Width) -> None:
    found = edges(start, start + length, width, ZoneInfo("Asia/Kolkata"))
    assert all(at % LONGEST[width] == 0 for at in found[1:-1])
    assert all(0 < until - since <= LONGEST[width] for since, until in pairwise(found))
    assert LONGEST[Width.FIVE_MINUTES] == 5 * MINUTE
