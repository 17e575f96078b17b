"""Escalation policies, read only in this version (`API.md` D.4)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api import examples
from statuspulse.api.dependencies import CallOf
from statuspulse.api.documents import policy_document
from statuspulse.api.envelope import answer
from statuspulse.api.operation import Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.policy_answers import PolicyAnswer, PolicyList
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog.refusals import MissingError
from statuspulse.storage import policies

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
)


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
    if not slug.isprintable():
        raise MissingError
    policy = await call.database.read(lambda connection: policies.get(connection, call.team_id, slug))
    if policy is None:
        raise MissingError
    return answer(call.request, "escalation_policy", f'Escalation policy "{policy.name}".', policy_document(policy))
