"""Monitors: create, list, read, change, delete, pause and resume."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Deleted
from statuspulse.api.answers.monitor import MonitorAnswer, MonitorChange, MonitorList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.monitor import monitor_document
from statuspulse.api.envelope import answer
from statuspulse.api.examples import common as examples
from statuspulse.api.examples import heartbeat as heartbeat_examples
from statuspulse.api.headers import etag, if_match, wants_strictness
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import Page, page_answer, place_of
from statuspulse.api.resources.monitor_query import MonitorQuery, monitor_filter, read_page
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog import monitors
from statuspulse.catalog.members.common import Fixed, Members
from statuspulse.catalog.monitor_views import MonitorView, views_of
from statuspulse.catalog.monitors import Edit, Outcome, Way
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import MissingError
from statuspulse.domain.ids import is_id

router = APIRouter(route_class=CheckedRoute, tags=["Monitors"])

_FIRST_CHECK_SECONDS = 5


class PauseRequest(Members):
    """A pause has no end of its own in this version."""

    resume_at: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None
    reason: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None


class ResumeRequest(Members):
    """Nothing can be said about it."""


class PingKeyRotation(Members):
    """Nothing can be said about it."""


CREATE = Operation(
    id="createMonitor",
    summary="Create a monitor",
    scope="monitors:write",
    status=201,
    answer=MonitorAnswer,
    examples={
        "checkout": examples.MONITOR,
        "orders": examples.ORDERS_MONITOR,
        "backup": heartbeat_examples.MONITOR,
    },
    body=Body(schema="MonitorRequest", examples=examples.NEW_MONITORS),
)
LIST = Operation(
    id="listMonitors",
    summary="List monitors",
    scope="monitors:read",
    answer=MonitorList,
    examples={"one": examples.MONITOR_LIST},
)
GET = Operation(
    id="getMonitor",
    summary="Get a monitor",
    scope="monitors:read",
    answer=MonitorAnswer,
    examples={"checkout": examples.MONITOR},
)
PATCH = Operation(
    id="patchMonitor",
    summary="Change members of a monitor's configuration",
    scope="monitors:write",
    answer=MonitorChange,
    examples={"timeout": {**examples.MONITOR, **examples.CHANGED}},
    body=Body(
        schema="MonitorEdit",
        examples={"timeout": {"timeout_ms": 8000}},
        media_types=("application/json", "application/merge-patch+json"),
    ),
    statuses=(412, 428),
)
DELETE = Operation(
    id="deleteMonitor",
    summary="Delete a monitor",
    scope="monitors:write",
    answer=Deleted,
    examples={"deleted": examples.DELETED},
    statuses=(412, 428),
)
PAUSE = Operation(
    id="pauseMonitor",
    summary="Stop checking until it is resumed",
    scope="monitors:write",
    answer=MonitorAnswer,
    examples={"paused": examples.PAUSED_MONITOR},
)
RESUME = Operation(
    id="resumeMonitor",
    summary="Check again",
    scope="monitors:write",
    answer=MonitorAnswer,
    examples={"checkout": examples.MONITOR},
)


ROTATE_PING_KEY = Operation(
    id="rotatePingKey",
    summary="Give a heartbeat another ping_url; the old one ends at once",
    scope="monitors:write",
    answer=MonitorAnswer,
    examples={"backup": heartbeat_examples.MONITOR},
)


@router.post("/monitors", **CREATE.keywords)
async def create_monitor(call: CallOf, body: dict[str, Any]) -> Response:
    change, instance = change_of(call), call.services.instance
    outcome = await call.database.write(lambda connection: monitors.create(connection, instance, change, body))
    call.services.parts.wake()
    return _answer(call, outcome, _created(outcome.view), status=201)


@router.get("/monitors", **LIST.keywords)
async def list_monitors(call: CallOf, query: Annotated[MonitorQuery, Query()]) -> Response:
    wanted, after, now = monitor_filter(query), place_of(call, query), call.services.parts.now()

    def read(connection: Connection) -> Page:
        found = read_page(connection, call.team_id, query, wanted, after)
        views = views_of(connection, call.team_id, [item.monitor for item in found.shown], now)
        data = [monitor_document(view, call.ping_urls) for view in views]
        return Page(data=data, next_place=found.next_place, total=found.total)

    return page_answer(call, query, await call.database.read(read), "monitor", "monitors")


@router.get("/monitors/{monitor_id}", **GET.keywords)
async def get_monitor(call: CallOf, monitor_id: str) -> Response:
    view = await read_monitor(call, monitor_id)
    return _answer(call, Outcome(view=view), f'Monitor "{view.monitor.name}" is {view.state.state}.')


@router.patch("/monitors/{monitor_id}", **PATCH.keywords)
async def patch_monitor(
    call: CallOf, monitor_id: str, body: dict[str, Any], dry_run: Literal["true", "false"] = "false"
) -> Response:
    edit = Edit(sent=body, way=Way.PATCH, if_match=if_match(call.request), dry_run=dry_run == "true")
    outcome = await edit_monitor(call, monitor_id, edit)
    members = {**monitor_document(outcome.view, call.ping_urls), "changed": list(outcome.changed)}
    message, headers = edit_message(outcome, dry_run=edit.dry_run), edit_headers(outcome, dry_run=edit.dry_run)
    return answer(call.request, "monitor", message, members, warnings=outcome.warnings, headers=headers)


@router.delete("/monitors/{monitor_id}", **DELETE.keywords)
async def delete_monitor(call: CallOf, monitor_id: str) -> Response:
    change, known, expected = change_of(call), known_id(monitor_id), if_match(call.request)
    await call.database.write(lambda connection: monitors.remove(connection, change, known, expected))
    call.services.parts.wake()
    return answer(call.request, "monitor", f"Monitor {known} deleted.", {"id": known, "deleted": True})


@router.post("/monitors/{monitor_id}/pause", **PAUSE.keywords)
async def pause_monitor(call: CallOf, monitor_id: str, _body: PauseRequest | None = None) -> Response:
    change, known = change_of(call), known_id(monitor_id)
    outcome = await call.database.write(lambda connection: monitors.pause(connection, change, known))
    call.services.parts.wake()
    name = outcome.view.monitor.name
    return _answer(call, outcome, f'Monitor "{name}" {"" if outcome.changed else "was already "}paused.')


@router.post("/monitors/{monitor_id}/resume", **RESUME.keywords)
async def resume_monitor(call: CallOf, monitor_id: str, _body: ResumeRequest | None = None) -> Response:
    change, known = change_of(call), known_id(monitor_id)
    outcome = await call.database.write(lambda connection: monitors.resume(connection, change, known))
    call.services.parts.wake()
    name = outcome.view.monitor.name
    message = f'Monitor "{name}" resumed.' if outcome.changed else f'Monitor "{name}" was not paused.'
    return _answer(call, outcome, message)


@router.post("/monitors/{monitor_id}/rotate-ping-key", **ROTATE_PING_KEY.keywords)
async def rotate_ping_key(call: CallOf, monitor_id: str, _body: PingKeyRotation | None = None) -> Response:
    change, known, keyring = change_of(call), known_id(monitor_id), call.services.instance.keyring
    outcome = await call.database.write(lambda connection: monitors.rotate_ping_key(connection, keyring, change, known))
    return _answer(call, outcome, f'Monitor "{outcome.view.monitor.name}" has another ping_url; the old one has ended.')


def known_id(monitor_id: str) -> str:
    """An id of the form of a monitor's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(monitor_id, "mon"):
        raise MissingError
    return monitor_id


def change_of(call: Call) -> Change:
    settings = call.caller.team.settings
    return Change(
        team_id=call.team_id,
        actor=call.caller.actor,
        now=call.services.parts.now(),
        strict=wants_strictness(call.request) or not settings.lenient_references,
        needs_precondition=settings.require_preconditions,
    )


async def read_monitor(call: Call, monitor_id: str) -> MonitorView:
    """The monitor of the caller's team; raises MissingError."""
    known, now = known_id(monitor_id), call.services.parts.now()
    return await call.database.read(lambda connection: monitors.get(connection, call.team_id, known, now))


async def edit_monitor(call: Call, monitor_id: str, edit: Edit) -> Outcome:
    """Applies an edit and tells the probes of it."""
    change, known, instance = change_of(call), known_id(monitor_id), call.services.instance
    outcome = await call.database.write(lambda connection: monitors.update(connection, instance, change, known, edit))
    if outcome.changed and not edit.dry_run:
        call.services.parts.wake()
    return outcome


def edit_message(outcome: Outcome, *, dry_run: bool) -> str:
    version = outcome.view.monitor.config_version
    if not outcome.changed:
        return f"Nothing changed; configuration {version} holds."
    if dry_run:
        return f"Configuration {version} would be applied; nothing was stored."
    return f"Configuration {version} applied."


def edit_headers(outcome: Outcome, *, dry_run: bool) -> dict[str, str]:
    """What would be applied has no version yet that a caller could refer to."""
    return {} if dry_run else {"ETag": etag(outcome.view.monitor.config_version)}


def _answer(call: Call, outcome: Outcome, message: str, *, status: int = 200) -> Response:
    monitor = outcome.view.monitor
    headers = {"ETag": etag(monitor.config_version)}
    if status == 201:
        headers["Location"] = f"/v1/monitors/{monitor.id}"
    document = monitor_document(outcome.view, call.ping_urls)
    return answer(call.request, "monitor", message, document, status=status, warnings=outcome.warnings, headers=headers)


def _created(view: MonitorView) -> str:
    monitor = view.monitor
    if monitor.paused:
        return f'Monitor "{monitor.name}" created; it is paused.'
    if view.line is not None:
        return f'Monitor "{monitor.name}" created; it waits for the first call of its ping_url.'
    seconds = min(_FIRST_CHECK_SECONDS, monitor.config["interval_seconds"])
    unit = "second" if seconds == 1 else "seconds"
    return f'Monitor "{monitor.name}" created; its first check starts within {seconds} {unit}.'
