"""When a message is handed over again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.backoff import CHANNELS, RetryAfter
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND, from_text

OWED = from_text("2026-11-23T06:24:43.881Z")
DATE = "Mon, 23 Nov 2026 06:24:43 GMT"


def next_attempt(attempts: int, now: int = OWED, jitter: float = 0.5, told: RetryAfter | None = None) -> int | None:
    return CHANNELS.next_attempt(attempts=attempts, owed_at=OWED, now=now, jitter=jitter, retry_after=told)


def wait(text: str, answered: str | None = None, now: int = OWED) -> int | None:
    return RetryAfter(text=text, answered=answered).wait(now)


def test_the_waits_are_those_of_the_table() -> None:
    waits = [(next_attempt(attempts) or 0) - OWED for attempts in range(1, 9)]
    expected = [5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 15 * MINUTE, 15 * MINUTE, 15 * MINUTE]
    assert waits == expected


@given(attempts=st.integers(1, 200), jitter=st.floats(0, 1, exclude_max=True))
def test_a_wait_is_spread_by_a_fifth_at_most(attempts: int, jitter: float) -> None:
    middle, spread = next_attempt(attempts), next_attempt(attempts, jitter=jitter)
    assert middle is not None
    assert spread is not None
    assert abs((spread - OWED) - (middle - OWED)) <= (middle - OWED) // 5


def test_jitter_reaches_both_ends_of_the_fifth() -> None:
    assert next_attempt(2, jitter=0.0) == OWED + 12 * SECOND
    assert next_attempt(2, jitter=0.999999) == OWED + 18 * SECOND


def test_the_last_attempt_is_made_when_a_day_has_passed_and_then_never() -> None:
    assert next_attempt(90, now=OWED + DAY - MINUTE) == OWED + DAY
    assert next_attempt(91, now=OWED + DAY - 1) == OWED + DAY
    assert next_attempt(92, now=OWED + DAY) is None
    assert next_attempt(92, now=OWED + DAY, told=RetryAfter(text="5", answered=None)) is None


@given(jitter=st.floats(0, 1, exclude_max=True), took=st.integers(0, 15 * SECOND))
def test_whatever_the_jitter_the_message_ends_after_a_day(jitter: float, took: int) -> None:
    now, attempts = OWED, 0
    while True:
        attempts += 1
        at = next_attempt(attempts, now=now + took, jitter=jitter)
        if at is None:
            break
        assert at >= now + took
        now = at
    assert OWED + DAY <= now + took <= OWED + DAY + took
    assert 75 <= attempts <= 125


def test_what_the_receiver_asks_for_wins_up_to_a_quarter_of_an_hour() -> None:
    for attempts in (1, 6):
        assert next_attempt(attempts, told=RetryAfter(text="7", answered=None)) == OWED + 7 * SECOND
        assert next_attempt(attempts, told=RetryAfter(text="86400", answered=None)) == OWED + 15 * MINUTE


def test_no_wait_and_no_sense_leave_the_table_in_force() -> None:
    for text in ("0", "", "soon", "-5", "1.5", "Mon, 23 Nov 2020 00:00:00 GMT"):
        assert next_attempt(3, told=RetryAfter(text=text, answered=None)) == OWED + MINUTE


def test_a_date_counts_from_the_answers_own_date() -> None:
    assert wait("Mon, 23 Nov 2026 06:25:43 GMT", DATE, now=OWED + HOUR) == MINUTE
    assert wait("Mon, 23 Nov 2026 06:25:43 GMT", None, now=from_text("2026-11-23T06:25:40Z")) == 3 * SECOND
    assert wait("Mon, 23 Nov 2026 06:25:43 GMT", "nonsense", now=from_text("2026-11-23T06:25:40Z")) == 3 * SECOND
    assert wait("Mon, 23 Nov 2026 06:24:00 GMT", DATE) == 0


@pytest.mark.parametrize(
    "text", ["Monday, 23-Nov-26 06:25:43 GMT", "Mon Nov 23 06:25:43 2026", "Mon, 23 Nov 2026 06:25:43 -0000"]
)
def test_the_obsolete_forms_of_a_date_are_read(text: str) -> None:
    assert wait(text, DATE) == MINUTE


def test_an_endless_number_is_a_long_wait() -> None:
    assert (wait("9" * 10_000) or 0) > DAY


@given(text=st.text(), answered=st.none() | st.text())
def test_no_header_breaks_anything(text: str, answered: str | None) -> None:
    told = wait(text, answered)
    assert told is None or told >= 0
