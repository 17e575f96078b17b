"""Maintenance windows: plan, list, read, change, end, skip, cancel and preview."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.maintenance import OccurrenceList, WindowAnswer, WindowList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.maintenance import occurrence_document, window_document
from statuspulse.api.envelope import answer
from statuspulse.api.errors import invalid
from statuspulse.api.examples import maintenance as examples
from statuspulse.api.headers import etag, if_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of, known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import in_query, read_times
from statuspulse.catalog import maintenance as catalog
from statuspulse.catalog.members.common import Members
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, MissingError, SoftProblem
from statuspulse.catalog.window_plans import remarks
from statuspulse.domain.ids import is_id
from statuspulse.domain.maintenance import Status
from statuspulse.domain.scope import SCOPES
from statuspulse.domain.times import DAY
from statuspulse.storage import maintenance, monitors
from statuspulse.storage.maintenance import Window

router = APIRouter(route_class=CheckedRoute, tags=["Maintenance"])

# The monitor that a window is a part of, and those that joined it.
_Parts = tuple[str | None, Sequence[str]]
_USUAL_PREVIEW = 365 * DAY
# Probes and regions belong to the first team; of everything else an admin has every scope.
_ADMIN = SCOPES - {"probes:write"}


class EndRequest(Members):
    """Nothing can be said about it."""


class SkipRequest(Members):
    """Nothing can be said about it."""


class OccurrencesQuery(BaseModel):
    """Which occurrences are shown: those of a year from now on where nothing is said."""

    begin: Annotated[str | None, Field(alias="from", description="That end behind this time.")] = None
    end: Annotated[str | None, Field(alias="to", description="That begin before this time.")] = None


class WindowsQuery(ListQuery):
    """Which windows: all that are said have to hold."""

    status: Annotated[
        str | None, Field(max_length=100, description="One or more of scheduled, active, ended, cancelled, by commas.")
    ] = None
    monitor_id: Annotated[
        str | None,
        Field(
            max_length=40, description="That mean this monitor: by id, by tag, all, as a part of it, or joined by it."
        ),
    ] = None
    tag: Annotated[str | None, Field(max_length=64, description="Whose `monitors` name this tag.")] = None


CREATE = Operation(
    id="createMaintenanceWindow",
    summary="Plan a maintenance window",
    scope="maintenance:write",
    status=201,
    answer=WindowAnswer,
    examples={"patching": examples.CREATED},
    body=Body(schema="WindowRequest", examples={"patching": examples.REQUEST, "once": examples.ONCE}),
)
LIST = Operation(
    id="listMaintenanceWindows",
    summary="List maintenance windows",
    scope="maintenance:read",
    answer=WindowList,
    examples={"one": examples.LIST},
)
GET = Operation(
    id="getMaintenanceWindow",
    summary="Get a maintenance window",
    scope="maintenance:read",
    answer=WindowAnswer,
    examples={"patching": examples.WINDOW},
)
PATCH = Operation(
    id="patchMaintenanceWindow",
    summary="Change a maintenance window; members that are left out stay",
    scope="maintenance:write",
    answer=WindowAnswer,
    examples={"longer": examples.CHANGED},
    body=Body(
        schema="WindowEdit",
        examples={"longer": examples.EDIT},
        media_types=("application/json", "application/merge-patch+json"),
    ),
    statuses=(409, 412, 428),
)
DELETE = Operation(
    id="cancelMaintenanceWindow",
    summary="Cancel a maintenance window; one that is active ends",
    scope="maintenance:write",
    answer=WindowAnswer,
    examples={"cancelled": examples.CANCELLED},
    statuses=(409, 412, 428),
)
END = Operation(
    id="endMaintenanceWindow",
    summary="End the occurrence that is under way",
    scope="maintenance:write",
    answer=WindowAnswer,
    examples={"ended": examples.ENDED},
    statuses=(409,),
)
SKIP = Operation(
    id="skipNextOccurrence",
    summary="Leave out the next occurrence of a maintenance window",
    scope="maintenance:write",
    answer=WindowAnswer,
    examples={"skipped": examples.SKIPPED},
    statuses=(409,),
)
OCCURRENCES = Operation(
    id="listOccurrences",
    summary="Preview the occurrences of a maintenance window",
    scope="maintenance:read",
    answer=OccurrenceList,
    examples={"two": examples.OCCURRENCES},
)
START = Operation(
    id="startMaintenance",
    summary="Begin maintenance of a monitor now",
    scope="maintenance:write",
    status=201,
    answer=WindowAnswer,
    examples={"started": examples.STARTED},
    body=Body(schema="MaintenanceRequest", examples={"hour": examples.NOW}),
)


@router.post("/maintenance-windows", **CREATE.keywords)
async def create_window(call: CallOf, body: dict[str, Any]) -> Response:
    may_backdate = call.caller.scopes >= _ADMIN
    return await _written(
        call,
        lambda connection, change: catalog.create(connection, change, body, may_backdate=may_backdate),
        "created",
        sent=body,
        status=201,
    )


@router.get("/maintenance-windows", **LIST.keywords)
async def list_windows(call: CallOf, query: Annotated[WindowsQuery, Query()]) -> Response:
    after, now = place_of(call, query), call.services.parts.now()
    statuses = _statuses(query)
    descending = query.order != "asc"

    def read(connection: Connection) -> Page:
        monitor = None if query.monitor_id is None else monitors.get(connection, call.team_id, query.monitor_id)

        def wanted(after: tuple[int, str] | None) -> Iterator[Window]:
            for one in maintenance.listed(connection, call.team_id, after=after, descending=descending):
                is_meant = monitor is not None and one.covers(monitor.key, monitor.id, monitor.config)
                if (
                    (not statuses or one.status_at(now) in statuses)
                    and (query.monitor_id is None or is_meant)
                    and (query.tag is None or query.tag in one.plan["monitors"].get("tags", ()))
                ):
                    yield one

        found = list(islice(wanted(after), query.limit + 1))
        shown = found[: query.limit]
        owners = monitors.ids_of(connection, call.team_id, [one.monitor_key for one in shown if one.monitor_key])
        joined = maintenance.joined(connection, call.team_id, {one.id for one in shown})
        return Page(
            data=[
                window_document(window, owners.get(window.monitor_key or 0), joined.get(window.id, ()), now)
                for window in shown
            ],
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=sum(1 for _ in islice(wanted(None), COUNT_LIMIT)) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "maintenance window", "maintenance windows")


@router.get("/maintenance-windows/{window_id}", **GET.keywords)
async def get_window(call: CallOf, window_id: str) -> Response:
    known, now = _known_id(window_id), call.services.parts.now()

    def read(connection: Connection) -> tuple[Window, _Parts]:
        window = catalog.get(connection, call.team_id, known)
        return window, _parts(connection, window)

    window, parts = await call.database.read(read)
    return _answer(call, window, parts, now, f"is {_words(window, now)}")


@router.patch("/maintenance-windows/{window_id}", **PATCH.keywords)
async def patch_window(call: CallOf, window_id: str, body: dict[str, Any]) -> Response:
    known, expected = _known_id(window_id), if_match(call.request)
    return await _written(
        call, lambda connection, change: catalog.update(connection, change, known, body, expected), "changed", sent=body
    )


@router.delete("/maintenance-windows/{window_id}", **DELETE.keywords)
async def cancel_window(call: CallOf, window_id: str) -> Response:
    known, expected = _known_id(window_id), if_match(call.request)
    return await _written(call, lambda connection, change: catalog.cancel(connection, change, known, expected), None)


@router.post("/maintenance-windows/{window_id}/end", **END.keywords)
async def end_window(call: CallOf, window_id: str, _body: EndRequest | None = None) -> Response:
    known = _known_id(window_id)
    return await _written(
        call, lambda connection, change: catalog.end(connection, change, known), ": the occurrence has ended"
    )


@router.post("/maintenance-windows/{window_id}/skip-next", **SKIP.keywords)
async def skip_next(call: CallOf, window_id: str, _body: SkipRequest | None = None) -> Response:
    known = _known_id(window_id)
    return await _written(
        call,
        lambda connection, change: catalog.skip_next(connection, change, known),
        ": the next occurrence is left out",
    )


@router.get("/maintenance-windows/{window_id}/occurrences", **OCCURRENCES.keywords)
async def list_occurrences(call: CallOf, window_id: str, query: Annotated[OccurrencesQuery, Query()]) -> Response:
    known = _known_id(window_id)
    start, end = _stretch(query, call.services.parts.now())
    found = await call.database.read(
        lambda connection: catalog.preview(connection, catalog.get(connection, call.team_id, known), start, end)
    )
    shown = found[: catalog.MOST_SHOWN]
    has_more = len(found) > len(shown)
    message = f"{len(shown)} occurrence{'' if len(shown) == 1 else 's'}{', and there are more' if has_more else ''}."
    members = {
        "data": [occurrence_document(one) for one in shown],
        "has_more": has_more,
        "next_cursor": None,
        "url": call.request.url.path,
    }
    return answer(call.request, "list", message, members)


@router.post("/monitors/{monitor_id}/maintenance", **START.keywords)
async def start_maintenance(call: CallOf, monitor_id: str, body: dict[str, Any]) -> Response:
    known = known_id(monitor_id)
    return await _written(
        call, lambda connection, change: catalog.start_now(connection, change, known, body), None, status=201
    )


async def _written(
    call: Call,
    work: Callable[[Connection, Change], Window],
    words: str | None,
    *,
    sent: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """Changes a window and tells engine and probes of it; without words the message says how it stands.

    Where members of it were `sent` the answer warns of what was done otherwise.
    """
    change = change_of(call)

    def write(connection: Connection) -> tuple[Window, _Parts]:
        window = work(connection, change)
        return window, _parts(connection, window)

    window, parts = await call.database.write(write)
    call.services.parts.wake()
    told = words or f"is {_words(window, change.now)}"
    warnings = [] if sent is None else remarks(sent, catalog.facts(window))
    return _answer(call, window, parts, change.now, told, status=status, warnings=warnings)


def _answer(
    call: Call,
    window: Window,
    parts: _Parts,
    now: int,
    words: str,
    *,
    status: int = 200,
    warnings: Sequence[SoftProblem] = (),
) -> Response:
    headers = {"ETag": etag(window.version)}
    if status == 201:
        headers["Location"] = f"/v1/maintenance-windows/{window.id}"
    separator = "" if words.startswith(":") else " "
    message = f'Maintenance window "{window.name}"{separator}{words}.'
    document = window_document(window, *parts, now)
    return answer(
        call.request, "maintenance_window", message, document, status=status, warnings=warnings, headers=headers
    )


def _words(window: Window, now: int) -> str:
    status = window.status_at(now)
    if status is Status.ENDED and window.plan["valid_from"] is None and window.switches.excludes:
        return "over, and the time that it took out of uptime and SLOs stays out; there is no way back"
    return "over" if status is Status.ENDED else status.value


def _parts(connection: Connection, window: Window) -> _Parts:
    key = window.monitor_key
    if key is not None:
        return monitors.ids_of(connection, window.team_id, [key]).get(key), ()
    return None, maintenance.joined(connection, window.team_id, [window.id]).get(window.id, ())


def _statuses(query: WindowsQuery) -> set[str]:
    """Raises 422 for what is no status or no id of a monitor."""
    wrong: list[Detail] = []
    statuses = set() if query.status is None else set(query.status.split(","))
    if not statuses <= set(Status):
        wrong.append(in_query("parameter_invalid_enum", "status", f"must hold statuses out of {', '.join(Status)}"))
    if query.monitor_id is not None and not is_id(query.monitor_id, "mon"):
        message = "must be the id of a monitor, such as mon_9x2k4p7q"
        wrong.append(in_query("parameter_invalid_format", "monitor_id", message))
    if wrong:
        raise invalid(wrong)
    return statuses


def _stretch(query: OccurrencesQuery, now: int) -> tuple[int, int]:
    wrong: list[Detail] = []
    times = read_times(wrong, begin=query.begin, end=query.end)
    start = times.get("from", now)
    end = times.get("to", start + _USUAL_PREVIEW)
    if not wrong and start >= end:
        wrong.append(in_query("parameter_conflict", "to", "must be later than from, which is now unless it is given"))
    if wrong:
        raise invalid(wrong)
    return start, end


def _known_id(window_id: str) -> str:
    """An id of the form of a window's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(window_id, "mwn"):
        raise MissingError
    return window_id
