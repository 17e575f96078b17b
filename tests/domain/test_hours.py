"""Hours of the week on somebody's wall: when they end, also where the clock is changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.hours import DAYS, Hours, in_zone
from statuspulse.domain.times import DAY, MINUTE, from_text, to_text

NIGHT = {"timezone": "Europe/Berlin", "days": list(DAYS), "from": "22:00", "to": "07:00"}


def end_of(at: str, **members: Any) -> str:
    return to_text(Hours.of({**NIGHT, **members}).end_after(from_text(at)))


@pytest.mark.parametrize(
    ("members", "at", "end"),
    [
        ({}, "2026-11-23T22:00:00.000Z", "2026-11-24T06:00:00.000Z"),
        ({}, "2026-11-24T05:59:59.999Z", "2026-11-24T06:00:00.000Z"),
        # The night in which the clock goes on: seven is an hour earlier.
        ({}, "2026-03-28T22:00:00.000Z", "2026-03-29T05:00:00.000Z"),
        # The night in which it goes back: an hour later.
        ({}, "2026-10-24T21:00:00.000Z", "2026-10-25T06:00:00.000Z"),
        # Half past two does not exist that night: it comes when the clock has gone on.
        ({"to": "02:30"}, "2026-03-28T23:00:00.000Z", "2026-03-29T01:30:00.000Z"),
        # It comes twice that night: the first counts, and an instant between both waits for the second.
        ({"to": "02:30"}, "2026-10-24T22:00:00.000Z", "2026-10-25T00:30:00.000Z"),
        ({"to": "02:30"}, "2026-10-25T01:10:00.000Z", "2026-10-25T01:30:00.000Z"),
        # Whole days follow each other: Saturday and Sunday end with Sunday.
        (
            {"days": ["sat", "sun"], "from": "00:00", "to": "00:00"},
            "2026-11-28T12:00:00.000Z",
            "2026-11-29T23:00:00.000Z",
        ),
        # The end of one of two hours that overlap is no end.
        ({"from": "08:00", "to": "07:59"}, "2026-11-23T12:00:00.000Z", "2026-11-24T06:59:00.000Z"),
    ],
)
def test_hours_end_by_the_clock_on_the_wall(members: dict[str, Any], at: str, end: str) -> None:
    assert end_of(at, **members) == end


@given(
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
    st.integers(0, 366 * 24 * 60),
    st.integers(0, 24 * 60 - 1),
    st.integers(0, 24 * 60 - 1),
    st.sets(st.sampled_from(DAYS), min_size=1, max_size=6),
)
def test_an_end_is_the_first_minute_behind_an_instant_at_which_no_hours_hold(
    zone: str, minute: int, begin: int, end: int, days: set[str]
) -> None:
    """No minute of the wait lies outside of the hours, but those after an end that the clock skips."""
    wall = {"from": f"{begin // 60:02}:{begin % 60:02}", "to": f"{end // 60:02}:{end % 60:02}"}
    hours = Hours.of({"timezone": zone, "days": list(days), **wall})
    at = from_text("2026-01-01T00:00:00Z") + minute * MINUTE
    if not hours.hold(at):
        return
    ended = hours.end_after(at)
    assert not hours.hold(ended)
    assert at < ended <= at + 7 * DAY
    outside = [one for one in range(at, ended, MINUTE) if not hours.hold(one)]
    assert len(outside) <= 60


def test_hours_without_a_zone_are_those_of_the_team() -> None:
    assert in_zone(None, "Asia/Tokyo") is None
    own, none = {"timezone": "Europe/Berlin"}, {"timezone": None}
    assert (in_zone(own, "Asia/Tokyo"), in_zone(none, "Asia/Tokyo")) == (own, {"timezone": "Asia/Tokyo"})
