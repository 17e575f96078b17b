"""The versions of a monitor's configuration, and the way back to one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.config_version import ConfigVersionList
from statuspulse.api.answers.monitor import ConfigChange
from statuspulse.api.dependencies import CallOf
from statuspulse.api.examples import config_version as examples
from statuspulse.api.headers import if_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitor_config import config_answer
from statuspulse.api.resources.monitors import change_of, known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog.members.common import Members
from statuspulse.catalog.refusals import MissingError
from statuspulse.catalog.rollbacks import Rollback, roll_back
from statuspulse.domain.times import to_text
from statuspulse.storage import config_versions, monitors
from statuspulse.storage.config_versions import ConfigVersion

router = APIRouter(route_class=CheckedRoute, tags=["Monitors"])

_LARGEST = (1 << 31) - 1


class RollbackRequest(Members):
    """The version to go back to."""

    config_version: Annotated[int, Field(ge=1, le=_LARGEST, description="One of those that the list shows.")]


LIST = Operation(
    id="listConfigVersions",
    summary="List the versions of a monitor's configuration, the newest first",
    scope="monitors:read",
    answer=ConfigVersionList,
    examples={"two": examples.VERSION_LIST},
)
ROLLBACK = Operation(
    id="rollBackMonitorConfig",
    summary="Go back to an earlier version of a monitor's configuration",
    scope="monitors:write",
    answer=ConfigChange,
    examples={"second": examples.ROLLED_BACK},
    body=Body(schema="RollbackRequest", examples={"second": {"config_version": 2}}),
    statuses=(412, 428),
)


@router.get("/monitors/{monitor_id}/config/versions", **LIST.keywords)
async def list_config_versions(call: CallOf, monitor_id: str, query: Annotated[ListQuery, Query()]) -> Response:
    known, place = known_id(monitor_id), place_of(call, query)
    after = None if place is None else int(place[0])

    def read(connection: Connection) -> Page:
        monitor = monitors.get(connection, call.team_id, known)
        if monitor is None:
            raise MissingError
        found = config_versions.listed(
            connection, monitor.key, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=[_document(version) for version in shown],
            next_place=(shown[-1].version, known) if len(found) > query.limit else None,
            total=None if query.include is None else config_versions.count(connection, monitor.key),
        )

    return page_answer(call, query, await call.database.read(read), "version", "versions")


@router.post("/monitors/{monitor_id}/config/rollback", **ROLLBACK.keywords)
async def roll_back_config(
    call: CallOf, monitor_id: str, body: RollbackRequest, dry_run: Literal["true", "false"] = "false"
) -> Response:
    change, known, instance = change_of(call), known_id(monitor_id), call.services.instance
    wanted = Rollback(version=body.config_version, if_match=if_match(call.request), dry_run=dry_run == "true")
    outcome = await call.database.write(lambda connection: roll_back(connection, instance, change, known, wanted))
    if outcome.changed and not wanted.dry_run:
        call.services.parts.wake()
    return config_answer(call, outcome, dry_run=wanted.dry_run)


def _document(version: ConfigVersion) -> dict[str, Any]:
    return {
        "object": "config_version",
        "config_version": version.version,
        "updated_at": to_text(version.at),
        "updated_by": version.actor.document(),
        "changed": list(version.changed),
    }
