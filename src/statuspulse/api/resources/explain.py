"""Why the state of a monitor is what it is."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from statuspulse.api.answers.explain import ExplanationAnswer
from statuspulse.api.dependencies import CallOf
from statuspulse.api.documents.explain import explanation_document
from statuspulse.api.envelope import answer
from statuspulse.api.examples import explain as examples
from statuspulse.api.operation import Operation
from statuspulse.api.resources.monitors import known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog.explanations import explanation_of

router = APIRouter(route_class=CheckedRoute, tags=["History"])

GET = Operation(
    id="explainMonitor",
    summary="Explain why the state of a monitor is what it is",
    scope="monitors:read",
    answer=ExplanationAnswer,
    examples={"partial": examples.EXPLANATION, "heartbeat": examples.OF_A_HEARTBEAT},
)


@router.get("/monitors/{monitor_id}/explain", **GET.keywords)
async def explain_monitor(call: CallOf, monitor_id: str) -> Response:
    now, known = call.services.parts.now(), known_id(monitor_id)
    online = {pulse.region for pulse in call.services.parts.liveness.online(now)}
    explained = await call.database.read(
        lambda connection: explanation_of(connection, call.team_id, known, online, now)
    )
    document = explanation_document(explained)
    return answer(call.request, "explanation", document["sentences"][0], document)
