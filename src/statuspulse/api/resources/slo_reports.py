"""Reports of objectives: one as JSON, as a table and as a page, and all of a team."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.slo import CsvFile, ReportPage, SloReportAnswer, SloReportList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.slo import report_document, report_sentence
from statuspulse.api.envelope import answer
from statuspulse.api.errors import invalid
from statuspulse.api.examples import slo as examples
from statuspulse.api.operation import Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.slo_page import CONTENT_POLICY, report_page
from statuspulse.api.resources.slo_table import report_table
from statuspulse.api.resources.slos import known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import cut_warnings, in_query, span
from statuspulse.catalog import slos as catalog
from statuspulse.domain.periods import month_of
from statuspulse.domain.slo import Period
from statuspulse.domain.times import DAY, to_datetime
from statuspulse.engine.slo_reports import Report, report
from statuspulse.storage import slos
from statuspulse.storage.slos import Slo

router = APIRouter(route_class=CheckedRoute, tags=["SLOs"])

_LONGEST = 366 * DAY
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_FILE_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class PeriodQuery(BaseModel):
    """The period of a report: a month, a stretch, or by default the one that holds now."""

    period: Annotated[
        str | None, Field(max_length=7, description="A month of the SLO's time zone, such as 2026-10.")
    ] = None
    begin: Annotated[str | None, Field(alias="from", description="Where a stretch of at most 366 days begins.")] = None
    end: Annotated[str | None, Field(alias="to", description="Where it ends: now by default, and at the latest.")] = (
        None
    )


class ReportsQuery(ListQuery, PeriodQuery):
    """The SLOs whose reports are wanted, and the period of all of them."""


GET = Operation(
    id="getSloReport",
    summary="Get the report of an SLO",
    scope="slo:read",
    answer=SloReportAnswer,
    examples={"month": examples.REPORT},
)
TABLE = Operation(
    id="getSloReportTable",
    summary="Get the report of an SLO as CSV",
    scope="slo:read",
    answer=CsvFile,
    examples={"month": examples.TABLE},
)
PAGE = Operation(
    id="getSloReportPage",
    summary="Get the report of an SLO as a page to be printed",
    scope="slo:read",
    answer=ReportPage,
    examples={"month": examples.PAGE},
)
LIST = Operation(
    id="listSloReports",
    summary="Get the reports of all SLOs",
    scope="slo:read",
    answer=SloReportList,
    examples={"one": examples.REPORTS},
)


@router.get("/slos/reports", **LIST.keywords)
async def list_slo_reports(call: CallOf, query: Annotated[ReportsQuery, Query()]) -> Response:
    after, now = place_of(call, query), call.services.parts.now()
    _check(query, now)

    def read(connection: Connection) -> Page:
        found = slos.page(connection, call.team_id, after=after, descending=query.order != "asc", limit=query.limit + 1)
        shown = found[: query.limit]
        return Page(
            data=[report_document(_report(connection, slo, query, now)) for slo in shown],
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=min(COUNT_LIMIT, slos.count(connection, call.team_id)) if query.include else None,
        )

    page = await call.database.read(read)
    return page_answer(call, query, page, "report", "reports", warnings=cut_warnings(query.end, now))


@router.get("/slos/{slo_id}/report", **GET.keywords)
async def get_slo_report(call: CallOf, slo_id: str, query: Annotated[PeriodQuery, Query()]) -> Response:
    told = await _read(call, slo_id, query)
    warnings = cut_warnings(query.end, told.generated_at)
    return answer(call.request, "slo_report", report_sentence(told), report_document(told), warnings=warnings)


@router.get("/slos/{slo_id}/report.csv", **TABLE.keywords)
async def get_slo_report_table(call: CallOf, slo_id: str, query: Annotated[PeriodQuery, Query()]) -> Response:
    told = await _read(call, slo_id, query)
    headers = {**_FILE_HEADERS, "Content-Disposition": f'attachment; filename="{_file_name(told)}.csv"'}
    return CsvFile(report_table(report_document(told)), headers=headers)


@router.get("/slos/{slo_id}/report.html", **PAGE.keywords)
async def get_slo_report_page(call: CallOf, slo_id: str, query: Annotated[PeriodQuery, Query()]) -> Response:
    told = await _read(call, slo_id, query)
    return ReportPage(report_page(told), headers={**_FILE_HEADERS, "Content-Security-Policy": CONTENT_POLICY})


async def _read(call: Call, slo_id: str, query: PeriodQuery) -> Report:
    known, now = known_id(slo_id), call.services.parts.now()
    _check(query, now)

    def read(connection: Connection) -> Report:
        return _report(connection, catalog.get(connection, call.team_id, known), query, now)

    return await call.database.read(read)


def _report(connection: Connection, slo: Slo, query: PeriodQuery, now: int) -> Report:
    return report(connection, slo, *_period(slo, query, now), now)


def _check(query: PeriodQuery, now: int) -> None:
    """Raises 422 for what is no period of any objective, so that a team without one hears of it, too."""
    names_stretch = query.begin is not None or query.end is not None
    if names_stretch and query.period is not None:
        raise invalid([in_query("parameter_conflict", "period", "and from, to exclude each other; send one of them")])
    if names_stretch:
        span(query.begin, query.end, now, usual=30 * DAY, longest=_LONGEST)
    if query.period is not None:
        _month(query.period)


def _period(slo: Slo, query: PeriodQuery, now: int) -> tuple[Period, str | None]:
    """The period that is asked for, and its name where it is a month. Raises 422 for one that lies ahead."""
    if query.period is None:
        if query.begin is None and query.end is None:
            return slo.terms.period_at(now), None if slo.terms.is_rolling else _month_at(slo, now)
        return Period(*span(query.begin, query.end, now, usual=30 * DAY, longest=_LONGEST)), None
    start, end = month_of(*_month(query.period), slo.terms.zone)
    if start >= now:
        raise invalid([in_query("parameter_out_of_range", "period", "must not lie ahead")])
    return Period(start, end), query.period


def _month(text: str) -> tuple[int, int]:
    found = _MONTH.fullmatch(text)
    if found is None or not 1970 <= int(found[1]) <= 9000:
        raise invalid([in_query("parameter_invalid_format", "period", "must be a month such as 2026-10")])
    return int(found[1]), int(found[2])


def _month_at(slo: Slo, now: int) -> str:
    return f"{to_datetime(now).astimezone(slo.terms.zone):%Y-%m}"


def _file_name(told: Report) -> str:
    return f"{told.slo.id}-{told.month or 'report'}"
