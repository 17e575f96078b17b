"""Events about incidents: their bodies, as `events.schema.json` has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from statuspulse.domain.actor import SYSTEM, Actor
from statuspulse.domain.escalation import Place
from statuspulse.domain.event import MOST_OBSERVATIONS, Event, EventType
from statuspulse.domain.ids import is_id
from statuspulse.domain.incident import Move
from statuspulse.domain.times import SECOND, to_text
from statuspulse.domain.waiting import next_step_at
from statuspulse.engine.holds import document
from statuspulse.storage.incident_summary import summary
from statuspulse.storage.incidents import Incident, TimelineEntry

_MOST_TARGETS = 20


def opened(
    incident: Incident, actor: Actor, at: int, *, observations: Sequence[Mapping[str, Any]], note: TimelineEntry | None
) -> Event:
    """`suppressed` tells that nobody gets messages of it, or not yet."""
    data = {
        "observations": list(observations)[:MOST_OBSERVATIONS],
        "note": _note(note),
        "suppressed": not incident.notify or document(incident) is not None,
    }
    return _event(EventType.INCIDENT_TRIGGERED, incident, actor, at, data)


def changed(
    before: Incident,
    after: Incident,
    move: Move,
    actor: Actor,
    at: int,
    *,
    note: TimelineEntry | None,
    downtime_ms: int | None,
) -> Iterator[Event]:
    """What one change of an incident is told as: the move with its note, then who has it now."""
    moved = _moved(before, after, move, actor, at, note=note, downtime_ms=downtime_ms)
    if moved is not None:
        yield moved
    if after.assignee != before.assignee:
        yield _event(EventType.INCIDENT_REASSIGNED, after, actor, at, {"previous_assignee": before.assignee})
    if note is not None and (moved is None or "note" not in moved.data):
        yield _event(EventType.INCIDENT_NOTE_ADDED, after, actor, at, {"note": _note(note)})


def escalated(
    incident: Incident, place: Place, targets: Sequence[Mapping[str, str]], actor: Actor, at: int, *, reason: str
) -> Event:
    """A step was taken: by hand, or because nobody answered in time, which is also what a dead channel comes to."""
    data = {
        "reason": "manual" if reason == "manual" else "step_timeout",
        "step": place.step,
        "repeat": place.repeat,
        "targets": list(targets)[:_MOST_TARGETS],
        "next_step_at": _time_or_none(next_step_at(incident.escalation)),
    }
    return _event(EventType.INCIDENT_ESCALATED, incident, actor, at, data)


def _moved(
    before: Incident,
    after: Incident,
    move: Move,
    actor: Actor,
    at: int,
    *,
    note: TimelineEntry | None,
    downtime_ms: int | None,
) -> Event | None:
    open_seconds = max(0, at - after.triggered_at) / SECOND
    match move:
        case Move.NONE if _is_put_off(before, after):
            return _acknowledged(before, after, actor, at, note)
        case Move.NONE | Move.DEDUPLICATE:
            return None
        case Move.ACKNOWLEDGE:
            return _acknowledged(before, after, actor, at, note)
        case Move.UNACKNOWLEDGE:
            data: dict[str, Any] = {"previous_state": before.state.value, "reason": _reason(actor, "ack_timeout")}
            return _event(EventType.INCIDENT_UNACKNOWLEDGED, after, actor, at, data)
        case Move.RESOLVE:
            data = {
                "previous_state": before.state.value,
                "reason": after.resolve_reason,
                "note": _note(note),
                "time_to_resolve_seconds": open_seconds,
                "downtime_seconds": None if downtime_ms is None else downtime_ms / SECOND,
            }
            return _event(EventType.INCIDENT_RESOLVED, after, actor, at, data)
        case Move.REOPEN:
            resolved_at = before.updated_at if before.resolved_at is None else before.resolved_at
            data = {"reason": _reason(actor, "flapping"), "previous_resolved_at": to_text(resolved_at)}
            return _event(EventType.INCIDENT_REOPENED, after, actor, at, data)


def _is_put_off(before: Incident, after: Incident) -> bool:
    """Somebody has it already, and now until another instant."""
    return after.escalation.ack_expires_at is not None and (
        after.escalation.ack_expires_at != before.escalation.ack_expires_at
    )


def _acknowledged(before: Incident, after: Incident, actor: Actor, at: int, note: TimelineEntry | None) -> Event:
    taken_at = at if after.acknowledged_at is None else after.acknowledged_at
    data = {
        "previous_state": before.state.value,
        "note": _note(note),
        "ack_expires_at": _time_or_none(after.escalation.ack_expires_at),
        "time_to_acknowledge_seconds": max(0, taken_at - after.triggered_at) / SECOND,
    }
    return _event(EventType.INCIDENT_ACKNOWLEDGED, after, actor, at, data)


def _event(kind: EventType, incident: Incident, actor: Actor, at: int, data: Mapping[str, Any]) -> Event:
    return Event(
        type=kind,
        team_id=incident.team_id,
        at=at,
        data={"incident": summary(incident), "actor": actor.document(), **data},
        monitor_id=incident.monitor_id,
        incident_id=incident.id,
        origin=actor.origin,
    )


def _note(note: TimelineEntry | None) -> dict[str, Any] | None:
    return None if note is None else {"id": note.id, "text": note.detail["text"], "created_at": to_text(note.at)}


def _reason(actor: Actor, own: str) -> str:
    """Why an incident went back: `own` is the word for what we do by ourselves."""
    if actor == SYSTEM:
        return own
    return "integration" if is_id(actor.id or "", "int") else "manual"


def _time_or_none(at: int | None) -> str | None:
    return None if at is None else to_text(at)
