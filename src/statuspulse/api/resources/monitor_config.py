"""A monitor's configuration as a document with versions."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from starlette.responses import Response

from statuspulse.api.answers.monitor import ConfigAnswer, ConfigChange
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.monitor import config_document
from statuspulse.api.envelope import answer
from statuspulse.api.examples import common as examples
from statuspulse.api.headers import etag, if_match, none_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.resources.monitors import edit_headers, edit_message, edit_monitor, read_monitor
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog.monitors import Edit, Outcome, Way

router = APIRouter(route_class=CheckedRoute, tags=["Monitors"])

GET = Operation(
    id="getMonitorConfig",
    summary="Get a monitor's configuration",
    scope="monitors:read",
    answer=ConfigAnswer,
    examples={"checkout": examples.CONFIG},
    statuses=(304,),
)
PUT = Operation(
    id="putMonitorConfig",
    summary="Change a monitor's configuration, member by member or as a whole",
    scope="monitors:write",
    answer=ConfigChange,
    examples={"timeout": {**examples.CONFIG, **examples.CHANGED}},
    body=Body(
        schema="MonitorEdit",
        examples={
            "timeout": {"timeout_ms": 8000, "config_version": 2},
            "new_token": {"auth": {"type": "bearer", "token": "acme-orders-token"}},
        },
    ),
    statuses=(412, 428),
)
PATCH = Operation(
    id="patchMonitorConfig",
    summary="Merge a patch into a monitor's configuration",
    scope="monitors:write",
    answer=ConfigChange,
    examples={"timeout": {**examples.CONFIG, **examples.CHANGED}},
    body=Body(
        schema="MonitorEdit",
        examples={"timeout": {"timeout_ms": 8000}},
        media_types=("application/json", "application/merge-patch+json"),
    ),
    statuses=(412, 428),
)


@router.get("/monitors/{monitor_id}/config", **GET.keywords)
async def get_config(call: CallOf, monitor_id: str) -> Response:
    view = await read_monitor(call, monitor_id)
    version = view.monitor.config_version
    headers = {"ETag": etag(version)}
    if none_match(call.request, version):
        return Response(status_code=304, headers=headers)
    message = f'Configuration {version} of monitor "{view.monitor.name}".'
    return answer(call.request, "monitor_config", message, config_document(view, call.ping_urls), headers=headers)


@router.put("/monitors/{monitor_id}/config", **PUT.keywords)
async def put_config(
    call: CallOf,
    monitor_id: str,
    body: dict[str, Any],
    replace: Literal["true", "false"] = "false",
    dry_run: Literal["true", "false"] = "false",
) -> Response:
    way = Way.REPLACE if replace == "true" else Way.MERGE
    edit = Edit(sent=body, way=way, if_match=if_match(call.request), dry_run=dry_run == "true")
    return config_answer(call, await edit_monitor(call, monitor_id, edit), dry_run=edit.dry_run)


@router.patch("/monitors/{monitor_id}/config", **PATCH.keywords)
async def patch_config(
    call: CallOf, monitor_id: str, body: dict[str, Any], dry_run: Literal["true", "false"] = "false"
) -> Response:
    edit = Edit(sent=body, way=Way.PATCH, if_match=if_match(call.request), dry_run=dry_run == "true")
    return config_answer(call, await edit_monitor(call, monitor_id, edit), dry_run=edit.dry_run)


def config_answer(call: Call, outcome: Outcome, *, dry_run: bool) -> Response:
    """What a change has made of the configuration, or would make."""
    members = {**config_document(outcome.view, call.ping_urls), "changed": list(outcome.changed)}
    message, headers = edit_message(outcome, dry_run=dry_run), edit_headers(outcome, dry_run=dry_run)
    return answer(call.request, "monitor_config", message, members, warnings=outcome.warnings, headers=headers)
