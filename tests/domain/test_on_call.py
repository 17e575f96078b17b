"""Who is on call, against an oracle that walks the wall clock minute by minute and day by day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.hours import Hours, instant_of
from statuspulse.domain.on_call import Override, Pattern, Rotation, RotationError
from statuspulse.domain.times import HOUR, MINUTE, from_datetime, from_text

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")]
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# Both changes of the clock in each of the zones lie within.
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))
INSTANTS = st.integers(from_text("2026-01-01T00:00:00Z"), from_text("2027-06-01T00:00:00Z"))
MEMBERS = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=5, unique=True)


@st.composite
def rules(draw: st.DrawFn) -> str:
    interval = draw(st.integers(1, 5))
    if draw(st.booleans()):
        return f"FREQ=DAILY;INTERVAL={interval}"
    days = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True))
    return f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={','.join(days)}"


def first_instant(day: date, handoff: time, zone: ZoneInfo) -> int:
    """The first minute at which the wall of the zone shows the handoff of the day, or has gone past it."""
    wanted = datetime.combine(day, handoff)
    at = from_datetime(wanted.replace(tzinfo=ZoneInfo("UTC"))) - 15 * HOUR
    while datetime.fromtimestamp(at / 1000, zone).replace(tzinfo=None) < wanted:
        at += 15 * MINUTE
    return at


def begins(day: date, first: date, rule: str) -> bool:
    parts = dict(part.split("=") for part in rule.split(";"))
    interval = int(parts["INTERVAL"])
    if parts["FREQ"] == "DAILY":
        return (day - first).days % interval == 0
    weeks = (day - timedelta(days=day.weekday()) - (first - timedelta(days=first.weekday()))).days // 7
    return weeks % interval == 0 and WEEKDAYS[day.weekday()] in parts["BYDAY"].split(",")


@given(rule=rules(), first=DAYS, quarter=st.integers(0, 95), zone=st.sampled_from(ZONES), at=INSTANTS, members=MEMBERS)
def test_a_rotation_is_what_counting_its_handoffs_tells(
    rule: str, first: date, quarter: int, zone: ZoneInfo, at: int, members: list[str]
) -> None:
    handoff = time(quarter // 4, 15 * (quarter % 4))
    rotation = Rotation(zone=zone, first=first, handoff=handoff, pattern=Pattern.of(rule, first), members=members)
    begun, day = 0, first
    last = datetime.fromtimestamp(at / 1000, zone).date()
    while day < last:
        begun += begins(day, first, rule)
        day += timedelta(days=1)
    if day == last and begins(day, first, rule):
        begun += first_instant(day, handoff, zone) <= at
    assert rotation.at(at) == (members[(begun - 1) % len(members)] if begun else None)


@given(rule=rules(), first=DAYS, zone=st.sampled_from(ZONES), at=INSTANTS)
def test_whoever_is_on_call_stays_so_until_the_next_handoff(rule: str, first: date, zone: ZoneInfo, at: int) -> None:
    pattern = Pattern.of(rule, first)
    rotation = Rotation(zone=zone, first=first, handoff=time(2, 30), pattern=pattern, members=["a", "b"])
    following = rotation.next_handoff(at)
    assert following > at
    assert rotation.at(following - 1) == rotation.at(max(at, following - 30 * 24 * HOUR))
    assert rotation.at(following) != rotation.at(following - 1)


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2026-03-08T02:30", "2026-03-08T07:30:00Z"),  # there is no 02:30 on that day: 03:30 of daylight time
        ("2026-11-01T01:30", "2026-11-01T05:30:00Z"),  # the first of two
        ("2026-07-01T12:00", "2026-07-01T16:00:00Z"),
    ],
)
def test_a_wall_time_is_shifted_forward_or_taken_the_first_time(wall: str, instant: str) -> None:
    found = instant_of(datetime.fromisoformat(wall), ZoneInfo("America/New_York"))
    assert from_datetime(found) == from_text(instant)


def test_of_overrides_the_last_one_counts_up_to_its_end() -> None:
    first = date(2026, 1, 1)
    rotation = Rotation(
        zone=ZoneInfo("UTC"),
        first=first,
        handoff=time(0),
        pattern=Pattern.of("daily", first),
        members=["a"],
        overrides=[Override(1000, 3000, "b"), Override(2000, 4000, "c")],
    )
    assert [rotation.at(at) for at in (999, 1000, 2000, 3999, 4000)] == [None, "b", "c", "c", None]


@pytest.mark.parametrize("text", ["", "hourly", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=DAILY;COUNT=2", "FREQ=DAILY;INTERVAL=x"])
def test_what_is_no_rotation_is_refused(text: str) -> None:
    with pytest.raises(RotationError):
        Pattern.of(text, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("begin", "end", "at", "holds"),
    [
        ("09:00", "17:00", "2026-11-23T08:00:00Z", True),  # Monday, 09:00 in Berlin
        ("09:00", "17:00", "2026-11-23T07:59:59Z", False),
        ("09:00", "17:00", "2026-11-23T16:00:00Z", False),
        ("09:00", "17:00", "2026-11-24T10:00:00Z", False),
        ("22:00", "06:00", "2026-11-24T04:59:59Z", True),  # belongs to the night of Monday
        ("22:00", "06:00", "2026-11-23T04:59:59Z", False),
        ("00:00", "00:00", "2026-11-23T12:00:00Z", True),
        ("00:00", "00:00", "2026-11-24T12:00:00Z", False),
    ],
)
def test_hours_hold_on_the_wall_of_their_zone(begin: str, end: str, at: str, holds: bool) -> None:
    hours = Hours.of({"timezone": "Europe/Berlin", "days": ["mon"], "from": begin, "to": end})
    assert hours.hold(from_text(at)) is holds
