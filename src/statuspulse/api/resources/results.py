"""The results of a monitor, each with what the check saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.result import ResultList
from statuspulse.api.dependencies import CallOf
from statuspulse.api.documents.result import result_document
from statuspulse.api.errors import invalid
from statuspulse.api.examples import result as examples
from statuspulse.api.operation import Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import cut_warnings, in_query, span
from statuspulse.catalog.members.common import RegionSlug
from statuspulse.catalog.refusals import MissingError, SoftProblem
from statuspulse.domain.maintenance import Stretch
from statuspulse.domain.result import Verdict
from statuspulse.domain.times import DAY
from statuspulse.engine.retention import RAW_KEPT
from statuspulse.storage import history, maintenance, monitors, watch
from statuspulse.storage.history import ResultFilter, Seen, SlotKey

router = APIRouter(route_class=CheckedRoute, tags=["History"])

_LONGEST_SPAN = 7 * DAY
_VERDICTS = {"true": Verdict.OK, "false": Verdict.FAILED, "null": Verdict.VOID}


class ResultsQuery(ListQuery):
    """Which results of the monitor are shown; the newest come first."""

    limit: Annotated[int, Field(ge=1, le=500, description="How many at most.")] = 25
    begin: Annotated[
        str | None, Field(alias="from", description="Planned at this time or later; by default a day before `to`.")
    ] = None
    end: Annotated[
        str | None,
        Field(alias="to", description="Planned before this time, at most 7 days after `from`; by default now."),
    ] = None
    region: RegionSlug | None = None
    ok: Annotated[Literal["true", "false", "null"] | None, Field(description="null: checks that gave no verdict.")] = (
        None
    )


LIST = Operation(
    id="listResults",
    summary="List the results of a monitor's checks",
    scope="monitors:read",
    answer=ResultList,
    examples={"failed": examples.RESULT_LIST},
)


@router.get("/monitors/{monitor_id}/results", **LIST.keywords)
async def list_results(call: CallOf, monitor_id: str, query: Annotated[ResultsQuery, Query()]) -> Response:
    now, known = call.services.parts.now(), known_id(monitor_id)
    start, end = span(query.begin, query.end, now, usual=DAY, longest=_LONGEST_SPAN)
    wanted = ResultFilter(
        start=max(start, now - RAW_KEPT),
        end=end,
        region=query.region,
        verdict=None if query.ok is None else _VERDICTS[query.ok],
    )
    after: SlotKey | None = place_of(call, query)
    descending = query.order != "asc"

    def read(connection: Connection) -> Page:
        monitor = monitors.get(connection, call.team_id, known)
        if monitor is None:
            raise MissingError
        _check_region(connection, query.region, monitor.config["regions"])
        at = (monitor.key, monitor.id)
        found = history.listed(connection, at, wanted, after=after, descending=descending, limit=query.limit + 1)
        shown = found[: query.limit]
        covered = _covered(connection, monitor.key, shown)
        return Page(
            data=[result_document(seen, covered) for seen in shown],
            next_place=shown[-1].sort_key if len(found) > query.limit else None,
            total=None if query.include is None else history.count(connection, monitor.key, wanted, COUNT_LIMIT),
        )

    page = await call.database.read(read)
    return page_answer(
        call, query, page, "result", "results", warnings=(*cut_warnings(query.end, now), *_warnings(start, now))
    )


def _check_region(connection: Connection, region: str | None, own: list[str]) -> None:
    """Results of a region that the monitor has left are shown still; a name that means no region is a mistake."""
    if region is not None and region not in watch.region_keys(connection):
        message = f"names no region of this instance; the monitor has {', '.join(own)}"
        raise invalid([in_query("reference_not_found", "region", message)])


def _covered(connection: Connection, monitor_key: int, shown: Sequence[Seen]) -> list[Stretch]:
    """When maintenance windows have covered the monitor while these results were planned."""
    slots = [seen.result.scheduled_at for seen in shown]
    if not slots:
        return []
    spans = maintenance.spans_by_monitor(connection, [monitor_key], min(slots), max(slots) + 1)
    return [(span.start, span.end) for span in spans.get(monitor_key, ())]


def _warnings(start: int, now: int) -> tuple[SoftProblem, ...]:
    if start >= now - RAW_KEPT:
        return ()
    message = f"Results are kept for {RAW_KEPT // DAY} days; older ones are gone."
    return (SoftProblem(code="beyond_retention", message=message, param="from"),)
