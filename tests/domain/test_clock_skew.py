"""Clocks of probes: what counts as wrong, and which instant is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.clock_skew import ProbeClock
from statuspulse.domain.times import HOUR, SECOND

NOW = 1_795_414_800_000


def heard(*skews: int, every: int = 5 * SECOND) -> tuple[ProbeClock, int]:
    """A clock after messages that come in time, and the instant of the last of them."""
    clock, now = ProbeClock(), NOW
    for skew in skews:
        now += every
        clock = clock.heard(now + skew, now)
    return clock, now


@pytest.mark.parametrize("skew", [0, 4999, -5000, 5000])
def test_a_clock_that_is_a_little_off_is_left_alone(skew: int) -> None:
    clock, now = heard(skew)
    assert (clock.skew, clock.measured, clock.true_time(now - 7, now)) == (0, skew, now - 7)


@pytest.mark.parametrize("skew", [5001, HOUR, 400 * 24 * HOUR])
def test_a_clock_that_was_always_wrong_is_corrected_from_the_first_message_on(skew: int) -> None:
    clock, now = heard(skew)
    assert clock.skew == skew
    assert clock.true_time(now + skew - 80, now) == now - 80
    assert clock.true_time(now + skew - 6 * HOUR, now) == now - 6 * HOUR


def test_what_was_recorded_before_the_clock_was_set_is_read_by_the_clock_of_then() -> None:
    before, set_at = heard(0, 0)
    now = set_at + 3 * SECOND
    clock = before.heard(now + HOUR, now)
    assert clock.true_time(set_at - 10 * SECOND, now) == set_at - 10 * SECOND
    assert clock.true_time(now + HOUR - 80, now) == now - 80


@pytest.mark.parametrize("skew", [-5001, -HOUR])
def test_a_late_clock_is_corrected_when_nothing_has_contradicted_it_for_a_while(skew: int) -> None:
    clock, now = heard(*[skew] * 4)
    assert clock.skew == 0
    clock, now = heard(*[skew] * 5)
    assert (clock.skew, clock.true_time(now + skew - 80, now)) == (skew, now - 80)


def test_a_clock_that_is_mended_is_believed_again() -> None:
    clock, mended_at = heard(HOUR, HOUR)
    for now in range(mended_at + 5 * SECOND, mended_at + 30 * SECOND, 5 * SECOND):
        clock = clock.heard(now, now)
    assert clock.skew == 0
    assert clock.true_time(now - 80, now) == now - 80
    assert clock.true_time(mended_at + HOUR - 80, now) == mended_at - 80


def test_messages_that_have_waited_while_we_stood_still_make_no_clock_late() -> None:
    """A minute of them, taken in one after the other, and then one that comes in time."""
    clock, stopped_at = heard(0, 0)
    now = stopped_at + 60 * SECOND
    for sent_at in range(stopped_at, now, 3 * SECOND):
        clock = clock.heard(sent_at, now)
        now += 20
        assert clock.true_time(sent_at, now) == sent_at
    assert clock.heard(now, now) == ProbeClock(measured=0, heard_at=now, late_after=stopped_at)


def test_the_correction_stands_still_while_the_difference_hardly_moves() -> None:
    clock, now = heard(HOUR, HOUR + 3, HOUR - 20, HOUR + 700)
    assert clock.true_time(now + HOUR, now) == now


@given(skew=st.integers(-10 * HOUR, 10 * HOUR), delays=st.lists(st.integers(0, 900), min_size=1, max_size=8))
def test_a_wrong_clock_moves_no_instant_by_more_than_the_way_takes(skew: int, delays: list[int]) -> None:
    clock, now = ProbeClock(), NOW
    for delay in delays:
        now += 5 * SECOND
        clock = clock.heard(now + skew - delay, now)
    if skew > 0 or len(delays) > 4:
        assert abs(clock.true_time(now + skew, now) - now) <= 6 * SECOND + 2 * max(delays)
