"""Probes: create, list, read, change, rotate the key, delete."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Deleted
from statuspulse.api.answers.probe import KeyedProbeAnswer, ProbeAnswer, ProbeList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.probe import Peers, Shares, peers_of, probe_document
from statuspulse.api.envelope import answer
from statuspulse.api.errors import ApiError
from statuspulse.api.examples import probe as examples
from statuspulse.api.headers import etag, if_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.bus.bus import Topic
from statuspulse.catalog import probes
from statuspulse.catalog.members.probe import KeyRotation, ProbeEdit, ProbeRequest
from statuspulse.catalog.probes import Keyed, RegionInUseError
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, MissingError, SoftProblem
from statuspulse.domain.ids import is_id
from statuspulse.storage import probes as stored_probes
from statuspulse.storage.probes import Probe

router = APIRouter(route_class=CheckedRoute, tags=["Regions and probes"])

_MONITORS_NAMED = 50

LIST = Operation(
    id="listProbes",
    summary="List probes",
    scope="probes:read",
    answer=ProbeList,
    examples={"one": examples.PROBE_LIST},
)
CREATE = Operation(
    id="createProbe",
    summary="Create a probe; its key is shown once",
    scope="probes:write",
    status=201,
    answer=KeyedProbeAnswer,
    examples={"frankfurt": examples.CREATED},
    body=Body(
        schema="ProbeRequest",
        examples={"frankfurt": {"name": "fra-1", "region": "eu-west", "region_name": "Frankfurt"}},
    ),
)
GET = Operation(
    id="getProbe",
    summary="Get a probe",
    scope="probes:read",
    answer=ProbeAnswer,
    examples={"frankfurt": examples.PROBE},
)
PATCH = Operation(
    id="patchProbe",
    summary="Rename a probe, or let it hand over its monitors",
    scope="probes:write",
    answer=ProbeAnswer,
    examples={"draining": examples.DRAINING},
    body=Body(
        schema="ProbeEdit",
        examples={"drain": {"draining": True}, "rename": {"name": "fra-2"}},
        media_types=("application/json", "application/merge-patch+json"),
    ),
    statuses=(412, 428),
)
DELETE = Operation(
    id="deleteProbe",
    summary="Delete a probe, and its region with the last one",
    scope="probes:write",
    answer=Deleted,
    examples={"deleted": examples.DELETED},
    statuses=(409, 412, 428),
)
ROTATE = Operation(
    id="rotateProbeKey",
    summary="Give a probe a new key, which is shown once",
    scope="probes:write",
    answer=KeyedProbeAnswer,
    examples={"an_hour": examples.ROTATED},
    body=Body(schema="KeyRotation", examples={"an_hour": {"overlap_seconds": 3600}, "at_once": {"overlap_seconds": 0}}),
)


@router.get("/probes", **LIST.keywords)
async def list_probes(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after, now = place_of(call, query), call.services.parts.now()

    def read(connection: Connection) -> tuple[list[Probe], dict[str, Peers], int | None]:
        found = stored_probes.page(connection, after=after, descending=query.order != "asc", limit=query.limit + 1)
        total = stored_probes.count(connection) if query.include else None
        return found, peers_of(connection, call.services, found[: query.limit]), total

    found, peers, total = await call.database.read(read)
    shown, shares = found[: query.limit], Shares.of(call.services, peers, now)
    page = Page(
        data=[probe_document(call.services, probe, shares, now) for probe in shown],
        next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
        total=total,
    )
    return page_answer(call, query, page, "probe", "probes")


@router.post("/probes", **CREATE.keywords)
async def create_probe(call: CallOf, body: ProbeRequest) -> Response:
    change, keyring = change_of(call), call.services.parts.keyring
    made = await call.database.write(lambda connection: probes.create(connection, keyring, change, body))
    message = f'Probe "{made.probe.name}" of region {made.probe.region} created; its key is shown once.'
    return await _keyed_answer(call, made, message, status=201)


@router.get("/probes/{probe_id}", **GET.keywords)
async def get_probe(call: CallOf, probe_id: str) -> Response:
    known = _known_id(probe_id)
    return await _answer(call, await call.database.read(lambda connection: probes.get(connection, known)))


@router.patch("/probes/{probe_id}", **PATCH.keywords)
async def patch_probe(call: CallOf, probe_id: str, body: ProbeEdit) -> Response:
    change, known, expected = change_of(call), _known_id(probe_id), if_match(call.request)
    probe = await call.database.write(lambda connection: probes.edit(connection, change, known, body, expected))
    call.services.parts.bus.wake(Topic.CATALOG)
    return await _answer(call, probe)


@router.delete("/probes/{probe_id}", **DELETE.keywords)
async def delete_probe(call: CallOf, probe_id: str) -> Response:
    change, known, expected = change_of(call), _known_id(probe_id), if_match(call.request)
    try:
        probe, others = await call.database.write(lambda connection: _removed(connection, change, known, expected))
    except RegionInUseError as error:
        raise _in_use(error) from None
    call.services.parts.liveness.forget(known)
    call.services.parts.bus.wake(Topic.CATALOG)
    warnings: tuple[SoftProblem, ...] = ()
    if others and not any(call.services.parts.liveness.is_online(other.id, change.now) for other in others):
        message = f"No live probe is left in region {probe.region}: what only it checks becomes unknown."
        warnings = (SoftProblem(code="region_offline", message=message, param=None),)
    document = {"id": known, "deleted": True}
    return answer(call.request, "probe", f"Probe {known} deleted.", document, warnings=warnings)


def _removed(
    connection: Connection, change: Change, probe_id: str, expected: frozenset[str] | None
) -> tuple[Probe, list[Probe]]:
    """The probe that is gone, and those that its region still has."""
    probe = probes.remove(connection, change, probe_id, expected)
    return probe, stored_probes.of_region(connection, probe.region_key)


@router.post("/probes/{probe_id}/rotate-key", **ROTATE.keywords)
async def rotate_key(call: CallOf, probe_id: str, body: KeyRotation | None = None) -> Response:
    change, known, keyring = change_of(call), _known_id(probe_id), call.services.parts.keyring
    seconds = (body or KeyRotation()).overlap_seconds
    rotated = await call.database.write(
        lambda connection: probes.rotate_key(connection, keyring, change, known, seconds)
    )
    ends = f"the old one is good for {seconds} more seconds" if seconds else "the old one has ended"
    return await _keyed_answer(call, rotated, f"The new key is shown once; {ends}.", status=200)


async def _answer(call: Call, probe: Probe) -> Response:
    document = await _document(call, probe)
    message = f'Probe "{probe.name}" of region {probe.region} is {document["status"]}.'
    return answer(call.request, "probe", message, document, headers={"ETag": etag(probe.version)})


async def _keyed_answer(call: Call, keyed: Keyed, message: str, *, status: int) -> Response:
    document = {**await _document(call, keyed.probe), "key": keyed.key.reveal()}
    location = {"Location": f"/v1/probes/{keyed.probe.id}"} if status == 201 else {}
    headers = {"ETag": etag(keyed.probe.version), **location}
    warnings = keyed.warnings
    return answer(call.request, "probe", message, document, status=status, warnings=warnings, headers=headers)


async def _document(call: Call, probe: Probe) -> dict[str, Any]:
    now = call.services.parts.now()
    peers = await call.database.read(lambda connection: peers_of(connection, call.services, [probe]))
    return probe_document(call.services, probe, Shares.of(call.services, peers, now), now)


def _in_use(error: RegionInUseError) -> ApiError:
    count = len(error.monitor_ids)
    named = f"{count} monitor is" if count == 1 else f"{count} monitors are"
    message = (
        f"{named} checked from region {error.region}, whose last probe this is; take the region out of them first."
    )
    extra = {"monitor_ids": error.monitor_ids[:_MONITORS_NAMED]}
    detail = Detail(code="resource_in_use", path=(), message="is the last probe of its region", extra=extra)
    return ApiError("resource_in_use", message, details=[detail])


def _known_id(probe_id: str) -> str:
    """An id of the form of a probe's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(probe_id, "prb"):
        raise MissingError
    return probe_id
