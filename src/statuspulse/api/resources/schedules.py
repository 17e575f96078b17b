"""On-call schedules: list, make, read, change, remove, and who is on call."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Answer, Deleted, Envelope, ListEnvelope
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.envelope import answer
from statuspulse.api.errors import ApiError, invalid
from statuspulse.api.examples import schedule as examples
from statuspulse.api.headers import etag, if_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog import schedules as catalog
from statuspulse.catalog.refusals import Detail, MissingError
from statuspulse.domain.ids import is_id
from statuspulse.domain.times import from_text, to_text
from statuspulse.storage import schedules
from statuspulse.storage.schedules import Schedule

router = APIRouter(route_class=CheckedRoute, tags=["On-call schedules"])

# The handoff after it still is a date, however rare handoffs are.
_LATEST = from_text("9000-01-01T00:00:00Z")


class Override(Answer):
    """Somebody else is on call from then to then."""

    start_at: datetime
    end_at: datetime
    member: str


class ScheduleItem(Answer):
    """A schedule inside another answer."""

    object: Literal["schedule"]
    id: str
    team_id: str
    name: str
    timezone: str | None
    rotation: str
    handoff: str
    starts_on: str
    members: list[str]
    overrides: list[Override]
    version: int
    created_at: datetime
    updated_at: datetime


class ScheduleAnswer(ScheduleItem, Envelope):
    """An on-call schedule."""


class ScheduleList(ListEnvelope):
    """A page of schedules."""

    data: list[ScheduleItem]


class OnCallAnswer(Envelope):
    """Who is on call; null before the first shift. Without `user_id` nobody of the team has the address any more."""

    object: Literal["on_call"]
    schedule_id: str
    at: datetime
    member: str | None
    user_id: str | None
    next_handoff_at: datetime


class OnCallQuery(BaseModel):
    """When; now by default."""

    at: Annotated[str | None, Field(description="An instant such as 2026-11-23T06:20:00Z; now by default.")] = None


CREATE = Operation(
    id="createSchedule",
    summary="Create an on-call schedule",
    scope="escalation:write",
    status=201,
    answer=ScheduleAnswer,
    examples={"primary": examples.CREATED},
    body=Body(schema="ScheduleRequest", examples={"primary": examples.REQUEST}),
    statuses=(409,),
)
LIST = Operation(
    id="listSchedules",
    summary="List on-call schedules",
    scope="escalation:read",
    answer=ScheduleList,
    examples={"one": examples.LIST},
)
GET = Operation(
    id="getSchedule",
    summary="Get an on-call schedule",
    scope="escalation:read",
    answer=ScheduleAnswer,
    examples={"primary": examples.SCHEDULE},
)
PUT = Operation(
    id="updateSchedule",
    summary="Change an on-call schedule; members that are left out stay",
    scope="escalation:write",
    answer=ScheduleAnswer,
    examples={"primary": examples.SCHEDULE},
    body=Body(schema="ScheduleEdit", examples={"daily": {"rotation": "daily"}}),
    statuses=(409, 412, 428),
)
DELETE = Operation(
    id="deleteSchedule",
    summary="Delete an on-call schedule that no policy names",
    scope="escalation:write",
    answer=Deleted,
    examples={"deleted": examples.DELETED},
    statuses=(409, 412, 428),
)
ON_CALL = Operation(
    id="getOnCall",
    summary="Get who is on call at an instant",
    scope="escalation:read",
    answer=OnCallAnswer,
    examples={"maya": examples.ON_CALL},
)


@router.post("/schedules", **CREATE.keywords)
async def create_schedule(call: CallOf, body: dict[str, Any]) -> Response:
    change = change_of(call)
    schedule = await call.database.write(lambda connection: catalog.create(connection, change, body))
    headers = {"Location": f"/v1/schedules/{schedule.id}"}
    return _answer(call, schedule, f'Schedule "{schedule.name}" created.', status=201, headers=headers)


@router.get("/schedules", **LIST.keywords)
async def list_schedules(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after = place_of(call, query)

    def read(connection: Connection) -> Page:
        found = schedules.page(
            connection, call.team_id, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=[_document(schedule) for schedule in shown],
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=min(COUNT_LIMIT, schedules.count(connection, call.team_id)) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "schedule", "schedules")


@router.get("/schedules/{schedule_id}", **GET.keywords)
async def get_schedule(call: CallOf, schedule_id: str) -> Response:
    known = _known_id(schedule_id)
    schedule = await call.database.read(lambda connection: catalog.get(connection, call.team_id, known))
    return _answer(call, schedule, f'Schedule "{schedule.name}".')


@router.put("/schedules/{schedule_id}", **PUT.keywords)
async def update_schedule(call: CallOf, schedule_id: str, body: dict[str, Any]) -> Response:
    change, known, expected = change_of(call), _known_id(schedule_id), if_match(call.request)
    schedule = await call.database.write(lambda connection: catalog.update(connection, change, known, body, expected))
    return _answer(call, schedule, f'Schedule "{schedule.name}" changed.')


@router.delete("/schedules/{schedule_id}", **DELETE.keywords)
async def delete_schedule(call: CallOf, schedule_id: str) -> Response:
    change, known, expected = change_of(call), _known_id(schedule_id), if_match(call.request)
    schedule = await call.database.write(lambda connection: catalog.remove(connection, change, known, expected))
    message = f'Schedule "{schedule.name}" deleted.'
    return answer(call.request, "schedule", message, {"id": schedule.id, "deleted": True})


@router.get("/schedules/{schedule_id}/on-call", **ON_CALL.keywords)
async def get_on_call(call: CallOf, schedule_id: str, query: Annotated[OnCallQuery, Query()]) -> Response:
    known, at = _known_id(schedule_id), _instant(call, query)
    found = await call.database.read(lambda connection: catalog.on_call(connection, call.team_id, known, at))
    document = {
        "schedule_id": found.schedule.id,
        "at": to_text(found.at),
        "member": found.email,
        "user_id": None if found.member is None else found.member.user_id,
        "next_handoff_at": to_text(found.next_handoff_at),
    }
    return answer(call.request, "on_call", f"{found.email or 'Nobody'} is on call.", document)


def _instant(call: Call, query: OnCallQuery) -> int:
    if query.at is None:
        return call.services.parts.now()
    try:
        at = from_text(query.at)
    except (ValueError, OverflowError):
        raise _wrong_instant("parameter_invalid_format", "must be a time such as 2026-11-23T06:20:00Z") from None
    if not 0 <= at < _LATEST:
        raise _wrong_instant("parameter_out_of_range", "must lie in the years 1970 to 8999")
    return at


def _wrong_instant(code: str, message: str) -> ApiError:
    return invalid([Detail(code=code, path=("at",), message=message, in_body=False)])


def _answer(
    call: Call, schedule: Schedule, message: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    told = {"ETag": etag(schedule.version), **(headers or {})}
    return answer(call.request, "schedule", message, _document(schedule), status=status, headers=told)


def _document(schedule: Schedule) -> dict[str, Any]:
    return {
        "object": "schedule",
        "id": schedule.id,
        "team_id": schedule.team_id,
        "name": schedule.name,
        **schedule.plan,
        "version": schedule.version,
        "created_at": to_text(schedule.created_at),
        "updated_at": to_text(schedule.updated_at),
    }


def _known_id(schedule_id: str) -> str:
    """An id of the form of a schedule's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(schedule_id, "sch"):
        raise MissingError
    return schedule_id
