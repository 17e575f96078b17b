"""Escalating an incident now, and leaving it alone for a while."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from statuspulse.api.answers.incident import IncidentAnswer
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.incident import outcome_document
from statuspulse.api.envelope import answer
from statuspulse.api.examples import incident as examples
from statuspulse.api.headers import etag
from statuspulse.api.operation import Body, Operation
from statuspulse.api.resources.incidents import known_id, syncs_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog import incident_moves
from statuspulse.catalog.incidents import Outcome
from statuspulse.domain.times import to_text

router = APIRouter(route_class=CheckedRoute, tags=["Incidents"])

ESCALATE = Operation(
    id="escalateIncident",
    summary="Take a step of the escalation policy now",
    scope="incidents:write",
    answer=IncidentAnswer,
    examples={"next": examples.ESCALATED},
    body=Body(schema="EscalateRequest", examples={"second": {"step": 1}}, required=False),
    statuses=(409,),
)
SNOOZE = Operation(
    id="snoozeIncident",
    summary="Acknowledge an incident for a while",
    scope="incidents:write",
    answer=IncidentAnswer,
    examples={"hour": examples.SNOOZED},
    body=Body(schema="SnoozeRequest", examples={"hour": {"seconds": 3600}}),
    statuses=(409,),
)


@router.post("/incidents/{incident_id}/escalate", **ESCALATE.keywords)
async def escalate_incident(call: CallOf, incident_id: str, body: dict[str, Any] | None = None) -> Response:
    change, known = change_of(call), known_id(incident_id)
    outcome = await call.database.write(
        lambda connection: incident_moves.escalate(connection, change, known, body or {})
    )
    step = outcome.incident.escalation.progress.at.step
    return await _answer(call, outcome, f"Incident {known} escalated to step {step}.")


@router.post("/incidents/{incident_id}/snooze", **SNOOZE.keywords)
async def snooze_incident(call: CallOf, incident_id: str, body: dict[str, Any]) -> Response:
    change, known = change_of(call), known_id(incident_id)
    outcome = await call.database.write(lambda connection: incident_moves.snooze(connection, change, known, body))
    until = outcome.incident.escalation.ack_expires_at or change.now
    return await _answer(call, outcome, f"Incident {known} is snoozed until {to_text(until)}.")


async def _answer(call: Call, outcome: Outcome, message: str) -> Response:
    call.services.parts.wake()
    headers = {"ETag": etag(outcome.incident.version)}
    syncs = await syncs_of(call, outcome.incident)
    return answer(call.request, "incident", message, outcome_document(outcome, syncs), headers=headers)
