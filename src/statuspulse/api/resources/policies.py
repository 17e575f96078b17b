"""Escalation policies: list, make, read, change, remove, and try without telling anybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Deleted
from statuspulse.api.answers.policy import PolicyAnswer, PolicyList, RehearsalAnswer
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.monitor import policy_document, rehearsal_document
from statuspulse.api.envelope import answer
from statuspulse.api.examples import common as examples
from statuspulse.api.examples import policy as policy_examples
from statuspulse.api.headers import etag, if_match, none_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog import escalation_policies as catalog
from statuspulse.storage import policies
from statuspulse.storage.policies import Policy

router = APIRouter(route_class=CheckedRoute, tags=["Escalation policies"])

LIST = Operation(
    id="listEscalationPolicies",
    summary="List escalation policies",
    scope="escalation:read",
    answer=PolicyList,
    examples={"one": examples.POLICY_LIST},
)
GET = Operation(
    id="getEscalationPolicy",
    summary="Get an escalation policy",
    scope="escalation:read",
    answer=PolicyAnswer,
    examples={"oncall": examples.POLICY},
    statuses=(304,),
)

CREATE = Operation(
    id="createEscalationPolicy",
    summary="Create an escalation policy",
    scope="escalation:write",
    status=201,
    answer=PolicyAnswer,
    examples={"night": policy_examples.CREATED},
    body=Body(schema="PolicyRequest", examples={"night": policy_examples.REQUEST}),
    statuses=(409,),
)
_EDIT = {"repeat": {"repeat": {"count": 3, "delay_seconds": 600}}}
PUT = Operation(
    id="updateEscalationPolicy",
    summary="Change an escalation policy; members that are left out stay",
    scope="escalation:write",
    answer=PolicyAnswer,
    examples={"night": policy_examples.CHANGED},
    body=Body(schema="PolicyEdit", examples=_EDIT),
    statuses=(412, 428),
)
PATCH = Operation(
    id="patchEscalationPolicy",
    summary="Change an escalation policy by a merge patch",
    scope="escalation:write",
    answer=PolicyAnswer,
    examples={"night": policy_examples.CHANGED},
    body=Body(schema="PolicyEdit", examples=_EDIT, media_types=("application/json", "application/merge-patch+json")),
    statuses=(412, 428),
)
DELETE = Operation(
    id="deleteEscalationPolicy",
    summary="Delete an escalation policy that nothing names",
    scope="escalation:write",
    answer=Deleted,
    examples={"deleted": policy_examples.DELETED},
    statuses=(409, 412, 428),
)
TEST = Operation(
    id="testEscalationPolicy",
    summary="Tell who would be told when, and tell nobody",
    scope="escalation:write",
    answer=RehearsalAnswer,
    examples={"night": policy_examples.REHEARSAL},
    body=Body(schema="PolicyTrial", examples={"critical": {"severity": "critical"}}, required=False),
)


@router.post("/escalation-policies", **CREATE.keywords)
async def create_policy(call: CallOf, body: dict[str, Any]) -> Response:
    change = change_of(call)
    policy = await call.database.write(lambda connection: catalog.create(connection, change, body))
    message = f'Escalation policy "{policy.name}" created.'
    headers = {"Location": f"/v1/escalation-policies/{policy.slug}"}
    return _answer(call, policy, message, status=201, headers=headers)


@router.get("/escalation-policies", **LIST.keywords)
async def list_policies(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after = place_of(call, query)

    def read(connection: Connection) -> Page:
        found = policies.page(
            connection, call.team_id, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=[policy_document(policy) for policy in shown],
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=min(COUNT_LIMIT, policies.count(connection, call.team_id)) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "escalation policy", "escalation policies")


@router.get("/escalation-policies/{slug}", **GET.keywords)
async def get_policy(call: CallOf, slug: str) -> Response:
    policy = await call.database.read(lambda connection: catalog.get(connection, call.team_id, slug))
    if none_match(call.request, policy.version):
        return Response(status_code=304, headers={"ETag": etag(policy.version)})
    return _answer(call, policy, f'Escalation policy "{policy.name}".')


@router.put("/escalation-policies/{slug}", **PUT.keywords)
async def update_policy(call: CallOf, slug: str, body: dict[str, Any]) -> Response:
    return await _changed(call, slug, body, deep=False)


@router.patch("/escalation-policies/{slug}", **PATCH.keywords)
async def patch_policy(call: CallOf, slug: str, body: dict[str, Any]) -> Response:
    return await _changed(call, slug, body, deep=True)


@router.delete("/escalation-policies/{slug}", **DELETE.keywords)
async def delete_policy(call: CallOf, slug: str) -> Response:
    change, expected = change_of(call), if_match(call.request)
    policy = await call.database.write(lambda connection: catalog.remove(connection, change, slug, expected))
    message = f'Escalation policy "{policy.name}" deleted.'
    return answer(call.request, "escalation_policy", message, {"id": policy.id, "deleted": True})


@router.post("/escalation-policies/{slug}/test", **TEST.keywords)
async def rehearse_policy(call: CallOf, slug: str, body: dict[str, Any] | None = None) -> Response:
    change = change_of(call)
    steps = await call.database.read(lambda connection: catalog.rehearse(connection, change, slug, body or {}))
    count = len({channel for step in steps for channel in step.channels})
    message = f"{count} channel{'' if count == 1 else 's'} would be told in {len(steps)} steps; nobody was."
    return answer(call.request, "escalation_test", message, rehearsal_document(slug, steps))


async def _changed(call: Call, slug: str, body: dict[str, Any], *, deep: bool) -> Response:
    change, expected = change_of(call), if_match(call.request)
    policy, changed = await call.database.write(
        lambda connection: catalog.update(connection, change, slug, body, deep=deep, if_match=expected)
    )
    return _answer(call, policy, f'Escalation policy "{policy.name}" changed.' if changed else "Nothing changed.")


def _answer(
    call: Call, policy: Policy, message: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    told = {"ETag": etag(policy.version), **(headers or {})}
    return answer(call.request, "escalation_policy", message, policy_document(policy), status=status, headers=told)
