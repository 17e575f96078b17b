"""A job that calls us: when its next ping is expected, what a signal changes, and what silence means.

Every ping that is expected and does not come by its deadline is one failure. Instants are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.times import to_text

HEARTBEAT = "heartbeat"
# Where results of pings stand in place of a region; no probe and no other monitor can have it.
INBOUND = "inbound"


class Signal(StrEnum):
    """What a ping says."""

    SUCCESS = "success"
    START = "start"
    FAILURE = "failure"


class Schedule(Protocol):
    """When pings are expected."""

    def after_ping(self, at: int) -> int:
        """The moment at which the ping after one at this instant is expected."""

    def following(self, expected_at: int, after: int) -> int:
        """Of the expected moments that go on from `expected_at`, itself included, the first behind the instant."""


@dataclass(frozen=True, slots=True)
class Period:
    """A ping is expected a fixed time (ms) after the one before."""

    length: int

    def after_ping(self, at: int) -> int:
        return at + self.length

    def following(self, expected_at: int, after: int) -> int:
        return expected_at + max(0, (after - expected_at) // self.length + 1) * self.length


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed on: when pings are expected, and how much later (ms) they may come or a run may end."""

    schedule: Schedule
    grace: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What is known of a job. Without a deadline nothing is expected: it has never called, or is paused.

    While a run is open (`started_at`) the deadline is that of the run.
    """

    last_ping_at: int | None = None
    started_at: int | None = None
    expected_at: int | None = None
    due_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """What has not come: the moment at which it should have begun, and why that is known."""

    since: int
    failure: Failure


def started(beat: Beat, at: int, terms: Terms) -> Beat:
    """A run has begun. One that begins while another is open gives that one no more time."""
    due_at = at + terms.grace if beat.started_at is None else beat.due_at
    return replace(beat, started_at=at, due_at=due_at)


def ended(beat: Beat, at: int, terms: Terms) -> tuple[Beat, int | None]:
    """The job has told how it went; with how long (ms) that took, None where it did not tell when it began."""
    took = None if beat.started_at is None else max(0, at - beat.started_at)
    return _expecting(replace(beat, last_ping_at=at), terms.schedule.after_ping(at), terms), took


def missed(beat: Beat, terms: Terms, now: int) -> tuple[Beat, Missed] | None:
    """What was due by now and has not come, and what is expected next; None where nothing was."""
    if beat.due_at is None or beat.due_at > now:
        return None
    if beat.started_at is not None:
        begun = beat.due_at - terms.grace
        text = f"a run began at {to_text(begun)} and had not ended by {to_text(beat.due_at)}"
    elif beat.expected_at is not None:
        begun = beat.expected_at
        text = f"no ping since {_last(beat)}; one was expected by {to_text(beat.due_at)}"
    else:
        raise AssertionError("a deadline belongs to a run or to an expected ping")
    failure = Failure.of(FailureClass.HEARTBEAT_MISSED, text)
    return _skipped(beat, terms, now), Missed(since=begun, failure=failure)


def after_absence(beat: Beat, terms: Terms, since: int, until: int) -> tuple[Beat, bool]:
    """What holds after a time in which nobody listened, and whether it may have swallowed the ping that was due.

    A ping is taken to come within the grace before or behind its moment, the end of a run at any time. What fell due
    meanwhile is never held against the job: the moment after the absence counts. If that lies within the old deadline,
    nothing is in doubt.
    """
    if beat.due_at is None:
        return beat, False
    earliest = beat.started_at if beat.started_at is not None else (beat.expected_at or 0) - terms.grace
    if until <= earliest or since > beat.due_at:
        return beat, False
    after = _skipped(beat, terms, until)
    return after, after.expected_at is None or after.expected_at > beat.due_at


def rescheduled(beat: Beat, terms: Terms, now: int) -> Beat:
    """The same under new terms; what was not late before the change is not late because of it."""
    if beat.due_at is None:
        return beat
    expected_at = beat.expected_at
    if beat.last_ping_at is not None:
        expected_at = terms.schedule.after_ping(beat.last_ping_at)
        if expected_at + terms.grace <= now:
            expected_at = terms.schedule.following(expected_at, now)
    if beat.started_at is not None:
        return replace(beat, expected_at=expected_at, due_at=max(now, beat.started_at) + terms.grace)
    return _expecting(beat, expected_at, terms)


def _skipped(beat: Beat, terms: Terms, until: int) -> Beat:
    """Nothing of what was expected up to the instant is waited for any more."""
    if beat.expected_at is None:
        return replace(beat, started_at=None, due_at=None)
    return _expecting(beat, terms.schedule.following(beat.expected_at, until), terms)


def _expecting(beat: Beat, expected_at: int | None, terms: Terms) -> Beat:
    due_at = None if expected_at is None else expected_at + terms.grace
    return replace(beat, started_at=None, expected_at=expected_at, due_at=due_at)


def _last(beat: Beat) -> str:
    return "the monitor began" if beat.last_ping_at is None else to_text(beat.last_ping_at)
