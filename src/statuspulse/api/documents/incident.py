"""Incidents as documents, and what was done to them in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from statuspulse.api.documents.monitor import time_or_null
from statuspulse.catalog.incidents import Outcome
from statuspulse.domain.actor import Actor
from statuspulse.domain.incident import IncidentState, Move
from statuspulse.domain.times import to_text
from statuspulse.domain.waiting import as_planned, next_step_at
from statuspulse.engine.holds import document as hold_document
from statuspulse.storage.incident_syncs import Sync
from statuspulse.storage.incidents import Incident, TimelineEntry

_VERBS = {Move.UNACKNOWLEDGE: "triggered again", Move.REOPEN: "reopened"}


def incident_document(incident: Incident, syncs: Sequence[Sync]) -> dict[str, Any]:
    """The incident, and how it stands elsewhere; what a call has done stands in three members that are empty here."""
    path = f"/v1/incidents/{incident.id}"
    return {
        "object": "incident",
        "id": incident.id,
        "incident_id": incident.id,
        "number": incident.number,
        "version": incident.version,
        "title": incident.title,
        "state": incident.state.value,
        "previous_state": None,
        "severity": incident.severity.value,
        "source": incident.source,
        "monitor_id": incident.monitor_id,
        "team_id": incident.team_id,
        "dedup_key": incident.dedup_key,
        "occurrences": incident.occurrences,
        "deduplicated": False,
        "assignee": incident.assignee,
        "notes": None,
        "escalation": _escalation(incident),
        "triggered_at": to_text(incident.triggered_at),
        "triggered_by": incident.triggered_by.document(),
        "acknowledged_at": time_or_null(incident.acknowledged_at),
        "acknowledged_by": _actor(incident.acknowledged_by),
        "ack_expires_at": time_or_null(as_planned(incident.escalation).ack_expires_at),
        "resolved_at": time_or_null(incident.resolved_at),
        "resolved_by": _actor(incident.resolved_by),
        "resolve_reason": incident.resolve_reason,
        "external_ids": {provider: link["id"] for provider, link in incident.external_ids.items()},
        "sync": list(_syncs(incident, syncs)),
        "created_at": to_text(incident.created_at),
        "updated_at": to_text(incident.updated_at),
        "links": {"self": path, "timeline": f"{path}/timeline"},
    }


def outcome_document(outcome: Outcome, syncs: Sequence[Sync]) -> dict[str, Any]:
    """The incident after a call, with what the call has done."""
    return {
        **incident_document(outcome.incident, syncs),
        "previous_state": None if outcome.before is None else outcome.before.state.value,
        "deduplicated": outcome.move is Move.DEDUPLICATE,
        "notes": None if outcome.note is None else outcome.note.detail["text"],
    }


def entry_document(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "object": "timeline_entry",
        "id": entry.id,
        "at": to_text(entry.at),
        "type": entry.type,
        "actor": entry.actor.document(),
        "detail": entry.detail,
    }


def note_document(incident: Incident, note: TimelineEntry) -> dict[str, Any]:
    at = to_text(note.at)
    return {
        "object": "note",
        "id": note.id,
        "incident_id": incident.id,
        "team_id": incident.team_id,
        "text": note.detail["text"],
        "actor": note.actor.document(),
        "created_at": at,
        "updated_at": at,
    }


_WAITS = {
    "maintenance": "maintenance holds what is to follow until {until}",
    "quiet_hours": "nobody has heard of it, and its channels have quiet hours until {until}",
    "dependency_down": "nobody is told of it while what its monitor depends on is down",
    "dependency_in_doubt": "nobody is told of it before it is clear whether what its monitor depends on is down",
    "confirming": "nobody is told of it before fresh checks confirm it",
}


def state_sentence(incident: Incident) -> str:
    """What it is, and why nobody is told for now."""
    held = hold_document(incident)
    waits = "" if held is None else f"; {_WAITS[held['reason']].format(until=held['until'])}"
    return f"Incident {incident.id} is {incident.state.value}{waits}."


def sentence(outcome: Outcome) -> str:
    """What became of the incident, for people."""
    incident, before = outcome.incident, outcome.before
    name = f"Incident {incident.id}"
    if outcome.move is Move.DEDUPLICATE:
        return f"{name} is open already; this is its occurrence {incident.occurrences}, and nobody is told again."
    if before is None or outcome.move is not Move.NONE:
        return f"{name} {_VERBS.get(outcome.move, incident.state.value)}{_and_whose(incident)}."
    done = ", ".join(_done(outcome, before))
    stands = f"{name} was already {incident.state.value}"
    return f"{stands}; {done}." if done else f"{stands}."


def update_sentence(outcome: Outcome) -> str:
    """What a call without a state did, for people."""
    incident, before = outcome.incident, outcome.before
    if before is None or before.version == incident.version:
        return f"Nothing changed; incident {incident.id} has the version {incident.version}."
    done = ", ".join(_done(outcome, before))
    return f"Incident {incident.id} updated{f': {done}' if done else ''}."


def _and_whose(incident: Incident) -> str:
    if incident.state is IncidentState.RESOLVED or incident.assignee is None:
        return ""
    return f" and assigned to {incident.assignee}"


def _done(outcome: Outcome, before: Incident) -> Iterator[str]:
    incident = outcome.incident
    if incident.title != before.title:
        yield "it has another title"
    if incident.severity is not before.severity:
        yield f"its severity is {incident.severity.value}"
    if incident.assignee != before.assignee:
        yield "assigned to nobody" if incident.assignee is None else f"assigned to {incident.assignee}"
    if incident.external_ids != before.external_ids:
        yield "its external ids were changed"
    if outcome.note is not None:
        yield "the note was added"


def _escalation(incident: Incident) -> dict[str, Any]:
    progress = incident.escalation.progress
    return {
        "policy": incident.policy,
        "step": progress.at.step,
        "repeat": progress.at.repeat,
        "next_step_at": time_or_null(next_step_at(incident.escalation)),
        "exhausted": progress.exhausted,
        "held": hold_document(incident),
    }


def _syncs(incident: Incident, syncs: Sequence[Sync]) -> Iterator[dict[str, Any]]:
    """Every provider that has the incident or shall have it, then those that the team has no integration with."""
    for sync in syncs:
        yield {
            "provider": sync.provider,
            "status": sync.status.value,
            "external_id": sync.external_id,
            "url": sync.url,
            "last_error": sync.last_error,
            "updated_at": to_text(sync.updated_at),
        }
    configured = {sync.provider for sync in syncs}
    for provider, link in incident.external_ids.items():
        if provider not in configured:
            yield {
                "provider": provider,
                "status": "not_configured",
                "external_id": link["id"],
                "url": link["url"],
                "last_error": None,
                "updated_at": to_text(incident.updated_at),
            }


def _actor(actor: Actor | None) -> dict[str, str | None] | None:
    return None if actor is None else actor.document()
