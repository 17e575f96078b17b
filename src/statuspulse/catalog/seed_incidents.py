"""Incidents with ids, numbers and times that the operator gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog.incident_opening import facts_of, opening_of
from statuspulse.catalog.incident_references import check_policy, monitor_meant
from statuspulse.catalog.members.incident import IncidentRequest, time_problems
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.catalog.seed_file import IncidentHead
from statuspulse.catalog.validation import read
from statuspulse.domain.incident import Move
from statuspulse.engine import incidents as moves
from statuspulse.engine.incidents import Opening
from statuspulse.storage import incidents

_OVER = ("acknowledged", "resolved")


def seed_incident(connection: Connection, change: Change, head: IncidentHead, body: Mapping[str, Any]) -> bool:
    """Stores the incident unless its id is taken; answers whether it did. Without `notify: true` nobody is told.

    An entry is validated in any case; raises InvalidInputError. Only an entry with a dedup key gets one, so that no
    check of its monitor repeats or resolves the incident.
    """
    request = read(IncidentRequest, {"notify": False, **body})
    begun = _begun(head, request, change.now)
    if wrong := [*_out_of_place(head, request), *time_problems(request, change.now), *_disorder(head, begun, change)]:
        raise InvalidInputError(wrong)
    if incidents.exists(connection, head.id):
        return False
    monitor = monitor_meant(connection, change.team_id, request)
    check_policy(connection, change.team_id, request.escalation_policy)
    opening = opening_of(connection, replace(change, now=begun), request, monitor)
    _check_free(connection, head, opening)
    given = replace(opening, triggered_at=begun, given_id=head.id, given_number=head.number)
    facts = facts_of(monitor, given.note)
    incident = moves.open_incident(connection, given, change.actor, begun, facts)
    for step, at in _way(head, request, change.now):
        incident = moves.change(connection, incident, step, change.actor, at, facts=facts)
    return True


def _begun(head: IncidentHead, request: IncidentRequest, now: int) -> int:
    """When it was triggered, by default no later than anything else that happened to it."""
    given = head.triggered_at if request.occurred_at is None else min(request.occurred_at, now)
    later = [at for at in (head.acknowledged_at, head.resolved_at) if at is not None]
    return min([now, *later]) if given is None else given


def _way(head: IncidentHead, request: IncidentRequest, now: int) -> Iterator[tuple[Move, int]]:
    """What happened after the trigger, and when."""
    if request.state == "acknowledged" or head.acknowledged_at is not None:
        yield Move.ACKNOWLEDGE, now if head.acknowledged_at is None else head.acknowledged_at
    if request.state == "resolved":
        yield Move.RESOLVE, now if head.resolved_at is None else head.resolved_at


def _out_of_place(head: IncidentHead, request: IncidentRequest) -> Iterator[Detail]:
    if request.title is None and request.monitor_id is None:
        yield Detail(code="parameter_missing", path=("title",), message="is required without monitor_id")
    if request.incident_id is not None:
        yield Detail(
            code="unknown_parameter", path=("incident_id",), message='has no place here; the id stands in "id"'
        )
    if request.reopen:
        yield _wrong("reopen", "has no place here; send the state that holds")
    if head.triggered_at is not None and request.occurred_at is not None:
        yield _wrong("occurred_at", "says the same as triggered_at; send one of the two")
    if head.acknowledged_at is not None and request.state not in _OVER:
        yield _wrong("acknowledged_at", "needs the state acknowledged or resolved")
    if head.resolved_at is not None and request.state != "resolved":
        yield _wrong("resolved_at", "needs the state resolved")


def _disorder(head: IncidentHead, begun: int, change: Change) -> Iterator[Detail]:
    """The times follow each other and end now."""
    given = [("triggered_at", begun), ("acknowledged_at", head.acknowledged_at), ("resolved_at", head.resolved_at)]
    told = [*((name, at) for name, at in given if at is not None), ("now", change.now)]
    for (name, at), (next_name, next_at) in pairwise(told):
        if at > next_at:
            yield _wrong(name, f"must not lie after {next_name}")


def _check_free(connection: Connection, head: IncidentHead, opening: Opening) -> None:
    if head.number is not None and incidents.has_number(connection, opening.team_id, head.number):
        raise InvalidInputError([_wrong("number", "is the number of another incident of the team")])
    if opening.dedup_key is None:
        return
    others = incidents.open_with_key(connection, opening.team_id, opening.dedup_key, opening.monitor_key)
    if any(other.monitor_key == opening.monitor_key for other in others):
        raise InvalidInputError([_wrong("dedup_key", "is the key of another open incident")])


def _wrong(name: str, message: str) -> Detail:
    return Detail(code="parameter_conflict", path=(name,), message=message)
