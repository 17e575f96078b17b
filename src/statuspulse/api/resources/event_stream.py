"""Events as they happen, as server-sent events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from statuspulse.api.answers.stream import STREAM_EXAMPLE
from statuspulse.api.dependencies import CallOf
from statuspulse.api.errors import invalid
from statuspulse.api.event_feed import EventStream, Feed, start
from statuspulse.api.operation import Operation
from statuspulse.api.resources.events import types_of
from statuspulse.api.route import CheckedRoute
from statuspulse.api.security import secret_digest_of
from statuspulse.catalog.refusals import Detail
from statuspulse.domain.times import from_text
from statuspulse.storage.events import EventFilter

router = APIRouter(route_class=CheckedRoute, tags=["Events"])

STREAM = Operation(
    id="streamEvents",
    summary="Hear events as they happen",
    scope="events:read",
    answer=EventStream,
    examples={"frames": STREAM_EXAMPLE},
    takes_ticket=True,
)
_RESUMES = "The id of the last event that was heard; the stream goes on behind it. Of 7 days ago at most."


class StreamQuery(BaseModel):
    """What a stream is narrowed to, where it begins, and the ticket of a browser."""

    type: Annotated[
        str | None, Field(description="Types, separated by commas; `incident.` takes all that begin so.")
    ] = None
    monitor_id: str | None = None
    tag: Annotated[str | None, Field(description="A tag that the monitor of an event has now.")] = None
    since: Annotated[str | None, Field(description="Begins with events of this time; of 7 days ago at most.")] = None
    last_event_id: Annotated[str | None, Field(description=f"{_RESUMES} The header goes before it.")] = None
    ticket: Annotated[str | None, Field(description="Of `POST /v1/stream-tickets`; stands for the token.")] = None


@router.get("/events/stream", **STREAM.keywords)
async def stream_events(
    call: CallOf,
    query: Annotated[StreamQuery, Query()],
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", description=_RESUMES)] = None,
) -> Response:
    services, wanted = call.services, EventFilter(types=types_of(query.type), monitor_id=query.monitor_id)
    since, last_id = _instant(query.since), last_event_id or query.last_event_id
    services.streams.check_room(call.caller.token_id)
    now = services.parts.now()
    begin = await services.parts.database.read(
        lambda connection: start(connection, call.team_id, last_id=last_id, since=since, now=now)
    )
    feed = Feed(
        services=services,
        team_id=call.team_id,
        token_id=call.caller.token_id,
        secret_digest=secret_digest_of(call.request, services),
        wanted=wanted,
        tag=query.tag,
        number=begin.number,
    )
    return EventStream(feed, begin)


def _instant(text: str | None) -> int | None:
    """Raises 422 for what is no time."""
    try:
        return None if text is None else from_text(text)
    except ValueError:
        message = "must be a time such as 2026-11-23T06:20:00Z"
        detail = Detail(code="parameter_invalid_format", path=("since",), message=message, in_body=False)
        raise invalid([detail]) from None
