"""The changes of a monitor's state, each with what led to it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.transition import TransitionList
from statuspulse.api.dependencies import CallOf
from statuspulse.api.documents.transition import transition_document
from statuspulse.api.examples import transition as examples
from statuspulse.api.operation import Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import bounds
from statuspulse.catalog.refusals import MissingError
from statuspulse.storage import monitors, transitions
from statuspulse.storage.transitions import TransitionFilter

router = APIRouter(route_class=CheckedRoute, tags=["History"])


class TransitionsQuery(ListQuery):
    """Which transitions of the monitor are shown; the newest come first."""

    begin: Annotated[str | None, Field(alias="from", description="Decided at this time or later.")] = None
    end: Annotated[str | None, Field(alias="to", description="Decided before this time.")] = None


LIST = Operation(
    id="listTransitions",
    summary="List the changes of a monitor's state",
    scope="monitors:read",
    answer=TransitionList,
    examples={"down": examples.TRANSITION_LIST},
)


@router.get("/monitors/{monitor_id}/transitions", **LIST.keywords)
async def list_transitions(call: CallOf, monitor_id: str, query: Annotated[TransitionsQuery, Query()]) -> Response:
    known = known_id(monitor_id)
    start, end = bounds(query.begin, query.end)
    wanted = TransitionFilter(start=start, end=end)
    place = place_of(call, query)
    after = None if place is None else int(place[0])
    descending = query.order != "asc"

    def read(connection: Connection) -> Page:
        monitor = monitors.get(connection, call.team_id, known)
        if monitor is None:
            raise MissingError
        key = monitor.key
        found = transitions.listed(connection, key, wanted, after=after, descending=descending, limit=query.limit + 1)
        shown = found[: query.limit]
        return Page(
            data=[transition_document(recorded) for recorded in shown],
            next_place=(shown[-1].seq, known) if len(found) > query.limit else None,
            total=None if query.include is None else transitions.count(connection, key, wanted, COUNT_LIMIT),
        )

    return page_answer(call, query, await call.database.read(read), "transition", "transitions")
