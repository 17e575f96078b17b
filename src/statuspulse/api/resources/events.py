"""What happened: the log of events of a team."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.event import EventAnswer, EventList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.envelope import answer
from statuspulse.api.errors import ApiError, invalid
from statuspulse.api.examples.event import EVENT, EVENT_LIST
from statuspulse.api.operation import Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import bounds
from statuspulse.catalog.refusals import Detail, MissingError
from statuspulse.domain.event import EventType
from statuspulse.storage import events
from statuspulse.storage.events import EventFilter

router = APIRouter(route_class=CheckedRoute, tags=["Events"])

LIST = Operation(
    id="listEvents",
    summary="List what happened; the newest first",
    scope="events:read",
    answer=EventList,
    examples={"one": EVENT_LIST},
    statuses=(410,),
)
GET = Operation(
    id="getEvent",
    summary="Get an event",
    scope="events:read",
    answer=EventAnswer,
    examples={"down": EVENT},
)


class EventQuery(ListQuery):
    """What the log can be narrowed to."""

    type: Annotated[
        str | None, Field(description="Types, separated by commas; `incident.` takes all that begin so.")
    ] = None
    monitor_id: str | None = None
    incident_id: str | None = None
    begin: Annotated[str | None, Field(alias="from", description="At this time or later.")] = None
    end: Annotated[str | None, Field(alias="to", description="Before this time.")] = None


@router.get("/events", **LIST.keywords)
async def list_events(call: CallOf, query: Annotated[EventQuery, Query()]) -> Response:
    wanted, after = _filter(query), place_of(call, query)
    descending = query.order != "asc"

    def read(connection: Connection) -> Page:
        if after is not None:
            _ensure_kept(connection, call, after[0])
        found = events.page(
            connection,
            call.team_id,
            wanted,
            after=None if after is None else after[0],
            descending=descending,
            limit=query.limit + 1,
        )
        shown = found[: query.limit]
        return Page(
            data=[msgspec.json.decode(event.body) for event in shown],
            next_place=(shown[-1].seq, shown[-1].id) if len(found) > query.limit else None,
            total=events.count(connection, call.team_id, wanted, COUNT_LIMIT) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "event", "events")


@router.get("/events/{event_id}", **GET.keywords)
async def get_event(call: CallOf, event_id: str) -> Response:
    found = await call.database.read(lambda connection: events.get(connection, call.team_id, event_id))
    if found is None:
        raise MissingError
    document: dict[str, Any] = msgspec.json.decode(found.body)
    return answer(call.request, "event", f"{document['type']} at {document['timestamp']}.", document)


def types_of(text: str | None) -> tuple[str, ...]:
    """The types and prefixes that a query names; raises 422 for what no event is called."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(","))) if text else ()
    for name in names:
        if not any(kind.value == name or (name.endswith(".") and kind.value.startswith(name)) for kind in EventType):
            message = "must be types of events, or beginnings such as incident., separated by commas"
            raise invalid([Detail(code="parameter_invalid_enum", path=("type",), message=message, in_body=False)])
    return names


def _ensure_kept(connection: Connection, call: Call, seq: int) -> None:
    if not events.is_kept(connection, call.team_id, seq):
        message = "The cursor is older than the events that are kept; start again without it."
        raise ApiError("cursor_expired", message, param="cursor")


def _filter(query: EventQuery) -> EventFilter:
    """Raises 422 for types and times that are none, and for an empty stretch of time."""
    since, until = bounds(query.begin, query.end)
    return EventFilter(
        types=types_of(query.type),
        monitor_id=query.monitor_id,
        incident_id=query.incident_id,
        since=since,
        until=until,
    )
