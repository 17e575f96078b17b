"""How much one destination takes."""

from __future__ import annotations

from statuspulse.delivery.lane import PLACES, Lane
from statuspulse.domain.times import MINUTE, SECOND


def fail(lane: Lane, now: int, times: int = 1, told: int = 0) -> None:
    for _ in range(times):
        lane.enter(now, 0)
        lane.failed(now, told)
        lane.leave()


def test_four_messages_are_under_way_at_most() -> None:
    lane = Lane()
    for _ in range(PLACES):
        assert lane.takes(0)
        lane.enter(0, 0)
    assert not lane.takes(0)
    lane.leave()
    assert lane.takes(0)


def test_messages_keep_their_distance() -> None:
    lane = Lane()
    lane.enter(1000, SECOND)
    assert not lane.takes(1999)
    assert lane.takes(2000)


def test_five_failures_in_a_row_open_the_breaker_and_breaks_grow_to_five_minutes() -> None:
    lane, now = Lane(), 0
    fail(lane, now, times=4)
    assert lane.takes(now)
    fail(lane, now)
    breaks = []
    for _ in range(7):
        breaks.append(lane.opens_at - now)
        assert not lane.takes(lane.opens_at - 1)
        now = lane.opens_at
        assert lane.takes(now)
        fail(lane, now)
    assert breaks == [30 * SECOND, MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE]


def test_an_answer_between_failures_starts_the_count_anew() -> None:
    lane = Lane()
    fail(lane, 0, times=4)
    lane.answered()
    fail(lane, 0, times=4)
    assert not lane.is_broken


def test_one_trial_at_a_time_and_its_success_opens_every_place() -> None:
    lane = Lane()
    fail(lane, 0, times=5)
    now = 30 * SECOND
    lane.enter(now, 0)
    assert not lane.takes(now)
    lane.answered()
    assert lane.takes(now)


def test_failures_that_were_under_way_when_the_breaker_opened_do_not_lengthen_the_break() -> None:
    lane = Lane()
    fail(lane, 0)
    for _ in range(PLACES):
        lane.enter(0, 0)
    for at in range(PLACES):
        lane.failed(at, 0)
        lane.leave()
    assert lane.opens_at == 3 + 30 * SECOND
    assert lane.breaks == 1


def test_a_receiver_that_asks_to_be_left_alone_is() -> None:
    lane = Lane()
    fail(lane, 1000, told=7 * SECOND)
    assert not lane.takes(7999)
    assert lane.takes(8000)


def test_only_what_says_something_is_remembered() -> None:
    lane = Lane()
    lane.enter(0, SECOND)
    assert not lane.is_idle(5000)
    lane.leave()
    assert not lane.is_idle(999)
    assert lane.is_idle(1000)
    fail(lane, 1000)
    assert not lane.is_idle(10**9)
