"""The instance itself: is it alive, is it ready, its figures, and the description of this API."""

from __future__ import annotations

import asyncio

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from statuspulse import __version__
from statuspulse.api import event_schema
from statuspulse.api.answers.common import ApiAnswer
from statuspulse.api.dependencies import Check, CheckOutcome, ServicesOf, services_of
from statuspulse.api.envelope import answer
from statuspulse.api.examples import common as examples
from statuspulse.api.made_once import MadeOnce
from statuspulse.api.operation import Operation
from statuspulse.api.route import CheckedRoute
from statuspulse.api.security import authenticate, require

log = structlog.get_logger(__name__)

router = APIRouter(route_class=CheckedRoute, tags=["Operations"])

API = Operation(id="getApi", summary="What answers here", scope=None, answer=ApiAnswer, examples={"api": examples.API})

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_CHECK_SECONDS = 2.0


@router.get("", **API.keywords)
async def get_api(request: Request, services: ServicesOf) -> Response:
    members = {"version": __version__, "docs_url": f"{services.parts.public_url}/docs"}
    return answer(request, "api", f"StatusPulse {__version__}.", members)


def routes(document: MadeOnce[bytes]) -> list[Route]:
    """What takes no token, and so stands beside the operations.

    `document` is that of OpenAPI. To make it takes most of a second, which the start does not wait for.
    """

    async def openapi_json(_request: Request) -> Response:
        return Response(await document.get(), media_type="application/json")

    async def openapi_yaml(_request: Request) -> Response:
        # YAML 1.2 holds all of JSON.
        return Response(await document.get(), media_type="application/yaml")

    return [
        Route("/v1/openapi.json", openapi_json, methods=["GET"]),
        Route("/v1/openapi.yaml", openapi_yaml, methods=["GET"]),
        Route("/v1/schemas/events.json", events_schema, methods=["GET"]),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
    ]


async def events_schema(_request: Request) -> Response:
    """The schema that every event holds to."""
    return Response(event_schema.schema_text(), media_type="application/schema+json")


async def healthz(_request: Request) -> Response:
    """The process lives; it touches nothing."""
    return JSONResponse({"object": "health", "status": "pass"})


async def readyz(request: Request) -> Response:
    """200 when every check holds, else 503 with the names of those that do not."""
    services = await services_of(request)
    names = list(services.parts.checks)
    outcomes = await asyncio.gather(*(_outcome(name, services.parts.checks[name]) for name in names))
    failing = [name for name, outcome in zip(names, outcomes, strict=True) if not outcome.ok]
    checks = {name: _shown(outcome) for name, outcome in zip(names, outcomes, strict=True)}
    document = {"object": "readiness", "status": "fail" if failing else "pass", "checks": checks, "failing": failing}
    return JSONResponse(document, status_code=503 if failing else 200)


async def metrics(request: Request) -> Response:
    """Series of the process; with a token also those of its team."""
    services = await services_of(request)
    team_id = None
    if "authorization" in request.headers:
        caller = await authenticate(request, services)
        require(caller, "status:read")
        team_id = caller.team_id
    return Response(await services.parts.series(team_id), media_type=_PROMETHEUS)


async def _outcome(name: str, check: Check) -> CheckOutcome:
    """A check that raises or hangs has failed."""
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check()
    except Exception as error:  # noqa: BLE001 - whatever a check trips over, the answer is "not ready"
        log.warning("api.check_failed", check=name, error=type(error).__name__)
        return CheckOutcome(ok=False, value=None)


def _shown(outcome: CheckOutcome) -> str | float:
    if outcome.value is not None:
        return outcome.value
    return "pass" if outcome.ok else "fail"
