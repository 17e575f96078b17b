"""The agent protocol: what probes have to check, what they have seen, and that they live."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from math import inf
from typing import Any, TypeVar

import msgspec
import structlog
from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from statuspulse.api import body
from statuspulse.api.answers.agent import AssignmentsAnswer, HeartbeatReceived, ProbeKeyAnswer, ResultsReceipt
from statuspulse.api.dependencies import Services, services_of
from statuspulse.api.envelope import JSON, answer, request_id_of
from statuspulse.api.errors import ApiError, invalid
from statuspulse.api.examples import agent as agent_examples
from statuspulse.api.headers import etag, known_versions
from statuspulse.api.operation import Body, Operation
from statuspulse.api.route import DescribedRoute
from statuspulse.api.security import authenticate_probe, bearer_token
from statuspulse.bus.bus import Batch, Topic
from statuspulse.catalog import probes as catalog_probes
from statuspulse.catalog.assignments import AssignedSet, assigned, unchanged
from statuspulse.catalog.members.probe import KeyExchange
from statuspulse.catalog.refusals import Detail
from statuspulse.catalog.validation import read
from statuspulse.domain.times import SECOND, from_datetime, to_datetime
from statuspulse.engine.intake import in_order
from statuspulse.engine.liveness import HEARTBEAT_SECONDS
from statuspulse.engine.membership import Members
from statuspulse.protocol.documents import Assignments, Heartbeat, HeartbeatAnswer, Job, Results
from statuspulse.protocol.true_times import correct
from statuspulse.storage import positions, probes
from statuspulse.storage.database import Database
from statuspulse.storage.probes import Probe

MSGPACK = "application/msgpack"
BODY_LIMIT = 2 << 20
RESULTS_LIMIT = 1000

_LONGEST_WAIT_SECONDS = 30
_RETRY_SECONDS = 1
_MOST_DIGITS = 18
_FAULT = 500

log = structlog.get_logger(__name__)
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


class AgentRoute(DescribedRoute):
    """A route for probes: their key is checked, and the endpoint is called without the framework's detours.

    Results arrive several times a second from every probe, so nothing but msgspec looks at them.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Any = self.endpoint

        async def handle(request: Request) -> Response:
            services = await services_of(request)
            probe = request.state.probe = await authenticate_probe(request, services)
            if probe.replaces_key:
                now = services.parts.now()
                await services.parts.database.write(lambda found: probes.end_former_key(found, probe.id, now))
            try:
                answered: Response = await endpoint(request)
            except ApiError as refused:
                if refused.kind.status < _FAULT:
                    services.refusals.note(probe.id, probe.region, [(refused.code, refused.message)])
                raise
            return answered

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
KEY = Operation(
    id="exchangeProbeKey",
    summary="Exchange the key for a new one, which is shown once",
    scope=None,
    answer=ProbeKeyAnswer,
    examples={"key": agent_examples.KEY},
    body=Body(schema="KeyExchange", examples={"nothing": {}}),
    statuses=(400, 401, 403, 415),
)


@router.get("/agent/assignments", **ASSIGNMENTS.keywords)
async def get_assignments(request: Request) -> Response:
    await body.read_body(request, body.BODY_LIMIT)
    call = await _call_of(request)
    version, epoch, parts = _version_of(request), _epoch_of(request), call.services.parts
    until = parts.monotonic() + _wait_of(request)
    while True:
        seen = parts.bus.count(Topic.CATALOG)
        found, members = await _state_of(call, version)
        jobs = parts.jobs.offered(call.probe.region, call.probe.id, parts.now())
        if found is not None or jobs or (epoch is not None and members.epoch not in {0, epoch}):
            return await _assignments_answer(call, found or unchanged(version or 0), members, jobs)
        rest = until - parts.monotonic()
        if rest <= 0 or parts.is_stopping():
            return Response(status_code=304, headers={"ETag": etag(version or 0)})
        await parts.bus.wait(Topic.CATALOG, seen, min(rest, _until_next_job(call), _until_members_change(call)))


@router.post("/agent/results", **RESULTS.keywords)
async def post_results(request: Request) -> Response:
    call = await _call_of(request)
    probe, parts = call.probe, call.services.parts
    results = await _read(request, Results)
    if len(results.results) > RESULTS_LIMIT:
        message = f"must have at most {RESULTS_LIMIT} items"
        raise invalid([Detail(code="parameter_too_many", path=("results",), message=message)])
    if not in_order(results.results):
        raise invalid([Detail(code="parameter_conflict", path=("results",), message="must count seq up by one")])
    _put_on_our_clock(call, results)
    batch = Batch(
        probe_key=probe.key, probe_id=probe.id, region_key=probe.region_key, region=probe.region, results=results
    )
    receipt = await parts.bus.publish(batch)
    if receipt is None:
        message = "The results were not committed; keep them and send them again."
        raise ApiError("overloaded", message, retry_after_seconds=_RETRY_SECONDS)
    message = f"{receipt.accepted} accepted, {receipt.duplicates} known, {len(receipt.rejected)} rejected."
    return _answer(request, "results_receipt", message, receipt)


@router.post("/agent/heartbeat", **HEARTBEAT.keywords)
async def post_heartbeat(request: Request) -> Response:
    call = await _call_of(request)
    heartbeat, probe, parts = await _read(request, Heartbeat), call.probe, call.services.parts
    if heartbeat.clock.tzinfo is None:
        raise _naive("clock")
    now, drift = parts.now(), call.services.drift
    before = parts.liveness.pulse(probe.id)
    was_heard = parts.liveness.is_online(probe.id, now)
    ip = None if request.client is None else request.client.host
    parts.liveness.hear(probe.id, probe.region, heartbeat, now, ip=ip)
    if heartbeat.blind != ([] if before is None else before.heartbeat.blind):
        _log_blindness(probe, heartbeat.blind)
    held, digest = heartbeat.assignments_version, heartbeat.assignments_digest
    version, through = await call.database.read(
        lambda connection: (
            drift.compare(connection, probe.region, probe.id, held, digest),
            positions.committed_through(connection, probe.key),
        )
    )
    if not was_heard or drift.is_suspected(probe.id):
        parts.bus.wake(Topic.CATALOG)
    heard = HeartbeatAnswer(
        server_time=to_datetime(now), assignments_version=version, committed_through=through, draining=probe.draining
    )
    return _answer(request, "heartbeat", f"Probe {probe.id} is heard.", heard)


def _log_blindness(probe: Probe, blind: list[str]) -> None:
    if blind:
        log.warning("agent.probe_blind", probe=probe.id, region=probe.region, blind=blind)
    else:
        log.info("agent.probe_sees_again", probe=probe.id, region=probe.region)


@router.post("/agent/key", **KEY.keywords)
async def post_key(request: Request) -> Response:
    call = await _call_of(request)
    await _check_nothing_said(request)
    used, parts = bearer_token(request), call.services.parts
    key = await call.database.write(
        lambda connection: catalog_probes.exchange_key(connection, parts.keyring, call.probe, used, parts.now())
    )
    message = "The new key is shown once; the old one ends with its first use."
    return answer(request, "probe_key", message, {"id": call.probe.id, "key": key.reveal()})


async def _state_of(call: AgentCall, version: int | None) -> tuple[AssignedSet | None, Members]:
    """What the probe lacks, all of it where it is suspected to hold something else, and who shares it."""
    probe, services = call.probe, call.services
    parts = services.parts
    known = None if services.drift.is_suspected(probe.id) else version

    def look(connection: Connection) -> tuple[AssignedSet | None, dict[str, bool]]:
        of_region = probes.of_region(connection, probe.region_key)
        found = assigned(connection, parts.keyring, probe.region, known)
        return found, {member.id: member.draining for member in of_region}

    found, drained = await call.database.read(look)
    return found, services.membership.of(probe.region, drained, parts.now())


def _put_on_our_clock(call: AgentCall, results: Results) -> None:
    """A probe whose clock is wrong does not move history."""
    if results.sent_at.tzinfo is None:
        raise _naive("sent_at")
    parts = call.services.parts
    now = parts.now()
    clock = parts.liveness.compare_clocks(call.probe.id, from_datetime(results.sent_at), now)
    if any(era.skew for era in clock.eras):
        correct(results.results, clock, now)


def _until_members_change(call: AgentCall) -> float:
    """Seconds until a probe of the region may be silent for too long."""
    parts = call.services.parts
    now = parts.now()
    changes_at = call.services.membership.changes_at(call.probe.region, now)
    return inf if changes_at is None else max(changes_at - now, 1) / SECOND


def _until_next_job(call: AgentCall) -> float:
    """Seconds until a job that is waited for already is due for the probe."""
    parts = call.services.parts
    due_at = parts.jobs.next_offer_at(call.probe.region, call.probe.id)
    return inf if due_at is None else max(due_at - parts.now(), 1) / SECOND


async def _assignments_answer(call: AgentCall, found: AssignedSet, members: Members, jobs: list[Job]) -> Response:
    probe, parts = call.probe, call.services.parts
    if found.base is None:
        call.services.drift.settle(probe.id)
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
        members=list(members.probe_ids),
        epoch=members.epoch,
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
    if not _is_number(text) or int(text) > _LONGEST_WAIT_SECONDS:
        message = f"must be between 0 and {_LONGEST_WAIT_SECONDS}"
        raise invalid([Detail(code="parameter_out_of_range", path=("wait",), message=message, in_body=False)])
    return int(text)


async def _check_nothing_said(request: Request) -> None:
    """A body may be left out; what stands in it has to be an empty object."""
    raw = await body.read_body(request, body.BODY_LIMIT)
    if raw:
        body.check_media_type(request, {JSON})
        read(KeyExchange, body.parse_json(raw))


def _naive(name: str) -> ApiError:
    message = "needs an offset, for example 2026-11-23T06:20:00Z"
    return invalid([Detail(code="parameter_invalid_format", path=(name,), message=message)])


def _epoch_of(request: Request) -> int | None:
    """The number of the set of members that the probe has; None for one that does not say."""
    text = request.query_params.get("epoch")
    if text is None:
        return None
    if not _is_number(text):
        message = "must be a whole number"
        raise invalid([Detail(code="parameter_invalid_format", path=("epoch",), message=message, in_body=False)])
    return int(text)


def _version_of(request: Request) -> int | None:
    """The version that the probe has; None where it has none that we could know."""
    versions = known_versions(request)
    return next((int(version) for version in versions if _is_number(version)), None)


def _is_number(text: str) -> bool:
    """Whether it is a whole number of a size that we count to; Python itself refuses to read the longest ones."""
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
