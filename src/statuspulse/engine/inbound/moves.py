"""Does here what somebody did to an incident on the other side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.domain.actor import Actor
from statuspulse.domain.incident import Move, ResolveReason
from statuspulse.domain.integration import ECHOES, Change, Operation, Report, is_mirrored, move_of
from statuspulse.domain.message import Facts, Message
from statuspulse.domain.times import DAY, MINUTE
from statuspulse.engine.incidents import Revision, note_of, revise
from statuspulse.storage import audit, incident_syncs, incidents, outbox
from statuspulse.storage.incident_syncs import Sync
from statuspulse.storage.incidents import Incident
from statuspulse.storage.integrations import Integration

# An echo comes so soon, and their clock and ours differ no more.
_ECHO_SPAN = 2 * MINUTE
_OLDEST = 7 * DAY
_ACTIONS = {
    Move.NONE: "incident.note_added",
    Move.ACKNOWLEDGE: "incident.acknowledged",
    Move.UNACKNOWLEDGE: "incident.unacknowledged",
    Move.RESOLVE: "incident.resolved",
    Move.REOPEN: "incident.reopened",
}


class Verdict(StrEnum):
    """What became of one report."""

    DONE = "done"
    LINKED = "linked"
    NOTHING_TO_DO = "nothing_to_do"
    ECHO = "echo"
    STALE = "stale"
    UNKNOWN_INCIDENT = "unknown_incident"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Met:
    """The incident of ours that a report is about; `by_key` tells that it carried our id."""

    incident: Incident
    sync: Sync
    by_key: bool


def met(connection: Connection, integration: Integration, report: Report) -> Met | None:
    """By their id where we know it, else by ours where the report carries it."""
    known = incident_syncs.with_external_id(connection, integration.id, report.external_id)
    incident_id = known or report.incident_id
    if incident_id is None:
        return None
    incident = incidents.get(connection, integration.team_id, incident_id)
    sync = incident_syncs.get(connection, incident_id, integration.id)
    return None if incident is None or sync is None else Met(incident, sync, known is None)


def standing_for(report: Report, incident_id: str) -> Report:
    """The same as a report about an incident of ours that theirs stands for, among others."""
    return replace(report, incident_id=incident_id, is_grouped=True)


def apply(connection: Connection, integration: Integration, report: Report, now: int) -> tuple[Verdict, str | None]:
    """What became of it, and the id of the incident; raises IncidentChangedError when someone else was faster."""
    found = met(connection, integration, report)
    if found is None:
        return Verdict.UNKNOWN_INCIDENT, None
    incident = found.incident
    if _is_stale(found, report, now):
        return Verdict.STALE, incident.id
    was_linked = _learn(connection, integration, found, report, now)
    if was_linked:
        read = met(connection, integration, report)
        assert read is not None
        incident = read.incident
    if report.change is Change.NOTE:
        return _annotate(connection, integration, incident, report, now), incident.id
    move = move_of(report.change, incident.state)
    if move is Move.NONE:
        return Verdict.LINKED if was_linked else Verdict.NOTHING_TO_DO, incident.id
    if _is_echo(connection, integration, incident, report, now):
        return Verdict.ECHO, incident.id
    return _move(connection, integration, incident, move, report, now), incident.id


def _is_stale(found: Met, report: Report, now: int) -> bool:
    """From before the round that the incident is in, or about an object that stood for it then."""
    incident, at = found.incident, report.at
    if at is not None and now - at > _OLDEST:
        return True
    is_of_first_round = incident.escalation.begun_at <= incident.created_at
    if at is not None and not is_of_first_round and at < incident.escalation.begun_at:
        return True
    is_another = found.by_key and found.sync.external_id not in {None, report.external_id}
    return is_another and not report.is_grouped and report.change is not Change.TRIGGERED


def _learn(connection: Connection, integration: Integration, found: Met, report: Report, now: int) -> bool:
    """Their id of the incident, where a report that carries ours tells it."""
    sync = found.sync
    if not found.by_key or sync.external_id == report.external_id or (report.is_grouped and sync.external_id):
        return False
    learned = replace(sync, external_id=report.external_id, url=report.url, updated_at=now)
    incident_syncs.save(connection, learned)
    provider = integration.kind.value
    links = {**found.incident.external_ids, provider: {"id": report.external_id, "url": report.url}}
    edited = replace(found.incident, external_ids=links)
    revise(connection, found.incident, Revision(edited=edited), _actor(integration, None), now, facts=Facts())
    return True


def _move(
    connection: Connection, integration: Integration, incident: Incident, move: Move, report: Report, now: int
) -> Verdict:
    actor, told = _actor(integration, report.author), incident.escalation.facts
    facts = Facts() if told is None else Facts.of(told)
    reason = ResolveReason.INTEGRATION if move is Move.RESOLVE else None
    try:
        with connection.begin_nested():
            revise(
                connection,
                incident,
                Revision(edited=incident, move=move, reason=reason),
                actor,
                now,
                facts=replace(facts, note=None),
            )
    except IntegrityError:  # another one with its key was opened meanwhile
        return Verdict.CONFLICT
    _record(connection, incident, actor, move, now)
    return Verdict.DONE


def _annotate(
    connection: Connection, integration: Integration, incident: Incident, report: Report, now: int
) -> Verdict:
    text = report.text
    if text is None:
        return Verdict.NOTHING_TO_DO
    for row in outbox.of_destination(connection, incident.id, integration.id):
        if row.action == Operation.NOTE.value:
            message = Message.of(row.body["message"])
            if is_mirrored(text, message.facts.note or "", message.actor):
                return Verdict.ECHO
    actor = _actor(integration, report.author)
    revision = Revision(edited=incident, note=note_of(actor, now, text))
    revise(connection, incident, revision, actor, now, facts=Facts(note=text))
    _record(connection, incident, actor, Move.NONE, now)
    return Verdict.DONE


def _is_echo(connection: Connection, integration: Integration, incident: Incident, report: Report, now: int) -> bool:
    """Whether we made them do it: no person but ours is named, and we asked for it about then."""
    if report.author_id not in {None, integration.own_author}:
        return False
    at = now if report.at is None else report.at
    return any(
        row.action in {operation.value for operation in ECHOES[report.change]}
        and row.lease_epoch > 0
        and row.created_at - _ECHO_SPAN <= at <= row.updated_at + _ECHO_SPAN
        for row in outbox.of_destination(connection, incident.id, integration.id)
    )


def _actor(integration: Integration, person: str | None) -> Actor:
    """The integration, under the name of the person there."""
    return Actor("integration", integration.id, person or integration.name)


def _record(connection: Connection, incident: Incident, actor: Actor, move: Move, now: int) -> None:
    audit.record(connection, incident.team_id, at=now, actor=actor, action=_ACTIONS[move], resource=incident.id)
