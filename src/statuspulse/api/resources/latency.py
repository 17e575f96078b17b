"""Latency of a monitor over time: percentiles for a line, counts for a heat map."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.latency import LatencyHeatMapAnswer, LatencySeriesAnswer
from statuspulse.api.dependencies import CallOf
from statuspulse.api.documents.latency import heat_map_members, series_members
from statuspulse.api.envelope import answer
from statuspulse.api.errors import invalid
from statuspulse.api.examples import latency as examples
from statuspulse.api.operation import Operation
from statuspulse.api.periods import PeriodsQuery, periods, retention_warnings
from statuspulse.api.resources.monitors import known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import in_query
from statuspulse.catalog.refusals import MissingError
from statuspulse.engine.latency import Cell, latency_cells
from statuspulse.storage import monitors
from statuspulse.storage.monitors import Monitor

router = APIRouter(route_class=CheckedRoute, tags=["History"])

_MOST_PERCENTILES = 10


class LatencyQuery(PeriodsQuery):
    """How the latency of the monitor is shown."""

    bucket: Annotated[
        Literal["5m", "1h", "1d", "1w", "1mo"],
        Field(description="How long a bucket is; at most 2000 fit into an answer."),
    ] = "1h"
    group_by: Annotated[
        Literal["region", "none"], Field(description="`region` shows each region of the monitor by itself.")
    ] = "none"
    percentiles: Annotated[
        str, Field(max_length=100, description="Up to ten numbers above 0 and up to 100, separated by commas.")
    ] = "50,95,99"
    view: Annotated[
        Literal["series", "heatmap"], Field(description="Percentiles, or how many checks lie in which range.")
    ] = "series"


GET = Operation(
    id="getLatency",
    summary="Get the latency of a monitor in buckets of time",
    scope="monitors:read",
    answer=LatencySeriesAnswer | LatencyHeatMapAnswer,
    examples={"series": examples.LATENCY_SERIES, "heatmap": examples.LATENCY_HEAT_MAP},
)


@router.get("/monitors/{monitor_id}/latency", **GET.keywords)
async def get_latency(call: CallOf, monitor_id: str, query: Annotated[LatencyQuery, Query()]) -> Response:
    now, known, percentiles = call.services.parts.now(), known_id(monitor_id), _percentiles(query.percentiles)
    asked = periods(query, now, series=1)

    def read(connection: Connection) -> tuple[Monitor, list[Cell]]:
        monitor = monitors.get(connection, call.team_id, known)
        if monitor is None:
            raise MissingError
        regions = monitor.config["regions"] if query.group_by == "region" else None
        return monitor, latency_cells(connection, monitor.key, regions, asked.edges, now)

    monitor, cells = await call.database.read(read)
    members: dict[str, Any] = {
        "monitor_id": monitor.id,
        "bucket": asked.width.value,
        "timezone": asked.timezone,
        "group_by": query.group_by,
    }
    count = sum(cell.latency.count for cell in cells if cell.latency is not None)
    message = f"{monitor.name}: the latency of {count} successful check{'' if count == 1 else 's'}."
    warnings = retention_warnings(asked, now)
    if query.view == "heatmap":
        members |= heat_map_members(cells)
        return answer(call.request, "latency_heatmap", message, members, warnings=warnings)
    members |= series_members(cells, percentiles)
    return answer(call.request, "latency_series", message, members, warnings=warnings)


def _percentiles(text: str) -> list[float]:
    """Ascending and each once; raises 422 for what is none."""
    try:
        found = sorted({float(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or len(found) > _MOST_PERCENTILES or not all(0 < percent <= 100 for percent in found):
        message = f"must be up to {_MOST_PERCENTILES} numbers above 0 and up to 100, such as 50,95,99.9"
        raise invalid([in_query("parameter_invalid_format", "percentiles", message)])
    return found
