"""Moments by cron lines: time zones, both changes of the clock, and lines that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.times import DAY, MINUTE, SECOND, from_text, to_text
from statuspulse.engine.cron import Cron, CronError


def moments(line: str, zone: str, after: str, count: int) -> list[str]:
    cron, at = Cron.of(line, zone), from_text(after)
    found = []
    for _ in range(count):
        at = cron.following(at, at)
        found.append(to_text(at).removesuffix(":00.000Z"))
    return found


def test_moments_are_those_of_the_zone() -> None:
    assert moments("30 2 * * 1-5", "Asia/Kolkata", "2026-11-20T00:00:00Z", 2) == [
        "2026-11-22T21:00",
        "2026-11-23T21:00",
    ]


def test_what_the_clock_skips_in_spring_comes_behind_the_gap() -> None:
    berlin = moments("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3)
    assert berlin == ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]


def test_what_the_clock_shows_twice_in_autumn_comes_once() -> None:
    berlin = moments("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2)
    assert berlin == ["2026-10-25T00:30", "2026-10-26T01:30"]


def test_between_the_two_passes_of_an_hour_nothing_of_the_past_is_expected() -> None:
    # 01:10 UTC is 02:10 for the second time.
    assert moments("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1) == ["2026-10-26T01:30"]


def test_a_line_with_stars_goes_on_through_both_changes() -> None:
    assert moments("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4) == [
        "2026-10-25T00:30",
        "2026-10-25T01:00",
        "2026-10-25T01:30",
        "2026-10-25T02:00",
    ]
    assert moments("0 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2) == ["2026-03-29T01:00", "2026-03-29T02:00"]


def test_a_ping_a_little_early_is_that_of_the_moment() -> None:
    cron, two = Cron.of("0 2 * * *", "UTC"), from_text("2026-11-23T02:00:00Z")
    assert cron.after_ping(two - 5 * SECOND) == two + DAY
    assert cron.after_ping(two) == two + DAY
    assert cron.after_ping(two - MINUTE) == two


def test_a_moment_to_come_stays_expected() -> None:
    cron, two = Cron.of("0 2 * * *", "UTC"), from_text("2026-11-23T02:00:00Z")
    assert cron.following(two, two - 3 * DAY) == two


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 2 * *", "needs five fields"),
        ("0 0 2 * * *", "needs five fields"),
        ("@daily", "needs five fields"),
        ("60 2 * * *", "cannot be read: bad minute"),
        ("x 2 * * *", "cannot be read: bad minute"),
        ("0 0 30 2 *", "cannot be read: bad day-of-month"),
        ("0 0 31 4,6,9 *", "cannot be read: bad day-of-month"),
    ],
)
def test_lines_that_are_none_are_refused(line: str, told: str) -> None:
    with pytest.raises(CronError, match=told):
        Cron.of(line, "UTC")


def test_a_line_that_never_comes_true_is_refused() -> None:
    with pytest.raises(CronError, match="never comes true"):
        Cron.of("0 0 */40 * 1#2", "UTC")


@given(
    minute=st.sampled_from(["0", "30", "*/15", "*", "7,37"]),
    hour=st.sampled_from(["2", "*", "*/6", "0-3", "23"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    at=st.integers(from_text("2026-01-01T00:00:00Z"), from_text("2027-12-31T00:00:00Z")),
)
def test_moments_go_up_and_never_lie_in_the_past(minute: str, hour: str, zone: str, at: int) -> None:
    cron = Cron.of(f"{minute} {hour} * * *", zone)
    first = cron.following(at, at)
    assert first > at
    assert cron.following(first, first) > first
    assert first - at <= DAY + 3 * 60 * MINUTE
    assert cron.after_ping(at) > at
