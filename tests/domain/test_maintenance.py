"""Occurrences of windows: by wall and by elapsed time, through both changes of the clock, against brute force."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statuspulse.domain.maintenance import Occurrence, Plan, Switches, covers, excluded, strictest, union
from statuspulse.domain.recurrence import WEEKDAYS, Rule, RuleError
from statuspulse.domain.times import DAY, HOUR, MINUTE, from_datetime, from_text, to_text
from tests.domain.every_day import days_meant

ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe")
# The days around both changes of 2026 in each of the zones.
CHANGES = {
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
}


def a_plan(begin: str, *, zone: str = "America/New_York", hours: float = 2, rule: str | None = None) -> Plan:
    return Plan(
        begin=datetime.fromisoformat(begin),
        zone=ZoneInfo(zone),
        duration=round(hours * HOUR),
        rule=None if rule is None else Rule.of(rule),
    )


def spans(found: list[Occurrence]) -> list[tuple[str, str]]:
    return [(to_text(one.start), to_text(one.end)) for one in found]


def starts(plan: Plan, start: str, end: str) -> list[str]:
    return [to_text(one.start) for one in plan.occurrences(from_text(start), from_text(end))]


def test_a_window_by_wall_time_moves_with_the_clock() -> None:
    plan = a_plan("2026-10-25T02:30:00", rule="FREQ=WEEKLY")
    assert starts(plan, "2026-10-24T00:00:00Z", "2026-11-09T00:00:00Z") == [
        "2026-10-25T06:30:00.000Z",
        "2026-11-01T07:30:00.000Z",
        "2026-11-08T07:30:00.000Z",
    ]


@pytest.mark.parametrize("rule", [None, "FREQ=DAILY", "FREQ=WEEKLY;COUNT=5", "FREQ=YEARLY;INTERVAL=4"])
def test_the_last_one_that_is_over_is_found_however_long_ago(rule: str | None) -> None:
    plan = a_plan("2012-02-29T02:30:00", rule=rule)
    whole = plan.occurrences(0, from_text("2030-01-01T00:00:00Z"))
    first = whole[0]
    instants = [first.start, first.end - 1, first.end, from_text("2026-11-01T06:30:00Z")]
    for now in instants + [one.end + shift for one in whole[-3:] for shift in (-1, 0, HOUR)]:
        assert plan.last_over(now) == max((one for one in whole if one.end <= now), key=lambda o: o.end, default=None)


def test_one_that_a_person_ended_is_over_from_then_on() -> None:
    plan = a_plan("2026-11-01T00:00:00", zone="UTC")
    (planned,) = plan.occurrences(0, from_text("2027-01-01T00:00:00Z"))
    cut = replace(plan, cut={planned.planned: planned.start + MINUTE})
    assert cut.last_over(planned.start + MINUTE) == replace(planned, end=planned.start + MINUTE)
    assert plan.last_over(planned.start + MINUTE) is None


def test_a_time_that_spring_has_not_is_shifted_forward_and_its_length_is_elapsed_time() -> None:
    plan = a_plan("2026-03-08T02:30:00")
    found = plan.occurrences(0, from_text("2027-01-01T00:00:00Z"))
    assert spans(found) == [("2026-03-08T07:30:00.000Z", "2026-03-08T09:30:00.000Z")]


def test_a_time_that_autumn_has_twice_is_taken_the_first_time() -> None:
    plan = a_plan("2026-11-01T01:30:00")
    found = plan.occurrences(0, from_text("2027-01-01T00:00:00Z"))
    assert spans(found) == [("2026-11-01T05:30:00.000Z", "2026-11-01T07:30:00.000Z")]


def test_a_change_of_half_an_hour_is_taken_as_it_is() -> None:
    plan = a_plan("2026-10-03T02:15:00", zone="Australia/Lord_Howe", rule="FREQ=DAILY;COUNT=3")
    assert starts(plan, "2026-10-01T00:00:00Z", "2026-10-09T00:00:00Z") == [
        "2026-10-02T15:45:00.000Z",
        "2026-10-03T15:45:00.000Z",  # 02:15 is none on that day: it is 02:45
        "2026-10-04T15:15:00.000Z",
    ]


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", ["2026-01-31", "2026-02-10", "2026-02-20"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA;COUNT=4", ["2026-01-31", "2026-02-09", "2026-02-14", "2026-02-23"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,SA;WKST=SU;COUNT=3", ["2026-01-31", "2026-02-08", "2026-02-14"]),
        ("FREQ=MONTHLY;COUNT=3", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("FREQ=MONTHLY;BYDAY=2TU;COUNT=2", ["2026-02-10", "2026-03-10"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["2026-02-27", "2026-03-27"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", ["2026-02-27", "2026-03-31"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=2", ["2026-02-13", "2026-03-13"]),
        ("FREQ=YEARLY;COUNT=2", ["2026-01-31", "2027-01-31"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=2", ["2028-02-29", "2032-02-29"]),
        ("FREQ=YEARLY;BYMONTH=3,11;BYDAY=1SU;COUNT=3", ["2026-03-01", "2026-11-01", "2027-03-07"]),
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=2", ["2026-05-18", "2027-05-17"]),
        ("freq=daily;until=20260202T070000z", ["2026-01-31", "2026-02-01", "2026-02-02"]),
    ],
)
def test_rules_mean_the_days_that_rfc_5545_says(rule: str, days: list[str]) -> None:
    plan = a_plan("2026-01-31T02:00:00", rule=rule)
    found = plan.occurrences(0, from_text("2040-01-01T00:00:00Z"))
    assert [plan.wall_of(one).date().isoformat() for one in found] == days


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "DAILY",
        "FREQ=HOURLY",
        "FREQ=MINUTELY;INTERVAL=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=367",
        "FREQ=DAILY;INTERVAL=1;INTERVAL=2",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=1001",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101T000000Z",
        "FREQ=DAILY;UNTIL=20270101",
        "FREQ=DAILY;UNTIL=20271301T000000Z",
        "FREQ=DAILY;BYHOUR=2",
        "FREQ=DAILY;BYDAY=2TU",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=MONTHLY;BYDAY=54MO",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=YEARLY;BYMONTH=-1",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=WEEKLY;WKST=XX",
        "DTSTART=20260101T000000Z;FREQ=DAILY",
        "RRULE:FREQ=DAILY",
        "FREQ=DAILY;EXRULE=FREQ=DAILY",
    ],
)
def test_what_is_more_than_the_part_that_we_take_is_refused_with_a_reason(rule: str) -> None:
    with pytest.raises(RuleError, match=r".{10,}"):
        Rule.of(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=YEARLY;BYDAY=53MO;BYMONTH=1",
        "FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=31;BYMONTH=2;INTERVAL=366",
        "FREQ=DAILY;UNTIL=19700101T000000Z",
        "FREQ=MONTHLY;BYMONTHDAY=29;BYSETPOS=5",
    ],
)
def test_a_rule_that_never_comes_true_ends_soon(rule: str) -> None:
    begun = perf_counter()
    assert a_plan("2026-01-31T02:00:00", rule=rule).current_or_next(from_text("2026-02-01T00:00:00Z")) is None
    assert perf_counter() - begun < 0.5  # some 20 ms


def test_an_old_rule_costs_no_more_than_a_new_one() -> None:
    plan = a_plan("1971-01-01T02:00:00", rule="FREQ=DAILY")
    begun = perf_counter()
    for _ in range(100):
        plan.current_or_next(from_text("2026-11-23T00:00:00Z"))
    assert perf_counter() - begun < 1  # some 4 ms


def test_what_is_skipped_counts_and_does_not_happen() -> None:
    plan = a_plan("2026-12-06T02:00:00", rule="FREQ=WEEKLY;COUNT=3")
    without = Plan(
        begin=plan.begin,
        zone=plan.zone,
        duration=plan.duration,
        rule=plan.rule,
        skipped=frozenset({datetime.fromisoformat("2026-12-13T02:00:00")}),
    )
    assert starts(without, "2026-12-01T00:00:00Z", "2027-12-01T00:00:00Z") == [
        "2026-12-06T07:00:00.000Z",
        "2026-12-20T07:00:00.000Z",
    ]


def test_occurrences_that_reach_into_the_next_end_there() -> None:
    plan = a_plan("2026-12-06T02:00:00", hours=36, rule="FREQ=DAILY;COUNT=2")
    assert spans(plan.occurrences(0, from_text("2027-01-01T00:00:00Z"))) == [
        ("2026-12-06T07:00:00.000Z", "2026-12-07T07:00:00.000Z"),
        ("2026-12-07T07:00:00.000Z", "2026-12-08T19:00:00.000Z"),
    ]


def test_a_plan_holds_from_when_it_was_made_and_until_it_was_ended() -> None:
    plan = a_plan("2026-12-06T02:00:00", rule="FREQ=DAILY")
    bounded = Plan(
        begin=plan.begin,
        zone=plan.zone,
        duration=plan.duration,
        rule=plan.rule,
        valid_from=from_text("2026-12-07T08:00:00Z"),
        valid_until=from_text("2026-12-09T07:30:00Z"),
        cut={from_text("2026-12-08T07:00:00Z"): from_text("2026-12-08T07:20:00Z")},
    )
    assert spans(bounded.occurrences(0, from_text("2027-01-01T00:00:00Z"))) == [
        ("2026-12-07T08:00:00.000Z", "2026-12-07T09:00:00.000Z"),
        ("2026-12-08T07:00:00.000Z", "2026-12-08T07:20:00.000Z"),
        ("2026-12-09T07:00:00.000Z", "2026-12-09T07:30:00.000Z"),
    ]
    assert bounded.current_or_next(from_text("2026-12-09T07:30:00Z")) is None


def test_the_next_one_begins_behind_the_one_that_holds() -> None:
    plan = a_plan("2026-12-06T02:00:00", rule="FREQ=DAILY")
    now = from_text("2026-12-06T08:00:00Z")
    current = plan.current_or_next(now)
    assert current is not None
    assert current.holds_at(now)
    following = plan.following(current)
    assert following is not None
    assert to_text(following.start) == "2026-12-07T07:00:00.000Z"
    assert a_plan("2026-12-06T02:00:00").following(current) is None


def holds(plan: Plan, instant: int) -> bool:
    one = plan.current_or_next(instant)
    return one is not None and one.holds_at(instant)


def test_of_windows_that_overlap_the_strictest_switch_wins() -> None:
    light = (a_plan("2026-12-06T02:00:00", hours=4), Switches(mutes=True))
    strict = (a_plan("2026-12-06T03:00:00", hours=1), Switches(rests=True, excludes=True, holds=True))
    windows = [light, strict]
    at = [from_text(f"2026-12-06T{hour:02}:30:00Z") for hour in (6, 7, 8, 9, 11)]
    holding = [[switches for plan, switches in windows if holds(plan, instant)] for instant in at]
    assert [strictest(some) for some in holding] == [
        Switches(),
        Switches(mutes=True),
        Switches(rests=True, mutes=True, excludes=True, holds=True),
        Switches(mutes=True),
        Switches(),
    ]
    assert strictest([]) == Switches()
    assert excluded(windows, 0, at[-1]) == [(from_text("2026-12-06T08:00:00Z"), from_text("2026-12-06T09:00:00Z"))]


def test_a_selector_means_monitors_by_id_by_one_of_its_tags_or_all() -> None:
    assert covers({"ids": ["mon_a"]}, "mon_a", [])
    assert not covers({"ids": ["mon_a"]}, "mon_b", ["mon_a"])
    assert covers({"tags": ["prod", "eu"]}, "mon_a", ["eu"])
    assert not covers({"tags": ["prod"]}, "mon_a", ["eu"])
    assert covers({"all": True}, "mon_a", [])
    assert not covers({}, "mon_a", [])


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))))
def test_the_union_is_the_same_time_in_disjoint_stretches(stretches: list[tuple[int, int]]) -> None:
    joined = union(stretches)
    assert {at for start, end in joined for at in range(start, end)} == {
        at for start, end in stretches for at in range(start, end)
    }
    assert all(earlier[1] < later[0] for earlier, later in pairwise(joined))


# --- brute force -----------------------------------------------------------------------------------------


def first_instant_on_wall(wall: datetime, zone: ZoneInfo) -> int:
    """Minute by minute: the first instant at which the wall shows the time, or the first behind a gap shifted by it."""
    around = from_datetime(wall.replace(tzinfo=UTC))
    for at in range(around - 26 * HOUR, around + 26 * HOUR, MINUTE):
        if (datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)).replace(tzinfo=None) == wall:
            return at
    for at in range(around - 26 * HOUR, around + 26 * HOUR, MINUTE):
        shown = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).replace(tzinfo=None)
        before = datetime.fromtimestamp((at - MINUTE) / 1000, UTC).astimezone(zone).replace(tzinfo=None)
        if before < wall < shown:
            return at + round((wall - before - timedelta(minutes=1)).total_seconds()) * 1000
    raise AssertionError(f"{wall} is nowhere in {zone}")


@st.composite
def rules(draw: st.DrawFn) -> dict[str, str]:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    rule = {"FREQ": frequency}
    by_month = frequency in {"MONTHLY", "YEARLY"}

    def several(values: st.SearchStrategy[str], most: int = 3) -> str:
        return ",".join(draw(st.lists(values, min_size=1, max_size=most, unique=True)))

    if draw(st.booleans()):
        rule["INTERVAL"] = str(draw(st.integers(1, 5)))
    if draw(st.booleans()):
        nth = st.sampled_from(["", "1", "2", "-1", "5"]) if by_month else st.just("")
        rule["BYDAY"] = several(st.tuples(nth, st.sampled_from(WEEKDAYS)).map("".join))
    if frequency != "WEEKLY" and draw(st.booleans()):
        rule["BYMONTHDAY"] = several(st.sampled_from(["1", "8", "29", "31", "-1", "-2"]))
    if draw(st.booleans()):
        rule["BYMONTH"] = several(st.integers(1, 12).map(str), most=4)
    if not {"BYDAY", "BYMONTHDAY", "BYMONTH"}.isdisjoint(rule) and draw(st.booleans()):
        rule["BYSETPOS"] = several(st.sampled_from(["1", "2", "-1", "-5"]), most=2)
    if draw(st.booleans()):
        rule["WKST"] = draw(st.sampled_from(WEEKDAYS))
    if draw(st.booleans()):
        rule["COUNT"] = str(draw(st.integers(1, 40)))
    return rule


@settings(max_examples=60, deadline=None)
@given(rules(), st.dates(date(2025, 1, 1), date(2025, 12, 31)))
def test_a_rule_means_what_a_look_at_every_day_says(rule: dict[str, str], first: date) -> None:
    text = ";".join(f"{name}={value}" for name, value in rule.items())
    plan = Plan(
        begin=datetime.combine(first, datetime.min.time()), zone=ZoneInfo("UTC"), duration=1, rule=Rule.of(text)
    )
    last = date(2027, 6, 1)
    until = from_datetime(datetime(2027, 6, 1, tzinfo=UTC))
    expected = [day for day in days_meant(rule, first, last) if day < last]
    assert [plan.wall_of(one).date() for one in plan.occurrences(0, until)] == expected
    # From the middle on it is the same, without a look at what was before.
    middle = from_datetime(datetime(2026, 3, 1, tzinfo=UTC))
    assert [one.start for one in plan.occurrences(middle, until)] == [
        at
        for at in (from_datetime(datetime.combine(day, datetime.min.time(), UTC)) for day in expected)
        if at >= middle
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 40 * 60),
    st.sampled_from([None, "FREQ=DAILY;COUNT=5", "FREQ=WEEKLY;COUNT=3", "FREQ=DAILY;INTERVAL=2;COUNT=4"]),
)
def test_occurrences_over_both_changes_are_where_the_wall_shows_them_and_last_as_long_as_they_should(
    zone: str, spring: bool, days: int, minute: int, length: int, rule: str | None
) -> None:
    first = CHANGES[zone][0 if spring else 1] + timedelta(days=days)
    begin = datetime.combine(first, datetime.min.time()) + timedelta(minutes=minute)
    plan = Plan(
        begin=begin,
        zone=ZoneInfo(zone),
        duration=length * MINUTE,
        rule=None if rule is None else Rule.of(rule),
    )
    walls = [begin]
    if rule is not None:
        step = 7 if "WEEKLY" in rule else 2 if "INTERVAL" in rule else 1
        walls = [begin + timedelta(days=step * number) for number in range(int(rule[-1]))]
    begun = [first_instant_on_wall(wall, ZoneInfo(zone)) for wall in walls]
    ends = [at + length * MINUTE for at in begun]
    expected = [(at, min(end, *begun[n + 1 : n + 2], end)) for n, (at, end) in enumerate(zip(begun, ends, strict=True))]
    found = plan.occurrences(begun[0] - DAY, begun[-1] + 3 * DAY)
    assert [(one.start, one.end) for one in found] == expected
