"""What people and programs do with incidents: trigger, acknowledge, resolve, change, annotate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.catalog.incident_opening import facts_of, linked, note_or_none, opening_of
from statuspulse.catalog.incident_references import check_alone, meant
from statuspulse.catalog.members import incident as incident_members
from statuspulse.catalog.members.incident import ADDITIONS, REFERENCES, IncidentEdit, IncidentRequest
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import (
    Detail,
    InvalidInputError,
    MissingError,
    SoftProblem,
    check_identity,
    check_precondition,
    existing,
)
from statuspulse.domain.incident import Asked, IncidentState, Move, availability_key, move
from statuspulse.domain.monitor import Severity
from statuspulse.engine import escalating
from statuspulse.engine.incidents import Revision, note_of, open_incident, revise
from statuspulse.storage import audit, incidents, integrations, monitors
from statuspulse.storage.incidents import Incident, IncidentChangedError, TimelineEntry
from statuspulse.storage.monitors import Monitor

T = TypeVar("T")

# As many writers as may get in between; each try reads what the others left.
_TRIES = 20
_NAMES = {"pagerduty": "PagerDuty", "jira": "Jira", "opsgenie": "Opsgenie"}
_ACTIONS = {
    Move.NONE: "incident.updated",
    Move.DEDUPLICATE: "incident.deduplicated",
    Move.ACKNOWLEDGE: "incident.acknowledged",
    Move.UNACKNOWLEDGE: "incident.unacknowledged",
    Move.RESOLVE: "incident.resolved",
    Move.REOPEN: "incident.reopened",
}
_OF_A_NEW_ONE = ("title", "severity", "escalation_policy", "notify", "occurred_at")
_NOT_BY_EDIT = {"state": "POST /v1/incidents with incident_id and state", "notes": "POST /v1/incidents/{id}/notes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The incident as it is now and as it was before, None where the call opened it."""

    incident: Incident
    before: Incident | None
    move: Move = Move.NONE
    note: TimelineEntry | None = None
    warnings: tuple[SoftProblem, ...] = ()

    @property
    def owes_messages(self) -> bool:
        """Whether channels or integrations may hear of it."""
        if self.before is None or self.move not in {Move.NONE, Move.DEDUPLICATE}:
            return True
        return self.note is not None or self.incident.external_ids != self.before.external_ids


def submit(connection: Connection, change: Change, sent: Mapping[str, Any]) -> Outcome:
    """Does what the body of POST /v1/incidents means.

    Raises InvalidInputError, MissingError, IncidentAlreadyResolvedError.
    """
    request = incident_members.read_request(sent, change.now)
    return judged_again(connection, lambda: _submit(connection, change, request))


def edit(
    connection: Connection,
    change: Change,
    incident_id: str,
    sent: Mapping[str, Any],
    *,
    if_match: frozenset[str] | None,
) -> Outcome:
    """Replaces members; raises InvalidInputError, MissingError, PreconditionFailedError."""
    wanted = incident_members.read_edit(sent)

    def apply() -> Outcome:
        stored = get(connection, change.team_id, incident_id)
        check_precondition(stored.version, if_match, is_needed=change.needs_precondition)
        check_identity(sent, _identity(stored))
        return _edit(connection, change, stored, wanted, _elsewhere(stored, sent))

    return judged_again(connection, apply)


def annotate(
    connection: Connection, change: Change, incident_id: str, sent: Mapping[str, Any]
) -> tuple[Incident, TimelineEntry]:
    """Adds a note to the timeline, of a resolved incident too; raises InvalidInputError, MissingError."""
    text = incident_members.read_note(sent)

    def add() -> tuple[Incident, TimelineEntry]:
        stored, note = get(connection, change.team_id, incident_id), note_of(change.actor, change.now, text)
        revision = Revision(edited=stored, note=note)
        return _revised(connection, change, stored, revision, action="incident.note_added").incident, note

    return judged_again(connection, add)


def get(connection: Connection, team_id: str, incident_id: str) -> Incident:
    """Raises MissingError."""
    return existing(incidents.get(connection, team_id, incident_id))


def judged_again(connection: Connection, work: Callable[[], T]) -> T:
    """Repeats what lost a race: the other's change is committed by then, and decided on."""
    for _ in range(_TRIES - 1):
        with suppress(IncidentChangedError, IntegrityError), connection.begin_nested():
            return work()
    return work()


def _submit(connection: Connection, change: Change, request: IncidentRequest) -> Outcome:
    found = meant(connection, change.team_id, request)
    if found.incident is not None:
        return _move(connection, change, request, found.incident, by_key=found.by_key)
    if request.state not in {None, "triggered"}:
        raise MissingError
    return _open(connection, change, request, found.monitor)


def _open(connection: Connection, change: Change, request: IncidentRequest, monitor: Monitor | None) -> Outcome:
    if monitor is not None and not request.notify and request.dedup_key == availability_key(monitor.id):
        message = "must be true with the monitor's own key, or nobody would hear of its next outage"
        raise InvalidInputError([Detail(code="parameter_conflict", path=("notify",), message=message)])
    opening = opening_of(connection, change, request, monitor)
    facts = facts_of(monitor, opening.note)
    incident = open_incident(connection, opening, change.actor, change.now, facts)
    _record(connection, change, "incident.triggered", incident)
    warnings = (
        *_unheard(connection, incident, change.now),
        *_unconfigured(connection, change.team_id, opening.external_ids),
    )
    return Outcome(incident=incident, before=None, note=opening.note, warnings=warnings)


def _move(
    connection: Connection, change: Change, request: IncidentRequest, stored: Incident, *, by_key: bool
) -> Outcome:
    said = request.model_fields_set - REFERENCES
    if request.state is None and not (said and said <= ADDITIONS):
        message = (
            'is required, unless only notes, assignee or external_ids change: send "state": "triggered" to trigger it'
        )
        raise InvalidInputError([Detail(code="parameter_missing", path=("state",), message=message)])
    state = None if request.state is None else IncidentState(request.state)
    step = move(stored.state, Asked(state=state, reopen=request.reopen, by_key=by_key))
    if step is Move.REOPEN:
        check_alone(connection, stored)
    links = request.external_ids.given()
    edited = replace(
        stored,
        assignee=request.assignee if "assignee" in said else stored.assignee,
        external_ids=linked(stored.external_ids, links),
    )
    revision = Revision(edited=edited, move=step, note=note_or_none(change, request.notes))
    warnings = _unconfigured(connection, change.team_id, links)
    if step is not Move.DEDUPLICATE:
        warnings = (*_ignored(said), *warnings)
    return _revised(connection, change, stored, revision, action=_ACTIONS[step], warnings=warnings)


def _revised(
    connection: Connection,
    change: Change,
    stored: Incident,
    revision: Revision,
    *,
    action: str,
    warnings: tuple[SoftProblem, ...] = (),
) -> Outcome:
    monitor = None
    if stored.monitor_id is not None:
        monitor = monitors.get(connection, change.team_id, stored.monitor_id)
    facts = facts_of(monitor, revision.note)
    incident = revise(connection, stored, revision, change.actor, change.now, facts=facts)
    if incident is not stored:
        _record(connection, change, action, incident)
    if revision.move in {Move.UNACKNOWLEDGE, Move.REOPEN}:
        warnings = (*_unheard(connection, incident, change.now), *warnings)
    return Outcome(incident=incident, before=stored, move=revision.move, note=revision.note, warnings=warnings)


def _edit(
    connection: Connection, change: Change, stored: Incident, wanted: IncidentEdit, warnings: tuple[SoftProblem, ...]
) -> Outcome:
    changes = wanted.external_ids
    links = dict.fromkeys(stored.external_ids) if changes is None else changes.given()
    edited = replace(
        stored,
        title=wanted.title or stored.title,
        severity=stored.severity if wanted.severity is None else Severity(wanted.severity),
        assignee=wanted.assignee if "assignee" in wanted.model_fields_set else stored.assignee,
        external_ids=linked(stored.external_ids, links),
    )
    revision, warnings = Revision(edited=edited), (*warnings, *_unconfigured(connection, change.team_id, links))
    return _revised(connection, change, stored, revision, action="incident.updated", warnings=warnings)


def _unheard(connection: Connection, incident: Incident, now: int) -> tuple[SoftProblem, ...]:
    if not escalating.is_unheard(connection, incident, now):
        return ()
    message = (
        "Nobody is told of this incident: neither its monitor nor its escalation policy names a channel that is on, "
        "the team has no fallback_channel, and no integration takes it."
    )
    return (SoftProblem(code="nobody_told", message=message, param="escalation_policy"),)


def _unconfigured(connection: Connection, team_id: str, links: Mapping[str, object]) -> tuple[SoftProblem, ...]:
    if not any(link is not None for link in links.values()):
        return ()
    configured = integrations.providers_of_team(connection, team_id)
    return tuple(
        SoftProblem(
            code="integration_not_configured",
            message=f"{_NAMES[provider]} is not configured or is disabled: the id is stored, and nothing is synced.",
            param=f"external_ids.{provider}",
        )
        for provider, link in links.items()
        if link is not None and provider not in configured
    )


def _ignored(said: frozenset[str] | set[str]) -> tuple[SoftProblem, ...]:
    return tuple(
        SoftProblem(
            code="parameter_ignored",
            message=f"{name} counts only for a new incident.",
            param=name,
        )
        for name in _OF_A_NEW_ONE
        if name in said
    )


def _elsewhere(stored: Incident, sent: Mapping[str, Any]) -> tuple[SoftProblem, ...]:
    """What differs and is not changed here is refused, except in an answer of an older version that is sent back.

    There it tells how things were then; a warning says that it counted for nothing.
    """
    holds = {"state": stored.state.value, "notes": None}
    differing = {name: way for name, way in _NOT_BY_EDIT.items() if name in sent and sent[name] != holds[name]}
    if sent.get("version", stored.version) == stored.version and differing:
        raise InvalidInputError(
            [
                Detail(code="parameter_immutable", path=(name,), message=f"is not changed here; use {way}")
                for name, way in differing.items()
            ]
        )
    return tuple(
        SoftProblem(code="parameter_ignored", message=f"{name} is not changed here; use {way}.", param=name)
        for name, way in differing.items()
    )


def _identity(stored: Incident) -> dict[str, Any]:
    return {
        "id": stored.id,
        "incident_id": stored.id,
        "team_id": stored.team_id,
        "monitor_id": stored.monitor_id,
        "dedup_key": stored.dedup_key,
    }


def _record(connection: Connection, change: Change, action: str, incident: Incident) -> None:
    audit.record(connection, change.team_id, at=change.now, actor=change.actor, action=action, resource=incident.id)
