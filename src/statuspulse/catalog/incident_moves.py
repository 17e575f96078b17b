"""What people do with an incident beside its state: escalate it now, or leave it alone for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from statuspulse.catalog import incidents as catalog
from statuspulse.catalog.incidents import Outcome, judged_again
from statuspulse.catalog.members.common import Members, Omissible
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, RefusedError
from statuspulse.catalog.validation import read
from statuspulse.domain.escalation import Climb, Progress, jump
from statuspulse.domain.incident import IncidentState, Move
from statuspulse.domain.message import Facts
from statuspulse.domain.times import SECOND
from statuspulse.domain.waiting import up_to
from statuspulse.engine import escalating, notices
from statuspulse.engine.incidents import Revision, revise
from statuspulse.storage import audit
from statuspulse.storage.incidents import Incident


class EscalateRequest(Members):
    """The step to take, counted from 0; by default the one that comes next."""

    step: Omissible[Annotated[int, Field(ge=0, le=9)]] = None


class SnoozeRequest(Members):
    """How long the incident counts as acknowledged; then it is triggered again."""

    seconds: Annotated[int, Field(ge=60, le=604_800)]


def escalate(connection: Connection, change: Change, incident_id: str, sent: Mapping[str, Any]) -> Outcome:
    """Takes a step now; whoever has the incident keeps it. Raises InvalidInputError, MissingError, RefusedError."""
    step = read(EscalateRequest, sent).step

    def take() -> Outcome:
        stored = _open_one(connection, change, incident_id)
        stored = replace(stored, escalation=up_to(stored.escalation, change.now))
        climb = _climb(connection, stored, step, change.now)
        if stored.state is IncidentState.ACKNOWLEDGED:
            climb = Climb(climb.progress.halted(), climb.taken)
        incident = escalating.escalate(connection, stored, climb, change.actor, change.now, reason="manual")
        _record(connection, change, "incident.escalated", incident)
        return Outcome(incident=incident, before=stored)

    return judged_again(connection, take)


def snooze(connection: Connection, change: Change, incident_id: str, sent: Mapping[str, Any]) -> Outcome:
    """Acknowledges until then; raises InvalidInputError, MissingError, RefusedError."""
    until = change.now + read(SnoozeRequest, sent).seconds * SECOND

    def put_off() -> Outcome:
        stored = _open_one(connection, change, incident_id)
        move = Move.ACKNOWLEDGE if stored.state is IncidentState.TRIGGERED else Move.NONE
        revision = Revision(edited=stored, move=move, until=until)
        told = stored.escalation.facts
        facts = Facts() if told is None else Facts.of(told)
        incident = revise(connection, stored, revision, change.actor, change.now, facts=facts)
        _record(connection, change, "incident.snoozed", incident)
        return Outcome(incident=incident, before=stored, move=move)

    return judged_again(connection, put_off)


def _open_one(connection: Connection, change: Change, incident_id: str) -> Incident:
    stored = catalog.get(connection, change.team_id, incident_id)
    if not stored.is_open:
        raise RefusedError("incident_not_open", f"Incident {stored.id} is resolved; reopen it first.")
    return stored


def _climb(connection: Connection, stored: Incident, step: int | None, now: int) -> Climb:
    ladder, progress = stored.escalation.ladder, stored.escalation.progress
    if ladder is None:
        raise _wrong("parameter_conflict", "cannot be taken: no escalation policy applies to this incident")
    reaches = escalating.reaching(connection, notices.about(stored), ladder, now)
    if step is not None and step >= len(ladder.rungs):
        raise _wrong("parameter_out_of_range", f"must be at most {len(ladder.rungs) - 1}, the last of this incident")
    if step is not None:
        return jump(ladder, progress, step, now, reaches)
    if progress.upcoming is not None:
        return jump(ladder, Progress(at=progress.upcoming), progress.upcoming.step, now, reaches)
    following = progress.at.step + 1
    if following >= len(ladder.rungs):
        raise _wrong("parameter_missing", "is required, because the incident has been through all of its steps")
    return jump(ladder, progress, following, now, reaches)


def _wrong(code: str, message: str) -> InvalidInputError:
    return InvalidInputError([Detail(code=code, path=("step",), message=message)])


def _record(connection: Connection, change: Change, action: str, incident: Incident) -> None:
    audit.record(connection, change.team_id, at=change.now, actor=change.actor, action=action, resource=incident.id)
