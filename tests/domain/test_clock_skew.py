"""Clocks of probes: what counts as wrong, and which instant is meant (`API.md` D.10)."""

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


@pytest.mark.parametrize("skew", [5001, HOUR, -5001, -HOUR, 400 * 24 * HOUR])
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


def test_a_clock_that_is_mended_is_believed_again() -> None:
    clock, mended_at = heard(HOUR, HOUR)
    for now in range(mended_at + 5 * SECOND, mended_at + 20 * SECOND, 5 * SECOND):
        clock = clock.heard(now, now)
    assert clock.skew == 0
    assert clock.true_time(now - 80, now) == now - 80
    assert clock.true_time(mended_at + HOUR - 80, now) == mended_at - 80


def test_a_message_that_was_long_under_way_makes_no_clock_late() -> None:
    clock, _ = heard(0, -9 * SECOND, 0)
    assert (clock.skew, clock.eras) == (0, ProbeClock().eras)


def test_the_correction_stands_still_while_the_difference_hardly_moves() -> None:
    clock, now = heard(HOUR, HOUR + 3, HOUR - 20, HOUR + 700)
    assert clock.true_time(now + HOUR, now) == now


def test_another_process_of_the_probe_is_measured_anew() -> None:
    clock, now = heard(HOUR, HOUR, HOUR)
    now += SECOND
    assert clock.restarted().heard(now, now).skew == 0


@given(skew=st.integers(-10 * HOUR, 10 * HOUR), delays=st.lists(st.integers(0, 900), min_size=1, max_size=8))
def test_a_wrong_clock_moves_no_instant_by_more_than_the_way_takes(skew: int, delays: list[int]) -> None:
    clock, now = ProbeClock(), NOW
    for delay in delays:
        now += 5 * SECOND
        clock = clock.heard(now + skew - delay, now)
    assert abs(clock.true_time(now + skew, now) - now) <= 5 * SECOND + max(delays)
