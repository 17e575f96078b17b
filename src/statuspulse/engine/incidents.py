"""Opens and moves incidents: row, timeline and the messages owed, always in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.actor import Actor
from statuspulse.domain.escalation import Escalation
from statuspulse.domain.ids import new_id, new_ulid
from statuspulse.domain.incident import IncidentState, Move, ResolveReason
from statuspulse.domain.message import Action, Facts
from statuspulse.domain.monitor import Severity
from statuspulse.domain.times import to_text
from statuspulse.engine import escalating, incident_events, notices, syncing
from statuspulse.storage import events, incidents
from statuspulse.storage.incidents import ExternalIds, Incident, TimelineEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a new incident is about; only operators give it an id and a number."""

    team_id: str
    title: str
    severity: Severity
    source: str
    triggered_at: int
    monitor_key: int | None = None
    monitor_id: str | None = None
    dedup_key: str | None = None
    policy: str | None = None
    assignee: str | None = None
    notify: bool = True
    external_ids: ExternalIds = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)
    observations: tuple[dict[str, Any], ...] = ()
    note: TimelineEntry | None = None
    given_id: str | None = None
    given_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What one call makes of an incident: members as they shall be, a move on top, a note; all of it one version.

    `edited` is the incident that was read, with the members replaced that the caller may set. An acknowledgement holds
    `until` then (ms), or as long as the policy says.
    """

    edited: Incident
    move: Move = Move.NONE
    reason: ResolveReason | None = None
    note: TimelineEntry | None = None
    until: int | None = None


def open_incident(connection: Connection, opening: Opening, actor: Actor, now: int, facts: Facts) -> Incident:
    """A new incident; raises IntegrityError when one with its key was opened meanwhile."""
    escalation, heard = (
        escalating.carried(connection, opening, actor, facts, now) if opening.notify else (Escalation(), ())
    )
    incident = incidents.insert(
        connection,
        Incident(
            id=opening.given_id or new_id("inc"),
            team_id=opening.team_id,
            number=opening.given_number or 0,
            monitor_key=opening.monitor_key,
            monitor_id=opening.monitor_id,
            dedup_key=opening.dedup_key,
            state=IncidentState.TRIGGERED,
            version=1,
            title=opening.title,
            severity=opening.severity,
            source=opening.source,
            assignee=opening.assignee,
            occurrences=1,
            notify=opening.notify,
            policy=opening.policy,
            external_ids=opening.external_ids,
            triggered_at=opening.triggered_at,
            triggered_by=actor,
            escalation=escalation,
            created_at=now,
            updated_at=now,
        ),
    )
    syncing.opened(connection, incident, actor, facts, now)
    unheard = {"nobody_told": True} if escalating.is_unheard(connection, incident, now) else {}
    told = [_entry("triggered", actor, now, {**opening.detail, **unheard})]
    if opening.assignee is not None:
        told.append(_entry("assigned", actor, now, {"assignee": opening.assignee, "previous_assignee": None}))
    if opening.external_ids:
        told.append(_entry("linked", actor, now, {"external_ids": opening.external_ids}))
    if opening.note is not None:
        told.append(opening.note)
    incidents.append(connection, incident.id, [*told, *escalating.held_entries(incident, now)])
    opened = incident_events.opened(incident, actor, now, observations=opening.observations, note=opening.note)
    events.record(connection, opened)
    notices.tell(connection, incident, heard, actor, facts, now)
    escalating.set_timers(connection, incident)
    return incident


def change(
    connection: Connection,
    incident: Incident,
    move: Move,
    actor: Actor,
    now: int,
    *,
    facts: Facts,
    reason: ResolveReason | None = None,
) -> Incident:
    """Makes a move that the table allows; raises IncidentChangedError when someone else was faster."""
    return revise(connection, incident, Revision(edited=incident, move=move, reason=reason), actor, now, facts=facts)


def revise(
    connection: Connection, incident: Incident, revision: Revision, actor: Actor, now: int, *, facts: Facts
) -> Incident:
    """Applies a revision of the incident that was read; one that changes nothing leaves the version as it is.

    Raises IncidentChangedError when someone else was faster, IntegrityError when a reopened one meets another with
    its key.
    """
    moved = _moved(revision.edited, revision.move, actor, now, revision.reason)
    moved, heard = escalating.followed(connection, moved, revision.move, actor, facts, now, until=revision.until)
    if moved == incident and revision.note is None:
        return incident
    changed = replace(moved, version=incident.version + 1, updated_at=now)
    incidents.save(connection, changed, read_version=incident.version)
    told = list(_differences(incident, changed, revision, actor, now))
    waits = [(one.escalation.hold, one.escalation.begun_at) for one in (incident, changed)]
    if waits[0] != waits[1]:
        told += escalating.held_entries(changed, now)
    incidents.append(connection, incident.id, told if revision.note is None else [*told, revision.note])
    for event in incident_events.changed(
        incident, changed, revision.move, actor, now, note=revision.note, downtime_ms=facts.downtime_ms
    ):
        events.record(connection, event)
    if changed.notify:
        reached = incident.escalation.hold is None or not incident.escalation.hold.begins
        _tell(connection, changed, revision.move, heard, actor, now, facts=facts, reached=reached)
    syncing.changed(connection, incident, changed, revision.move, actor, now, facts=facts, note=revision.note)
    if (changed.state, changed.escalation) != (incident.state, incident.escalation):
        escalating.set_timers(connection, changed)
    return changed


def tell_update(connection: Connection, incident: Incident, actor: Actor, facts: Facts, now: int) -> None:
    """The incident goes on as it is; those who heard of it hear what is known by now."""
    incidents.append(connection, incident.id, [_entry("observation", actor, now, {"flapping": facts.flapping})])
    if incident.notify and incident.escalation.hold is None:
        notices.tell_involved(connection, incident, Action.UPDATE, actor, facts, now)


def note_of(actor: Actor, now: int, text: str) -> TimelineEntry:
    """A note as it stands in a timeline."""
    return TimelineEntry(id=new_id("note"), at=now, type="note", actor=actor, detail={"text": text})


def _tell(
    connection: Connection,
    incident: Incident,
    move: Move,
    heard: Sequence[str],
    actor: Actor,
    now: int,
    *,
    facts: Facts,
    reached: bool,
) -> None:
    """`reached` says that people were told of it, or would have been if there were any."""
    match move:
        case Move.ACKNOWLEDGE:
            notices.tell_involved(connection, incident, Action.ACKNOWLEDGE, actor, facts, now)
        case Move.RESOLVE:
            notices.tell_end(connection, incident, actor, facts, now, reached=reached)
        case Move.UNACKNOWLEDGE | Move.REOPEN:
            notices.tell(connection, incident, heard, actor, facts, now)
        case Move.NONE | Move.DEDUPLICATE:
            pass


def _moved(incident: Incident, move: Move, actor: Actor, now: int, reason: ResolveReason | None) -> Incident:
    match move:
        case Move.NONE:
            return incident
        case Move.DEDUPLICATE:
            return replace(incident, occurrences=incident.occurrences + 1)
        case Move.ACKNOWLEDGE:
            return replace(incident, state=IncidentState.ACKNOWLEDGED, acknowledged_at=now, acknowledged_by=actor)
        case Move.RESOLVE:
            resolved = (reason or ResolveReason.MANUAL).value
            state = IncidentState.RESOLVED
            return replace(incident, state=state, resolved_at=now, resolved_by=actor, resolve_reason=resolved)
        case Move.UNACKNOWLEDGE:
            return replace(incident, state=IncidentState.TRIGGERED, acknowledged_at=None, acknowledged_by=None)
        case Move.REOPEN:
            return replace(
                incident,
                state=IncidentState.TRIGGERED,
                occurrences=incident.occurrences + 1,
                acknowledged_at=None,
                acknowledged_by=None,
                resolved_at=None,
                resolved_by=None,
                resolve_reason=None,
            )


def _differences(
    before: Incident, after: Incident, revision: Revision, actor: Actor, now: int
) -> Iterator[TimelineEntry]:
    """What the timeline tells of a change, the move first."""
    if revision.move is Move.DEDUPLICATE:
        yield _entry("observation", actor, now, {"occurrences": after.occurrences})
    if after.state is not before.state:
        detail = {"state": after.state.value, "previous_state": before.state.value}
        if after.resolve_reason is not None:
            detail["reason"] = after.resolve_reason
        yield _entry("state_changed", actor, now, detail)
    if revision.until is not None and after.escalation.ack_expires_at == revision.until:
        yield _entry("snoozed", actor, now, {"until": to_text(revision.until)})
    if edited := _edited(before, after):
        yield _entry("observation", actor, now, edited)
    if after.assignee != before.assignee:
        yield _entry("assigned", actor, now, {"assignee": after.assignee, "previous_assignee": before.assignee})
    if after.external_ids != before.external_ids:
        changed = {
            provider: after.external_ids.get(provider)
            for provider in {**before.external_ids, **after.external_ids}
            if after.external_ids.get(provider) != before.external_ids.get(provider)
        }
        yield _entry("linked", actor, now, {"external_ids": changed})


def _edited(before: Incident, after: Incident) -> dict[str, str]:
    """Title and severity, where they are others; the contract has no type of entry for them alone."""
    found: dict[str, str] = {}
    if after.title != before.title:
        found |= {"title": after.title, "previous_title": before.title}
    if after.severity is not before.severity:
        found |= {"severity": after.severity.value, "previous_severity": before.severity.value}
    return found


def _entry(kind: str, actor: Actor, now: int, detail: dict[str, Any]) -> TimelineEntry:
    return TimelineEntry(id=new_ulid("evt", now), at=now, type=kind, actor=actor, detail=detail)
