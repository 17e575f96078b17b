"""How incidents went: counts, and how long it took to take them on and to end them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Answer, Envelope
from statuspulse.api.dependencies import CallOf
from statuspulse.api.envelope import answer
from statuspulse.api.errors import invalid
from statuspulse.api.examples import incident as examples
from statuspulse.api.operation import Operation
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog.refusals import Detail
from statuspulse.domain.incident_figures import Figures, Spread, figures, grouped
from statuspulse.domain.times import DAY, from_text, to_text
from statuspulse.storage import incident_courses

router = APIRouter(route_class=CheckedRoute, tags=["Incidents"])

_USUAL = 30 * DAY
_LONGEST = 366 * DAY


class SpreadAnswer(Answer):
    """Seconds; null where nothing can be counted."""

    median: float | None
    p95: float | None


class StatsItem(Answer):
    """The figures of one group; `group` is a monitor's id, a severity or a day of UTC."""

    group: str | None
    count: int
    open: int
    mtta_seconds: SpreadAnswer
    mttr_seconds: SpreadAnswer


class StatsAnswer(Envelope):
    """The incidents that were triggered in a span; a group without a name is what belongs to no monitor."""

    object: Literal["incident_stats"]
    begin: Annotated[datetime, Field(alias="from")]
    end: Annotated[datetime, Field(alias="to")]
    group_by: Literal["monitor", "severity", "day"] | None
    count: int
    open: int
    mtta_seconds: SpreadAnswer
    mttr_seconds: SpreadAnswer
    groups: list[StatsItem]


class StatsQuery(BaseModel):
    """The last 30 days by default, 366 at most."""

    begin: Annotated[str | None, Field(alias="from", description="Triggered at this time or later.")] = None
    end: Annotated[str | None, Field(alias="to", description="Triggered before this time.")] = None
    group_by: Literal["monitor", "severity", "day"] | None = None


STATS = Operation(
    id="getIncidentStats",
    summary="Get how many incidents there were and how long they took",
    scope="incidents:read",
    answer=StatsAnswer,
    examples={"by severity": examples.STATS},
)


@router.get("/incidents/stats", **STATS.keywords)
async def get_stats(call: CallOf, query: Annotated[StatsQuery, Query()]) -> Response:
    start, end = _span(query, call.services.parts.now())

    def read(connection: Connection) -> tuple[Figures, dict[str | None, Figures]]:
        courses = incident_courses.between(connection, call.team_id, start, end, group_by=query.group_by)
        return figures(courses), grouped(courses) if query.group_by is not None else {}

    whole, groups = await call.database.read(read)
    document = {
        "from": to_text(start),
        "to": to_text(end),
        "group_by": query.group_by,
        **_document(whole),
        "groups": [{"group": group, **_document(one)} for group, one in groups.items()],
    }
    message = f"{whole.count} incident{'' if whole.count == 1 else 's'}, {whole.open} of them open."
    return answer(call.request, "incident_stats", message, document)


def _document(found: Figures) -> dict[str, Any]:
    return {
        "count": found.count,
        "open": found.open,
        "mtta_seconds": _spread(found.to_acknowledge),
        "mttr_seconds": _spread(found.to_resolve),
    }


def _spread(found: Spread) -> dict[str, float | None]:
    return {"median": found.median, "p95": found.p95}


def _span(query: StatsQuery, now: int) -> tuple[int, int]:
    """Raises 422 for what is no time, and for a span that is none or too long."""
    times: dict[str, int] = {}
    for name, text in (("from", query.begin), ("to", query.end)):
        try:
            times |= {} if text is None else {name: from_text(text)}
        except (ValueError, OverflowError):
            raise _wrong("parameter_invalid_format", name, "must be a time such as 2026-11-23T06:20:00Z") from None
    end = times.get("to", now + 1)
    start = times.get("from", end - _USUAL)
    if end <= 0:
        raise _wrong("parameter_out_of_range", "to", "must be later than 1970-01-01T00:00:00Z")
    if start >= end:
        raise _wrong("parameter_conflict", "from", "must be earlier than to")
    if end - start > _LONGEST:
        raise _wrong("parameter_out_of_range", "from", "must be at most 366 days before to")
    return start, end


def _wrong(code: str, name: str, message: str) -> Exception:
    return invalid([Detail(code=code, path=(name,), message=message, in_body=False)])
