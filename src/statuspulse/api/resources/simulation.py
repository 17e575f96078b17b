"""What a monitor's past would have been under other rules."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from statuspulse.api.answers.simulation import SimulationAnswer
from statuspulse.api.dependencies import CallOf
from statuspulse.api.documents.simulation import simulation_document
from statuspulse.api.envelope import answer
from statuspulse.api.errors import ApiError
from statuspulse.api.examples import simulation as examples
from statuspulse.api.operation import Body, Operation
from statuspulse.api.resources.monitors import known_id
from statuspulse.api.resources.simulation_words import sentence, warnings
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog.simulations import (
    SimulationInProgressError,
    SimulationRequest,
    TooManySimulationsError,
    simulate,
)

router = APIRouter(route_class=CheckedRoute, tags=["History"])

_RETRY_SECONDS = 2

SIMULATE = Operation(
    id="simulateMonitor",
    summary="Replay a monitor's results under other rules; nothing is stored, nobody is told",
    scope="monitors:read",
    answer=SimulationAnswer,
    examples={"third_failure": examples.SIMULATION},
    body=Body(schema="SimulationRequest", examples=examples.REQUESTS, required=False),
)


@router.post("/monitors/{monitor_id}/simulate", **SIMULATE.keywords)
async def simulate_monitor(call: CallOf, monitor_id: str, body: SimulationRequest | None = None) -> Response:
    parts, known, asked = call.services.parts, known_id(monitor_id), body or SimulationRequest()
    now, mutes = parts.now(), parts.mutes_flapping
    try:
        with call.services.simulations.admitted(call.team_id):
            found = await call.database.read(
                lambda connection: simulate(connection, call.team_id, known, asked, mutes_flapping=mutes, now=now)
            )
    except SimulationInProgressError:
        message = "A simulation of your team is running; try again when it has ended."
        raise ApiError("concurrency_limited", message, retry_after_seconds=_RETRY_SECONDS) from None
    except TooManySimulationsError:
        message = "As many simulations run as this instance can serve; try again."
        raise ApiError("overloaded", message, retry_after_seconds=_RETRY_SECONDS) from None
    document = simulation_document(found)
    return answer(call.request, "simulation", sentence(found), document, warnings=warnings(found))
