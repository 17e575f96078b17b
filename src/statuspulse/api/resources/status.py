"""Status: what holds now, and the figures over a window."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.status import StatusAnswer, StatusList
from statuspulse.api.dependencies import CallOf
from statuspulse.api.documents.status import region_documents, sentence, status_document
from statuspulse.api.envelope import Kept, answer
from statuspulse.api.errors import invalid
from statuspulse.api.examples import heartbeat as heartbeat_examples
from statuspulse.api.examples import status as examples
from statuspulse.api.headers import etag, none_match
from statuspulse.api.kept_statuses import Asked
from statuspulse.api.operation import Operation
from statuspulse.api.paging import Page, page_answer, place_of
from statuspulse.api.resources.monitor_query import MonitorQuery, monitor_filter, read_page
from statuspulse.api.resources.monitors import known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog.refusals import Detail
from statuspulse.catalog.status_views import Head, figures_beside, head_of, heads_of, slas_beside
from statuspulse.engine.figures import Figures
from statuspulse.engine.slo_reports import Stand

router = APIRouter(route_class=CheckedRoute, tags=["Status"])

_INCLUDED = ("regions",)
_CACHE = {"Cache-Control": "private, max-age=1"}

Window = Annotated[
    Literal["1h", "24h", "7d", "30d", "90d"],
    Field(
        description="The rolling window of the figures; it ends now. Without it the setting of the team, as a rule 24h."
    ),
]


class StatusQuery(MonitorQuery):
    """The filters of a list of monitors, and the window of the figures."""

    window: Window | None = None


GET = Operation(
    id="getStatus",
    summary="Get the status of a monitor",
    scope="status:read",
    answer=StatusAnswer,
    examples={"up": examples.STATUS, "heartbeat": heartbeat_examples.STATUS},
    statuses=(304,),
)
LIST = Operation(
    id="listStatuses",
    summary="List the status of monitors",
    scope="status:read",
    answer=StatusList,
    examples={"one": examples.STATUS_LIST},
)


@router.get("/status", **LIST.keywords)
async def list_statuses(call: CallOf, query: Annotated[StatusQuery, Query()]) -> Response:
    wanted, after, now = monitor_filter(query), place_of(call, query), call.services.parts.now()

    def read(connection: Connection) -> Page:
        found = read_page(connection, call.team_id, query, wanted, after)
        heads = heads_of(connection, call.team_id, [(item.monitor, item.state) for item in found.shown], now)
        figures = figures_beside(
            connection,
            call.team_id,
            heads,
            query.window or call.caller.team.settings.status_default_window,
            now,
            call.services.closed_checks,
        )
        slas = slas_beside(connection, call.team_id, heads, figures, now)
        data = [status_document(*shown) for shown in zip(heads, figures, slas, strict=True)]
        return Page(data=data, next_place=found.next_place, total=found.total)

    listed = page_answer(call, query, await call.database.read(read), "status", "statuses")
    listed.headers.update(_CACHE)
    return listed


@router.get("/status/{monitor_id}", **GET.keywords)
async def get_status(
    call: CallOf,
    monitor_id: str,
    window: Window | None = None,
    include: Annotated[str, Query(description="What to show beside it, separated by commas: regions.")] = "regions",
) -> Response:
    included, known, now = _included(include), known_id(monitor_id), call.services.parts.now()
    window = window or call.caller.team.settings.status_default_window
    asked = Asked(team_id=call.team_id, monitor_id=known, window=window, included=included)
    if (kept := call.services.kept_statuses.recall(asked, now)) is not None:
        headers = {"ETag": etag(kept.version), **_CACHE}
        if none_match(call.request, kept.version):
            return Response(status_code=304, headers=headers)
        return kept.answer.given(call.request, headers)
    mark = call.services.parts.database.mark()

    def read(connection: Connection) -> tuple[Head, Figures | None, Stand | None]:
        head = head_of(connection, call.team_id, known, now)
        if none_match(call.request, head.version):
            return head, None, None
        figures = figures_beside(connection, call.team_id, [head], window, now, call.services.closed_checks)
        return head, figures[0], slas_beside(connection, call.team_id, [head], figures, now)[0]

    head, figures, sla = await call.database.glance(read)
    headers = {"ETag": etag(head.version), **_CACHE}
    if figures is None:
        return Response(status_code=304, headers=headers)
    document: dict[str, Any] = status_document(head, figures, sla)
    if "regions" in included:
        document["regions"] = region_documents(head, figures.checks)
    made = answer(call.request, "status", sentence(head, figures), document, headers=headers)
    if mark is not None:
        call.services.kept_statuses.keep(asked, head, Kept.of(call.request, made), mark, now)
    return made


def _included(include: str) -> frozenset[str]:
    """What is asked for; nothing where the text is empty."""
    asked = frozenset(include.split(",")) if include else frozenset()
    if not asked <= frozenset(_INCLUDED):
        message = f"may hold {', '.join(_INCLUDED)}, or nothing"
        known = {"known": list(_INCLUDED)}
        detail = Detail(code="parameter_invalid_enum", path=("include",), message=message, extra=known, in_body=False)
        raise invalid([detail])
    return asked
