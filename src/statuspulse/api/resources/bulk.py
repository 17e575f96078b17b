"""One action on many monitors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from statuspulse.api.answers.common import Answer, Envelope
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.envelope import answer
from statuspulse.api.examples import bulk as examples
from statuspulse.api.operation import Body, Operation
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog import bulk
from statuspulse.catalog.bulk import LIMIT, SLICE, TAGGING, Action, Bulk, Effect, Outcome
from statuspulse.catalog.members.common import Members, RegionSlug, Slug, Tag
from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.domain.ids import is_id
from statuspulse.storage.monitors import MonitorFilter

router = APIRouter(route_class=CheckedRoute, tags=["Monitors"])

_States = Literal["up", "down", "degraded", "unknown", "pending", "maintenance", "paused"]
_LONGEST_ID = 64
_NOBODYS = ""  # an id that no monitor has


class BulkFilter(Members):
    """Which monitors are meant; what is left out narrows nothing."""

    state: Annotated[list[_States], Field(max_length=7)] = Field(default_factory=list)
    type: Literal["http", "tcp", "dns", "tls", "icmp", "grpc", "heartbeat"] | None = None
    tags: Annotated[list[Tag], Field(max_length=32, description="Every one must hold.")] = Field(default_factory=list)
    q: Annotated[str | None, Field(min_length=2, max_length=200, description="Part of name or target.")] = None
    paused: bool | None = None
    region: RegionSlug | None = None
    escalation_policy: Slug | None = None


class BulkRequest(Members):
    """An action, and either ids or a filter."""

    action: Literal["pause", "resume", "delete", "tag", "untag"]
    ids: Annotated[
        list[Annotated[str, Field(max_length=_LONGEST_ID)]] | None, Field(min_length=1, max_length=LIMIT)
    ] = None
    filter: Annotated[BulkFilter | None, Field(description=f"May match {LIMIT} monitors at most.")] = None
    tags: Annotated[
        list[Tag] | None, Field(min_length=1, max_length=32, description="For `tag` and `untag` alone.")
    ] = None


class BulkError(Answer):
    """Why it failed for this one."""

    code: str
    message: str


class BulkEffect(Answer):
    """What came of it for one id. One of another team fails like one that does not exist."""

    monitor_id: str
    outcome: Literal["done", "unchanged", "failed"]
    error: BulkError | None


class BulkAnswer(Envelope):
    """The outcome for every id, in the order of the call."""

    object: Literal["bulk_result"]
    action: Literal["pause", "resume", "delete", "tag", "untag"]
    done: int
    unchanged: int
    failed: int
    data: list[BulkEffect]


ACT = Operation(
    id="bulkMonitors",
    summary="Pause, resume, delete, tag or untag up to 500 monitors",
    scope="monitors:write",
    answer=BulkAnswer,
    examples={"paused": examples.PAUSED},
    body=Body(schema="BulkRequest", examples=examples.REQUESTS),
    # In one transaction it would hold the writer for a second. Done twice it does no more than once.
    waits=True,
)


@router.post("/monitors/bulk", **ACT.keywords)
async def act_on_many(call: CallOf, body: BulkRequest) -> Response:
    _check(body)
    wanted = Bulk(action=Action(body.action), tags=tuple(body.tags or ()))
    ids = await _ids(call, body)
    effects = await _effects(call, wanted, ids)
    counts = Counter(effect.outcome for effect in effects)
    members = {
        "action": body.action,
        **{outcome.value: counts[outcome] for outcome in Outcome},
        "data": [_document(effect) for effect in effects],
    }
    return answer(call.request, "bulk_result", _message(body.action, counts), members)


def _check(body: BulkRequest) -> None:
    """Raises InvalidInputError for members that do not go together."""
    if details := list(_problems(body)):
        raise InvalidInputError(details)


def _problems(body: BulkRequest) -> Iterator[Detail]:
    if body.ids is None and body.filter is None:
        yield Detail(code="parameter_missing", path=("ids",), message="is required, or filter in its place")
    if body.ids is not None and body.filter is not None:
        yield Detail(
            code="parameter_conflict", path=("filter",), message="cannot stand beside ids; leave one of them out"
        )
    if body.filter is not None and not body.filter.model_fields_set:
        message = "is empty and would mean every monitor; narrow it by at least one member, such as tags or type"
        yield Detail(code="parameter_missing", path=("filter",), message=message)
    if body.action in TAGGING and body.tags is None:
        yield Detail(code="parameter_missing", path=("tags",), message=f"is required to {body.action}")
    if body.action not in TAGGING and body.tags is not None:
        message = f"means nothing to {body.action}; leave it out, or send filter.tags"
        yield Detail(code="parameter_conflict", path=("tags",), message=message)


async def _ids(call: Call, body: BulkRequest) -> list[str]:
    """Each once, in the order of the call."""
    if body.filter is None:
        return list(dict.fromkeys(body.ids or ()))
    given = body.filter
    wanted = MonitorFilter(
        states=tuple(given.state),
        type=given.type,
        tags=tuple(given.tags),
        text=given.q,
        paused=given.paused,
        region=given.region,
        escalation_policy=given.escalation_policy,
    )
    return await call.database.read(lambda connection: bulk.selected(connection, call.team_id, wanted))


async def _effects(call: Call, wanted: Bulk, ids: list[str]) -> list[Effect]:
    """Slice by slice, each committed and told to the probes before the next; what has no form of an id is missing."""
    change, instance, effects = change_of(call), call.services.instance, list[Effect]()
    for start in range(0, len(ids), SLICE):
        part = [one if is_id(one, "mon") else _NOBODYS for one in ids[start : start + SLICE]]
        done = await call.database.write(
            partial(bulk.act, instance=instance, change=change, bulk=wanted, monitor_ids=part)
        )
        effects += [replace(effect, id=sent) for effect, sent in zip(done, ids[start:], strict=False)]
        if any(effect.outcome is Outcome.DONE for effect in done):
            call.services.parts.wake()
    return effects


def _document(effect: Effect) -> dict[str, Any]:
    error = None if effect.code is None else {"code": effect.code, "message": effect.message}
    return {"monitor_id": effect.id, "outcome": effect.outcome.value, "error": error}


def _message(action: str, counts: Counter[Outcome]) -> str:
    return f"{action}: " + ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome) + "."
