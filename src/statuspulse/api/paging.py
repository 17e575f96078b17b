"""Lists: how many, from where, in which order, and the answer that tells how to go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, Field
from starlette.responses import Response

from statuspulse.api.dependencies import Call
from statuspulse.api.envelope import answer
from statuspulse.catalog.refusals import SoftProblem

COUNT_LIMIT = 10_000


class ListQuery(BaseModel):
    """The members of the query that every list takes."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many at most.")] = 25
    cursor: Annotated[str | None, Field(max_length=2048, description="`next_cursor` of the page before.")] = None
    order: Annotated[Literal["asc", "desc"] | None, Field(description="Ascending or descending.")] = None
    include: Annotated[Literal["total"] | None, Field(description="`total` counts, up to 10,000.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some documents, the place of the last of them if there are more, and how many there are if that was asked."""

    data: Sequence[dict[str, Any]]
    next_place: tuple[int | str, str] | None
    total: int | None


def place_of(call: Call, query: ListQuery) -> tuple[Any, Any] | None:
    """Behind which place to go on; raises 400 for a cursor that belongs to another list."""
    if query.cursor is None:
        return None
    key, object_id = call.services.cursors.read(_scope(call, query), query.cursor)
    return key, object_id


def page_answer(
    call: Call, query: ListQuery, page: Page, noun: str, plural: str, *, warnings: Sequence[SoftProblem] = ()
) -> Response:
    """`noun` and `plural` name the documents in the message."""
    url = call.request.url
    cursor = None
    headers = {}
    if page.next_place is not None:
        cursor = call.services.cursors.write(_scope(call, query), page.next_place)
        following = url.include_query_params(cursor=cursor)
        headers["Link"] = f'<{call.services.parts.public_url}{url.path}?{following.query}>; rel="next"'
    members: dict[str, Any] = {
        "data": list(page.data),
        "has_more": cursor is not None,
        "next_cursor": cursor,
        "url": url.path,
    }
    if page.total is not None:
        members["total"] = page.total
    count = len(page.data)
    message = f"{count} {noun if count == 1 else plural}{', and there are more' if cursor else ''}."
    return answer(call.request, "list", message, members, warnings=warnings, headers=headers)


def _scope(call: Call, query: ListQuery) -> str:
    """What a cursor is bound to: team, path and every filter, but neither the place nor the length of the page."""
    filters = query.model_dump(mode="json", exclude={"cursor", "limit", "include"})
    return msgspec.json.encode([call.team_id, call.request.url.path, filters]).decode()
