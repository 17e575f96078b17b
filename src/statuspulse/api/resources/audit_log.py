"""The audit log of a team: who changed what, when and from where."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.audit import AuditList
from statuspulse.api.dependencies import CallOf
from statuspulse.api.examples.audit import AUDIT_LIST
from statuspulse.api.operation import Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import bounds
from statuspulse.domain.times import to_text
from statuspulse.storage import audit
from statuspulse.storage.audit import AuditEntry, AuditFilter

router = APIRouter(route_class=CheckedRoute, tags=["Audit log"])

LIST = Operation(
    id="listAuditLog",
    summary="List who changed what; the newest first",
    scope="audit:read",
    answer=AuditList,
    examples={"one": AUDIT_LIST},
)


class AuditQuery(ListQuery):
    """What the audit log can be narrowed to."""

    action: Annotated[str | None, Field(description="As in `monitor.updated`.")] = None
    resource: Annotated[str | None, Field(description="The id of what was changed.")] = None
    begin: Annotated[str | None, Field(alias="from", description="At this time or later.")] = None
    end: Annotated[str | None, Field(alias="to", description="Before this time.")] = None


@router.get("/audit-log", **LIST.keywords)
async def list_audit_log(call: CallOf, query: Annotated[AuditQuery, Query()]) -> Response:
    wanted, after = _filter(query), place_of(call, query)

    def read(connection: Connection) -> Page:
        found = audit.page(
            connection, call.team_id, wanted, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=[_document(entry, call.team_id) for entry in shown],
            next_place=(shown[-1].at, shown[-1].id) if len(found) > query.limit else None,
            total=audit.count(connection, call.team_id, wanted, COUNT_LIMIT) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "entry", "entries")


def _document(entry: AuditEntry, team_id: str) -> dict[str, Any]:
    return {
        "object": "audit_entry",
        "id": entry.id,
        "team_id": team_id,
        "at": to_text(entry.at),
        "actor": entry.actor.document(),
        "action": entry.action,
        "resource": entry.resource,
        "diff": [one.document() for one in entry.diff],
        "ip": entry.ip,
        "request_id": entry.request_id,
    }


def _filter(query: AuditQuery) -> AuditFilter:
    """Raises 422 for times that are none, and for an empty stretch."""
    since, until = bounds(query.begin, query.end)
    return AuditFilter(action=query.action, resource=query.resource, since=since, until=until)
