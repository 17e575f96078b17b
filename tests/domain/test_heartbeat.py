"""When pings are expected, what signals change, and what silence and our own absence mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.heartbeat import (
    Beat,
    Period,
    Terms,
    after_absence,
    ended,
    missed,
    rescheduled,
    started,
)
from statuspulse.domain.times import HOUR, MINUTE, SECOND, from_text

NOON = from_text("2026-11-23T12:00:00Z")
HOURLY = Terms(Period(HOUR), 5 * MINUTE)
UP = Beat(last_ping_at=NOON, expected_at=NOON + HOUR, due_at=NOON + HOUR + 5 * MINUTE)
DUE = NOON + HOUR + 5 * MINUTE


def test_a_ping_expects_the_next_one_a_period_later_and_waits_the_grace() -> None:
    assert ended(Beat(), NOON, HOURLY) == (UP, None)


def test_what_never_called_is_waited_for_by_nobody() -> None:
    assert missed(Beat(), HOURLY, NOON) is None
    assert after_absence(Beat(), HOURLY, NOON, NOON + HOUR) == (Beat(), False)
    assert rescheduled(Beat(), HOURLY, NOON) == Beat()


def test_nothing_is_missed_before_its_deadline() -> None:
    assert missed(UP, HOURLY, DUE - 1) is None
    assert missed(UP, HOURLY, DUE) is not None


def test_silence_says_what_was_missed_and_goes_on_expecting() -> None:
    found = missed(UP, HOURLY, DUE)
    assert found is not None
    beat, told = found
    assert (told.since, told.failure.kind) == (NOON + HOUR, FailureClass.HEARTBEAT_MISSED)
    assert told.failure.detail == (
        "no ping since 2026-11-23T12:00:00.000Z; one was expected by 2026-11-23T13:05:00.000Z"
    )
    assert beat == Beat(last_ping_at=NOON, expected_at=NOON + 2 * HOUR, due_at=NOON + 2 * HOUR + 5 * MINUTE)


def test_a_run_is_measured_from_its_start() -> None:
    running = started(UP, NOON + HOUR, HOURLY)
    assert running.started_at == NOON + HOUR
    beat, took = ended(running, NOON + HOUR + 90 * SECOND, HOURLY)
    assert (took, beat.started_at) == (90 * SECOND, None)
    assert beat.expected_at == NOON + 2 * HOUR + 90 * SECOND


def test_a_clock_that_was_set_back_makes_no_negative_run() -> None:
    assert ended(started(UP, NOON, HOURLY), NOON - SECOND, HOURLY)[1] == 0


def test_a_run_that_does_not_end_within_the_grace_is_missed_from_its_start() -> None:
    running = started(UP, NOON + HOUR + MINUTE, HOURLY)
    assert missed(running, HOURLY, DUE) is None
    found = missed(running, HOURLY, DUE + MINUTE)
    assert found is not None
    beat, told = found
    assert told.since == NOON + HOUR + MINUTE
    assert told.failure.detail == (
        "a run began at 2026-11-23T13:01:00.000Z and had not ended by 2026-11-23T13:06:00.000Z"
    )
    assert (beat.started_at, beat.expected_at) == (None, NOON + 2 * HOUR)


def test_a_run_that_hangs_before_its_time_leaves_the_expected_ping_expected() -> None:
    found = missed(started(UP, NOON + MINUTE, HOURLY), HOURLY, NOON + 6 * MINUTE)
    assert found is not None
    assert found[0] == UP


def test_a_job_that_starts_over_and_over_is_no_longer_waited_for() -> None:
    running = started(Beat(), NOON, HOURLY)
    for minute in range(1, 6):
        running = started(running, NOON + minute * MINUTE, HOURLY)
    assert (running.started_at, running.due_at) == (NOON + 5 * MINUTE, NOON + 5 * MINUTE)


def test_a_first_run_that_never_ends_leaves_nothing_that_is_expected() -> None:
    found = missed(started(Beat(), NOON, HOURLY), HOURLY, NOON + 5 * MINUTE)
    assert found is not None
    assert found[0] == Beat()


@pytest.mark.parametrize(
    ("since", "until", "expected_hours", "in_doubt"),
    [
        (NOON + MINUTE, NOON + 2 * MINUTE, 1, False),  # long before the ping was due
        (NOON + 50 * MINUTE, NOON + 54 * MINUTE, 1, False),
        (NOON + 54 * MINUTE, NOON + 56 * MINUTE, 1, False),  # it may have come early, and then comes again in time
        (NOON + 59 * MINUTE, NOON + 61 * MINUTE, 2, True),  # over the moment itself
        (DUE - SECOND, DUE + SECOND, 2, True),  # it may have come late
        (NOON + MINUTE, NOON + 5 * HOUR + MINUTE, 6, True),
    ],
)
def test_an_absence_of_ours_is_never_held_against_a_job(
    since: int, until: int, expected_hours: int, in_doubt: bool
) -> None:
    beat, doubted = after_absence(UP, HOURLY, since, until)
    assert doubted is in_doubt
    assert beat.expected_at == NOON + expected_hours * HOUR
    assert beat.due_at == NOON + expected_hours * HOUR + 5 * MINUTE


def test_a_deadline_that_passed_before_the_absence_has_passed() -> None:
    beat, in_doubt = after_absence(UP, HOURLY, DUE + 1, DUE + HOUR)
    assert (beat, in_doubt) == (UP, False)


def test_where_pings_are_frequent_a_short_absence_leaves_no_doubt() -> None:
    terms = Terms(Period(MINUTE), 10 * MINUTE)
    beat, _ = ended(Beat(), NOON, terms)
    after, in_doubt = after_absence(beat, terms, NOON + 55 * SECOND, NOON + 65 * SECOND)
    assert (after.expected_at, after.due_at, in_doubt) == (NOON + 2 * MINUTE, NOON + 12 * MINUTE, False)


def test_the_end_of_a_run_may_be_lost_in_an_absence() -> None:
    running = started(UP, NOON + HOUR, HOURLY)
    beat, in_doubt = after_absence(running, HOURLY, NOON + HOUR + MINUTE, NOON + HOUR + 2 * MINUTE)
    assert (beat.started_at, beat.expected_at, in_doubt) == (None, NOON + 2 * HOUR, True)
    first = started(Beat(), NOON, HOURLY)
    assert after_absence(first, HOURLY, NOON + 1, NOON + 2) == (Beat(), True)


def test_new_terms_count_from_the_last_ping() -> None:
    assert rescheduled(UP, Terms(Period(2 * HOUR), MINUTE), NOON + MINUTE).due_at == NOON + 2 * HOUR + MINUTE


def test_nobody_is_late_by_an_edit_alone() -> None:
    shorter = Terms(Period(10 * MINUTE), MINUTE)
    beat = rescheduled(UP, shorter, NOON + 34 * MINUTE)
    assert (beat.expected_at, beat.due_at) == (NOON + 40 * MINUTE, NOON + 41 * MINUTE)


def test_a_run_gets_the_new_grace() -> None:
    running = started(UP, NOON + HOUR, HOURLY)
    beat = rescheduled(running, Terms(Period(HOUR), HOUR), NOON + HOUR + MINUTE)
    assert (beat.started_at, beat.due_at) == (NOON + HOUR, NOON + 2 * HOUR + MINUTE)


@given(length=st.integers(1, 10**8), expected_at=st.integers(0, 10**10), after=st.integers(0, 10**10))
def test_the_following_moment_is_the_first_of_the_grid_behind_the_instant(
    length: int, expected_at: int, after: int
) -> None:
    at = Period(length).following(expected_at, after)
    assert at > after
    assert at >= expected_at
    assert (at - expected_at) % length == 0
    assert at == expected_at or at - length <= after


@given(
    period=st.integers(1, 10**6),
    grace=st.integers(1, 10**6),
    lateness=st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
    since=st.integers(1, 10**7),
    length=st.integers(1, 10**7),
)
def test_a_job_that_keeps_its_time_is_never_called_late_whenever_we_are_away(
    period: int, grace: int, lateness: list[int], since: int, length: int
) -> None:
    """Pings come at their moments or up to the grace later; those in the absence are lost."""
    terms, until = Terms(Period(period), grace), since + length
    beat, _ = ended(Beat(), 0, terms)
    is_back = False
    for number, late in enumerate(lateness, start=1):
        at = number * period + min(late, grace, period - 1)
        if since <= at < until:
            continue
        if at >= until and not is_back:
            beat, _ = after_absence(beat, terms, since, until)
            is_back = True
        assert missed(beat, terms, at - 1) is None
        beat, _ = ended(beat, at, terms)
