"""Doubts: a first result against a standing asks for more, and a slot that comes soon enough serves instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.doubt import contradicts, gap, recheck_at, wavers
from statuspulse.domain.health import Position, Rules, Standing
from statuspulse.domain.result import Verdict

RULES = Rules(interval=30_000, timeout=10_000, failure_threshold=3, recovery_threshold=2, quorum="majority")
PASSING = Standing(position=Position.PASSING, ok_streak=2, first_ok_at=0)
FAILING = Standing(position=Position.FAILING, fail_streak=3, first_fail_at=0)
OK, FAILED, VOID = Verdict.OK, Verdict.FAILED, Verdict.VOID


@pytest.mark.parametrize(
    ("standing", "verdict", "expected"),
    [
        (PASSING, FAILED, True),
        (PASSING, OK, False),
        (FAILING, OK, True),
        (FAILING, FAILED, False),
        (Standing(), FAILED, True),
        (Standing(), OK, False),
        (PASSING, VOID, False),
        (FAILING, VOID, False),
        (PASSING.after(FAILED, 1, RULES), FAILED, False),
        (FAILING.after(OK, 1, RULES), OK, False),
    ],
)
def test_the_first_result_against_a_standing_leaves_doubt(standing: Standing, verdict: Verdict, expected: bool) -> None:
    assert contradicts(standing, verdict) is expected


def test_a_region_wavers_until_its_streak_is_broken_or_long_enough() -> None:
    once = PASSING.after(FAILED, 1, RULES)
    twice = once.after(FAILED, 2, RULES)
    assert [wavers(standing) for standing in (PASSING, once, twice)] == [False, True, True]
    assert not wavers(twice.after(FAILED, 3, RULES))
    assert not wavers(twice.after(OK, 3, RULES))
    assert wavers(FAILING.after(OK, 1, RULES))
    assert not wavers(FAILING.after(OK, 1, RULES).after(FAILED, 2, RULES))
    assert not wavers(FAILING.after(OK, 1, RULES).after(OK, 2, RULES))


@pytest.mark.parametrize(
    ("last_end", "next_slot", "now", "at"),
    [
        # The outage of test_worked_example, from its first failure on.
        (1400, 30_000, 1600, 6400),
        (None, 10_000, 1600, 1600),
        (-19_800, 10_000, 1600, 1600),
        (3100, 10_000, 3300, None),
        (60_200, 90_000, 60_400, 65_200),
        (60_700, 70_000, 60_900, None),
        # A slot at the very end of the gap serves, one behind it does not.
        (None, 6600, 1600, None),
        (None, 6601, 1600, 1600),
    ],
)
def test_a_region_that_has_just_looked_waits_and_a_slot_serves(
    last_end: int | None, next_slot: int, now: int, at: int | None
) -> None:
    assert recheck_at(last_end=last_end, next_slot=next_slot, interval=30_000, now=now) == at


def test_the_gap_is_half_an_interval_and_five_seconds_at_most() -> None:
    assert [gap(interval) for interval in (1000, 10_000, 30_000)] == [500, 5000, 5000]


@given(st.integers(0, 100_000), st.integers(1, 100_000), st.integers(1, 60).map(lambda seconds: seconds * 1000))
def test_a_recheck_keeps_its_distance_from_what_ran_and_from_what_will(since: int, ahead: int, interval: int) -> None:
    now = 1_000_000
    at = recheck_at(last_end=now - since, next_slot=now + ahead, interval=interval, now=now)
    if at is not None:
        assert at >= now
        assert at - (now - since) >= gap(interval)
        assert now + ahead - at > gap(interval)
