"""Uptime in buckets of time, of one monitor or of several for a dashboard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.uptime import UptimeSeriesAnswer, UptimeSeriesList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.uptime import sentence, series_document
from statuspulse.api.envelope import answer
from statuspulse.api.errors import invalid
from statuspulse.api.examples import uptime as examples
from statuspulse.api.operation import Operation
from statuspulse.api.periods import Periods, PeriodsQuery, periods, retention_warnings
from statuspulse.api.resources.monitors import known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import in_query
from statuspulse.catalog.refusals import MissingError
from statuspulse.engine.sight import sights_of
from statuspulse.engine.uptime_series import UptimeSeries, uptime_series
from statuspulse.storage import monitors
from statuspulse.storage.monitors import Monitor

router = APIRouter(route_class=CheckedRoute, tags=["History"])

_MOST_MONITORS = 50


class DashboardQuery(PeriodsQuery):
    """The monitors whose uptime is shown."""

    monitor_id: Annotated[
        list[str], Field(min_length=1, max_length=_MOST_MONITORS, description="Repeat it for up to 50 monitors.")
    ]


GET = Operation(
    id="getUptime",
    summary="Get the uptime of a monitor in buckets of time",
    scope="monitors:read",
    answer=UptimeSeriesAnswer,
    examples={"day": examples.UPTIME_SERIES},
)
LIST = Operation(
    id="listUptimes",
    summary="Get the uptime of several monitors in buckets of time",
    scope="monitors:read",
    answer=UptimeSeriesList,
    examples={"one": examples.UPTIME_LIST},
)


@router.get("/monitors/{monitor_id}/uptime", **GET.keywords)
async def get_uptime(call: CallOf, monitor_id: str, query: Annotated[PeriodsQuery, Query()]) -> Response:
    now, known = call.services.parts.now(), known_id(monitor_id)
    asked = periods(query, now, series=1)

    def read(connection: Connection) -> UptimeSeries:
        monitor = monitors.get(connection, call.team_id, known)
        if monitor is None:
            raise MissingError
        return _series(connection, call, [monitor], asked, now)[0]

    series = await call.database.read(read)
    warnings = retention_warnings(asked, now)
    document = series_document(series, asked)
    return answer(call.request, "uptime_series", sentence(series), document, warnings=warnings)


@router.get("/uptime", **LIST.keywords)
async def list_uptimes(call: CallOf, query: Annotated[DashboardQuery, Query()]) -> Response:
    now, wanted = call.services.parts.now(), list(dict.fromkeys(query.monitor_id))
    asked = periods(query, now, series=len(wanted))

    def read(connection: Connection) -> list[UptimeSeries]:
        found = [monitors.get(connection, call.team_id, monitor_id) for monitor_id in wanted]
        known = [monitor for monitor in found if monitor is not None]
        if len(known) < len(wanted):
            raise invalid([in_query("reference_not_found", "monitor_id", "must name monitors that exist")])
        return _series(connection, call, known, asked, now)

    series = await call.database.read(read)
    members = {
        "bucket": asked.width.value,
        "timezone": asked.timezone,
        "data": [series_document(one, asked) for one in series],
    }
    message = f"The uptime of {len(series)} monitor{'s' if len(series) > 1 else ''}."
    return answer(call.request, "uptime_list", message, members, warnings=retention_warnings(asked, now))


def _series(connection: Connection, call: Call, found: list[Monitor], asked: Periods, now: int) -> list[UptimeSeries]:
    moods = monitors.states(connection, [monitor.key for monitor in found])
    sights = sights_of(connection, [(monitor, moods[monitor.key]) for monitor in found], now)
    shown = [(monitor, sights[monitor.key]) for monitor in found]
    return uptime_series(connection, call.team_id, shown, asked.edges, now)
