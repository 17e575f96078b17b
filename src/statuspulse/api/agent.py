"""The agent protocol: what probes have to check, what they have seen, and that they live (`API.md` D.10)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from math import inf
from typing import Any, TypeVar

import msgspec
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from statuspulse.api import agent_examples, body
from statuspulse.api.agent_answers import AssignmentsAnswer, HeartbeatReceived, ResultsReceipt
from statuspulse.api.dependencies import Services, services_of
from statuspulse.api.envelope import JSON, request_id_of
from statuspulse.api.errors import ApiError, invalid
from statuspulse.api.headers import etag, known_versions
from statuspulse.api.operation import Body, Operation
from statuspulse.api.security import authenticate_probe
from statuspulse.bus.bus import Batch, Topic
from statuspulse.catalog.assignments import AssignedSet, assigned, unchanged
from statuspulse.catalog.refusals import Detail
from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.engine.intake import in_order
from statuspulse.engine.liveness import HEARTBEAT_SECONDS
from statuspulse.protocol.documents import Assignments, Heartbeat, HeartbeatAnswer, Job, Results
from statuspulse.storage import positions, watch
from statuspulse.storage.database import Database
from statuspulse.storage.probes import Probe

MSGPACK = "application/msgpack"
BODY_LIMIT = 2 << 20
RESULTS_LIMIT = 1000

_LONGEST_WAIT_SECONDS = 30
_RETRY_SECONDS = 1

Document = TypeVar("Document", Results, Heartbeat)


@dataclass(frozen=True, slots=True)
class AgentCall:
    """One call of a probe whose key the route has checked."""

    request: Request
    services: Services
    probe: Probe

    @property
    def database(self) -> Database:
        return self.services.parts.database


class AgentRoute(APIRoute):
    """A route for probes: their key is checked, and the endpoint is called without the framework's detours.

    Results arrive several times a second from every probe, so nothing but msgspec looks at them.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Any = self.endpoint

        async def handle(request: Request) -> Response:
            services = await services_of(request)
            request.state.probe = await authenticate_probe(request, services)
            answer: Response = await endpoint(request)
            return answer

        return handle


async def _call_of(request: Request) -> AgentCall:
    return AgentCall(request, await services_of(request), request.state.probe)


router = APIRouter(route_class=AgentRoute, tags=["Agent protocol"])

ASSIGNMENTS = Operation(
    id="getAssignments",
    summary="What the probe's region has to check; waits until something changes",
    scope=None,
    answer=AssignmentsAnswer,
    examples={"snapshot": agent_examples.ASSIGNMENTS},
    statuses=(304, 400, 401, 403),
)
RESULTS = Operation(
    id="postResults",
    summary="Ship results; only what `committed_through` covers may be forgotten",
    scope=None,
    answer=ResultsReceipt,
    examples={"receipt": agent_examples.RECEIPT},
    body=Body(schema="AgentResults", examples={"one": agent_examples.RESULTS}, media_types=(JSON, MSGPACK)),
    statuses=(400, 401, 403, 415),
)
HEARTBEAT = Operation(
    id="postHeartbeat",
    summary="Say that the probe lives",
    scope=None,
    answer=HeartbeatReceived,
    examples={"heartbeat": agent_examples.HEARTBEAT_ANSWER},
    body=Body(schema="AgentHeartbeat", examples={"heartbeat": agent_examples.HEARTBEAT}, media_types=(JSON, MSGPACK)),
    statuses=(400, 401, 403, 415),
)


@router.get("/agent/assignments", **ASSIGNMENTS.keywords)
async def get_assignments(request: Request) -> Response:
    call = await _call_of(request)
    known, parts = _version_of(request), call.services.parts
    until = parts.monotonic() + _wait_of(request)
    while True:
        seen = parts.bus.count(Topic.CATALOG)
        found = await call.database.read(
            lambda connection: assigned(connection, parts.keyring, call.probe.region, known)
        )
        jobs = parts.jobs.offered(call.probe.region, call.probe.id, parts.now())
        if found is not None or jobs:
            return await _assignments_answer(call, found or unchanged(known or 0), jobs)
        rest = until - parts.monotonic()
        if rest <= 0 or parts.is_stopping():
            return Response(status_code=304, headers={"ETag": etag(known or 0)})
        await parts.bus.wait(Topic.CATALOG, seen, min(rest, _until_next_job(call)))


@router.post("/agent/results", **RESULTS.keywords)
async def post_results(request: Request) -> Response:
    call = await _call_of(request)
    probe = call.probe
    results = await _read(request, Results)
    if len(results.results) > RESULTS_LIMIT:
        message = f"must have at most {RESULTS_LIMIT} items"
        raise invalid([Detail(code="parameter_too_many", path=("results",), message=message)])
    if not in_order(results.results):
        raise invalid([Detail(code="parameter_conflict", path=("results",), message="must count seq up by one")])
    batch = Batch(
        probe_key=probe.key, probe_id=probe.id, region_key=probe.region_key, region=probe.region, results=results
    )
    receipt = await call.services.parts.bus.publish(batch)
    if receipt is None:
        message = "The results were not committed; keep them and send them again."
        raise ApiError("overloaded", message, retry_after_seconds=_RETRY_SECONDS)
    message = f"{receipt.accepted} accepted, {receipt.duplicates} known, {len(receipt.rejected)} rejected."
    return _answer(request, "results_receipt", message, receipt)


@router.post("/agent/heartbeat", **HEARTBEAT.keywords)
async def post_heartbeat(request: Request) -> Response:
    call = await _call_of(request)
    heartbeat, probe = await _read(request, Heartbeat), call.probe
    now = call.services.parts.now()
    call.services.parts.liveness.hear(probe.id, probe.region, heartbeat, now)
    version, through = await call.database.read(
        lambda connection: (watch.revision(connection), positions.committed_through(connection, probe.key))
    )
    answer = HeartbeatAnswer(
        server_time=to_datetime(now), assignments_version=version, committed_through=through, draining=False
    )
    return _answer(request, "heartbeat", f"Probe {probe.id} is heard.", answer)


def _until_next_job(call: AgentCall) -> float:
    """Seconds until a job that is waited for already is due for the probe."""
    parts = call.services.parts
    due_at = parts.jobs.next_offer_at(call.probe.region, call.probe.id)
    return inf if due_at is None else max(due_at - parts.now(), 1) / SECOND


async def _assignments_answer(call: AgentCall, found: AssignedSet, jobs: list[Job]) -> Response:
    probe, parts = call.probe, call.services.parts
    through = await call.database.read(lambda connection: positions.committed_through(connection, probe.key))
    document = Assignments(
        version=found.version,
        base=found.base,
        region=probe.region,
        probe_id=probe.id,
        monitors=found.monitors,
        removed=found.removed,
        policy=sorted(parts.policy.probe_deny),
        heartbeat_seconds=HEARTBEAT_SECONDS,
        server_time=to_datetime(parts.now()),
        committed_through=through,
        jobs=jobs,
    )
    message = f"Assignments {found.version} of region {probe.region}."
    return _answer(call.request, "assignments", message, document, headers={"ETag": etag(found.version)})


def _answer(
    request: Request, kind: str, message: str, members: msgspec.Struct, headers: dict[str, str] | None = None
) -> Response:
    document = {
        "object": kind,
        "request_id": request_id_of(request),
        "message": message,
        "warnings": [],
        **{name: getattr(members, name) for name in members.__struct_fields__},
    }
    if MSGPACK in request.headers.get("accept", ""):
        return Response(msgspec.msgpack.encode(document), 200, headers, MSGPACK)
    return Response(msgspec.json.encode(document), 200, headers, JSON)


async def _read(request: Request, kind: type[Document]) -> Document:
    raw = await body.read_body(request, BODY_LIMIT)
    if request.headers.get("content-type") == MSGPACK:
        decode: Callable[..., Document] = msgspec.msgpack.decode
    else:
        body.check_media_type(request, {JSON, MSGPACK})
        decode = msgspec.json.decode
    try:
        return decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise invalid([Detail(code="parameter_invalid_format", path=(), message=f"does not hold: {error}")]) from None
    except msgspec.DecodeError:
        raise ApiError("invalid_json", "The body cannot be read.") from None


def _wait_of(request: Request) -> int:
    text = request.query_params.get("wait", "0")
    if not text.isdecimal() or int(text) > _LONGEST_WAIT_SECONDS:
        message = f"must be between 0 and {_LONGEST_WAIT_SECONDS}"
        raise invalid([Detail(code="parameter_out_of_range", path=("wait",), message=message, in_body=False)])
    return int(text)


def _version_of(request: Request) -> int | None:
    """The version that the probe has; None where it has none that we could know."""
    versions = known_versions(request)
    return next((int(version) for version in versions if version.isdecimal()), None)
