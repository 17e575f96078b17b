"""Looking once, now: at a monitor, or at what might become one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from statuspulse.api.answers.check import CheckRun as CheckRunAnswer
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.check import CheckRun, check_run_document, check_run_message
from statuspulse.api.envelope import answer
from statuspulse.api.errors import ApiError
from statuspulse.api.examples import check as check_examples
from statuspulse.api.examples import common as examples
from statuspulse.api.operation import Body, Operation
from statuspulse.api.resources.monitors import change_of, known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog import looks
from statuspulse.catalog.looks import CheckInProgressError, Subject, TooManyLooksError
from statuspulse.catalog.members.common import Members, Regions

router = APIRouter(route_class=CheckedRoute, tags=["Monitors"])

_RETRY_SECONDS = 2


class CheckRequest(Members):
    """Some of the monitor's regions; without them all look."""

    regions: Regions | None = None


TEST = Operation(
    id="testMonitor",
    summary="Check once what might become a monitor; nothing is stored",
    scope="monitors:write",
    answer=CheckRunAnswer,
    examples={"nobody_looked": check_examples.TEST_RUN},
    body=Body(schema="MonitorRequest", examples=examples.NEW_MONITORS),
    waits=True,
)
CHECK = Operation(
    id="checkMonitor",
    summary="Check a monitor once, now; it counts nowhere",
    scope="monitors:write",
    answer=CheckRunAnswer,
    examples={"checkout": check_examples.CHECK_RUN},
    waits=True,
)


@router.post("/monitors/test", **TEST.keywords)
async def test_monitor(call: CallOf, body: dict[str, Any]) -> Response:
    change, instance = change_of(call), call.services.instance
    subject = await call.database.write(lambda connection: looks.candidate(connection, instance, change, body))
    return await _look(call, subject)


@router.post("/monitors/{monitor_id}/check", **CHECK.keywords)
async def check_monitor(call: CallOf, monitor_id: str, body: CheckRequest | None = None) -> Response:
    known, regions = known_id(monitor_id), None if body is None else body.regions
    keyring, now = call.services.parts.keyring, call.services.parts.now()
    subject = await call.database.read(
        lambda connection: looks.monitor(connection, keyring, call.team_id, known, regions, now)
    )
    return await _look(call, subject)


async def _look(call: Call, subject: Subject) -> Response:
    parts = call.services.parts
    started_at = parts.now()
    try:
        seen = await looks.look(parts.jobs, parts.liveness, subject, parts.now)
    except CheckInProgressError:
        raise ApiError(
            "check_in_progress", "A check of this monitor is running; try again when it has ended."
        ) from None
    except TooManyLooksError:
        message = "Too many checks are waited for; try again."
        raise ApiError("concurrency_limited", message, retry_after_seconds=_RETRY_SECONDS) from None
    run = CheckRun(subject=subject, started_at=started_at, finished_at=parts.now(), seen=seen)
    return answer(call.request, "check_run", check_run_message(run), check_run_document(run))
