"""Systems of others that incidents are kept in step with: kinds, directions, and what a change means there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from statuspulse.domain.incident import IncidentState, Move


class Kind(StrEnum):
    """Whom an integration speaks to."""

    PAGERDUTY = "pagerduty"
    JIRA = "jira"
    ALERTMANAGER = "alertmanager"

    @property
    def is_pushed_to(self) -> bool:
        """Whether it holds incidents of ours; the others only tell us of theirs."""
        return self is not Kind.ALERTMANAGER


class Direction(StrEnum):
    """Whether changes that are made there come back to us."""

    PUSH = "push"
    BOTH = "both"


class Operation(StrEnum):
    """What a provider is asked to do for an incident; `test` is about none."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    NOTE = "note"
    LINK = "link"
    TEST = "test"


_OF_MOVES = {
    Move.ACKNOWLEDGE: Operation.ACKNOWLEDGE,
    Move.UNACKNOWLEDGE: Operation.UNACKNOWLEDGE,
    Move.RESOLVE: Operation.RESOLVE,
    Move.REOPEN: Operation.REOPEN,
}
_OF_STATES = {
    IncidentState.ACKNOWLEDGED: Operation.ACKNOWLEDGE,
    IncidentState.RESOLVED: Operation.RESOLVE,
}
# The words of `incident.sync_failed`, where they are others than ours.
_IN_EVENTS = {
    Kind.PAGERDUTY: {Operation.UNACKNOWLEDGE: "trigger", Operation.REOPEN: "trigger"},
    Kind.JIRA: {
        Operation.TRIGGER: "create_issue",
        Operation.ACKNOWLEDGE: "transition",
        Operation.UNACKNOWLEDGE: "transition",
        Operation.RESOLVE: "transition",
        Operation.REOPEN: "transition",
        Operation.NOTE: "comment",
    },
}


def of_move(move: Move) -> Operation | None:
    """What a move of ours means to a provider; None for what it need not know."""
    return _OF_MOVES.get(move)


def of_state(state: IncidentState) -> Operation | None:
    """What brings what was just triggered there to the state; None where nothing does."""
    return _OF_STATES.get(state)


def in_events(kind: Kind, operation: Operation) -> str:
    """The operation as events name it."""
    return _IN_EVENTS.get(kind, {}).get(operation, operation.value)


def opens(kind: Kind, config: Mapping[str, Any], severity: str) -> bool:
    """Whether a new incident of the severity is one that the integration makes something of."""
    match kind:
        case Kind.PAGERDUTY:
            return True
        case Kind.JIRA:
            return severity in config["create_on"]
        case Kind.ALERTMANAGER:
            return False


def tells_of_links(kind: Kind) -> bool:
    """Whether something that people link to an incident is told that it is."""
    return kind is Kind.JIRA


def url_of(kind: Kind, config: Mapping[str, Any], external_id: str) -> str | None:
    """Where people see what has the id there, where that follows from the id."""
    return f"{config['base_url'].rstrip('/')}/browse/{external_id}" if kind is Kind.JIRA else None


def takes_notes(kind: Kind, config: Mapping[str, Any]) -> bool:
    """Whether notes have a place there: those of PagerDuty are written by its REST API alone."""
    return kind is Kind.JIRA or (kind is Kind.PAGERDUTY and config["rest"] is not None)


class SyncStatus(StrEnum):
    """How an incident stands with a provider."""

    PENDING = "pending"
    SYNCED = "synced"
    FAILED = "failed"


class Change(StrEnum):
    """What somebody did on the other side."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    NOTE = "note"


# What of ours would have made them do it: an echo of that is no news.
ECHOES = {
    Change.TRIGGERED: (Operation.TRIGGER, Operation.REOPEN),
    Change.ACKNOWLEDGED: (Operation.ACKNOWLEDGE,),
    Change.UNACKNOWLEDGED: (Operation.UNACKNOWLEDGE,),
    Change.RESOLVED: (Operation.RESOLVE,),
    Change.REOPENED: (Operation.REOPEN, Operation.UNACKNOWLEDGE),
    Change.NOTE: (Operation.NOTE,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One change on the other side, as a webhook tells of it.

    `external_id` is theirs, `incident_id` the id of ours where the message carries it. `author_id` and `author` are
    the person there, None for a machine. `at` is when it happened there (ms), None where that is not told.
    `is_grouped` tells that theirs stands for others beside ours.
    """

    change: Change
    external_id: str
    incident_id: str | None = None
    url: str | None = None
    author_id: str | None = None
    author: str | None = None
    text: str | None = None
    at: int | None = None
    is_grouped: bool = False


class UnreadableError(ValueError):
    """A message from the other side that does not have the form it should have; the text says what is wrong."""


def move_of(change: Change, current: IncidentState) -> Move:
    """What a change there does here: only forward, or what is an explicit step back.

    An acknowledgement of what is resolved here moves nothing.
    """
    match change, current:
        case Change.ACKNOWLEDGED, IncidentState.TRIGGERED:
            return Move.ACKNOWLEDGE
        case Change.RESOLVED, IncidentState.TRIGGERED | IncidentState.ACKNOWLEDGED:
            return Move.RESOLVE
        case Change.UNACKNOWLEDGED, IncidentState.ACKNOWLEDGED:
            return Move.UNACKNOWLEDGE
        case Change.REOPENED, IncidentState.RESOLVED:
            return Move.REOPEN
        case _:
            return Move.NONE


_CUT_FROM = 200
_SIGNATURE = ", StatusPulse)"


def mirrored(text: str, actor: str) -> str:
    """A note as it is written on the other side, with the name of who wrote it here."""
    return f"{text}\n\n({actor}{_SIGNATURE}"


def is_signed_by_us(text: str) -> bool:
    """Whether a text from the other side ends as those do that we write there."""
    return text.rstrip().endswith(_SIGNATURE)


def is_mirrored(text: str, note: str, actor: str) -> bool:
    """Whether a note from the other side is one of ours come back; a long one may have been cut there."""
    given, ours = " ".join(text.split()), " ".join(mirrored(note, actor).split())
    return given == ours or (len(given) >= _CUT_FROM and ours.startswith(given.rstrip("….")))
