"""Flapping: a series computed by hand, and what holds for every series of changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.flapping import CALM, Flapping, half_life, is_change
from statuspulse.domain.health import Health
from statuspulse.domain.times import SECOND

INTERVAL = 30 * SECOND


def after(*seconds: int, interval: int = INTERVAL) -> list[Flapping]:
    """The flapping after each change."""
    found, flapping = [], CALM
    for second in seconds:
        flapping = flapping.after_change(second * SECOND, interval)
        found.append(flapping)
    return found


def test_the_fourth_change_in_three_minutes_is_flapping() -> None:
    states = after(0, 60, 120, 180)
    assert [round(state.score, 2) for state in states] == [1, 1.87, 2.63, 3.29]
    assert [state.is_on for state in states] == [False, False, False, True]
    assert states[-1].since == 180 * SECOND


def test_it_is_over_when_the_score_has_fallen_to_one() -> None:
    last = after(0, 60, 120, 180)[-1]
    ends_at = last.ends_at(INTERVAL)
    assert ends_at is not None
    assert round(ends_at / SECOND) == 180 + 515
    assert last.score_at(ends_at, INTERVAL) == pytest.approx(1, abs=1e-5)
    assert last.score_at(ends_at - SECOND, INTERVAL) > 1
    assert not last.ended().is_on
    assert last.ended().score == last.score


def test_changes_five_minutes_apart_never_flap() -> None:
    states = after(*range(0, 100 * 300, 300))
    assert not any(state.is_on for state in states)
    assert max(state.score for state in states) <= 2


def test_what_flaps_goes_on_while_it_changes() -> None:
    assert after(0, 60, 120, 180, 400)[-1].since == 180 * SECOND


def test_a_calm_monitor_has_no_end_to_wait_for() -> None:
    assert CALM.ends_at(INTERVAL) is None
    assert after(0, 60)[-1].ends_at(INTERVAL) is None


def test_the_score_halves_in_ten_intervals_and_at_least_five_minutes() -> None:
    assert [half_life(seconds * SECOND) for seconds in (10, 30, 31, 60)] == [300_000, 300_000, 310_000, 600_000]
    assert CALM.after_change(0, INTERVAL).score_at(300 * SECOND, INTERVAL) == 0.5


def test_only_the_way_into_and_out_of_down_is_a_change() -> None:
    changes = {(before, after) for before in Health for after in Health if is_change(before, after)}
    others = {Health.PENDING, Health.UP, Health.DEGRADED}
    assert changes == {(Health.DOWN, other) for other in others} | {(other, Health.DOWN) for other in others}


@given(st.lists(st.integers(0, 2000), max_size=30), st.integers(1, 600).map(lambda seconds: seconds * SECOND))
def test_the_score_is_the_sum_of_what_is_left_of_every_change(waits: list[int], interval: int) -> None:
    at, flapping, changes = 0, CALM, list[int]()
    for wait in waits:
        at += wait * SECOND
        changes.append(at)
        flapping = flapping.after_change(at, interval)
        left = sum(0.5 ** ((at - change) / half_life(interval)) for change in changes)
        assert flapping.score == pytest.approx(left)
        assert flapping.is_on or left < 3
