"""Service level objectives: make, list, read, change, remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Deleted
from statuspulse.api.answers.slo import SloAnswer, SloList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.slo import slo_document, slo_sentence
from statuspulse.api.envelope import answer
from statuspulse.api.examples import slo as examples
from statuspulse.api.headers import etag, if_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog import slos as catalog
from statuspulse.catalog.refusals import MissingError, SoftProblem
from statuspulse.domain.ids import is_id
from statuspulse.engine.slo_reports import Stand, stand
from statuspulse.storage import channels, slos
from statuspulse.storage.slos import Slo

router = APIRouter(route_class=CheckedRoute, tags=["SLOs"])

CREATE = Operation(
    id="createSlo",
    summary="Create an SLO",
    scope="slo:write",
    status=201,
    answer=SloAnswer,
    examples={"checkout": examples.CREATED},
    body=Body(schema="SloRequest", examples={"monitor": examples.REQUEST, "tags": examples.TAGS_REQUEST}),
)
LIST = Operation(
    id="listSlos",
    summary="List SLOs",
    scope="slo:read",
    answer=SloList,
    examples={"one": examples.LIST},
)
GET = Operation(
    id="getSlo",
    summary="Get an SLO and what is left of its budget",
    scope="slo:read",
    answer=SloAnswer,
    examples={"checkout": examples.SLO},
)
PATCH = Operation(
    id="patchSlo",
    summary="Change an SLO",
    scope="slo:write",
    answer=SloAnswer,
    examples={"checkout": examples.SLO},
    body=Body(
        schema="SloEdit",
        examples={"stricter": examples.CHANGED},
        media_types=("application/json", "application/merge-patch+json"),
    ),
    statuses=(412, 428),
)
DELETE = Operation(
    id="deleteSlo",
    summary="Delete an SLO that no monitor's configuration makes",
    scope="slo:write",
    answer=Deleted,
    examples={"deleted": examples.DELETED},
    statuses=(409, 412, 428),
)


@router.post("/slos", **CREATE.keywords)
async def create_slo(call: CallOf, body: dict[str, Any]) -> Response:
    change, instance = change_of(call), call.services.instance

    def write(connection: Connection) -> tuple[Slo, list[SoftProblem]]:
        made = catalog.create(connection, instance, change, body)
        return made, catalog.remarks(connection, made)

    slo, warnings = await call.database.write(write)
    headers = {"Location": f"/v1/slos/{slo.id}"}
    message = f'SLO "{slo.name}" created.'
    return await _answer(call, slo, status=201, headers=headers, message=message, warnings=warnings)


@router.get("/slos", **LIST.keywords)
async def list_slos(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after, now = place_of(call, query), call.services.parts.now()

    def read(connection: Connection) -> Page:
        found = slos.page(connection, call.team_id, after=after, descending=query.order != "asc", limit=query.limit + 1)
        shown = found[: query.limit]
        return Page(
            data=_documents(connection, call, [stand(connection, slo, now) for slo in shown]),
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=min(COUNT_LIMIT, slos.count(connection, call.team_id)) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "SLO", "SLOs")


@router.get("/slos/{slo_id}", **GET.keywords)
async def get_slo(call: CallOf, slo_id: str) -> Response:
    known = known_id(slo_id)
    slo = await call.database.read(lambda connection: catalog.get(connection, call.team_id, known))
    return await _answer(call, slo)


@router.patch("/slos/{slo_id}", **PATCH.keywords)
async def patch_slo(call: CallOf, slo_id: str, body: dict[str, Any]) -> Response:
    change, instance, known = change_of(call), call.services.instance, known_id(slo_id)
    expected = if_match(call.request)

    def write(connection: Connection) -> tuple[Slo, bool, list[SoftProblem]]:
        slo, changed = catalog.update(connection, instance, change, known, body, expected)
        return slo, changed, catalog.remarks(connection, slo)

    slo, changed, warnings = await call.database.write(write)
    message = f'SLO "{slo.name}" changed.' if changed else "Nothing changed."
    return await _answer(call, slo, message=message, warnings=warnings)


@router.delete("/slos/{slo_id}", **DELETE.keywords)
async def delete_slo(call: CallOf, slo_id: str) -> Response:
    change, known, expected = change_of(call), known_id(slo_id), if_match(call.request)
    slo = await call.database.write(lambda connection: catalog.remove(connection, change, known, expected))
    return answer(call.request, "slo", f'SLO "{slo.name}" deleted.', {"id": slo.id, "deleted": True})


def known_id(slo_id: str) -> str:
    """An id of the form of an SLO's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(slo_id, "slo"):
        raise MissingError
    return slo_id


async def _answer(
    call: Call,
    slo: Slo,
    *,
    message: str | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
    warnings: Sequence[SoftProblem] = (),
) -> Response:
    now = call.services.parts.now()

    def read(connection: Connection) -> tuple[Stand, dict[str, Any]]:
        stood = stand(connection, slo, now)
        return stood, _documents(connection, call, [stood])[0]

    stood, document = await call.database.read(read)
    told = {"ETag": etag(slo.version), **(headers or {})}
    message = message or slo_sentence(stood)
    return answer(call.request, "slo", message, document, status=status, headers=told, warnings=warnings)


def _documents(connection: Connection, call: Call, stood: Sequence[Stand]) -> list[dict[str, Any]]:
    named = {channel_id for one in stood for channel_id in one.slo.notify}
    masked = channels.masked_urls(connection, call.team_id, named)
    return [slo_document(one, masked) for one in stood]
