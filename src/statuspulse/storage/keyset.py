"""Pages of a list by (instant, id): a row that comes or goes elsewhere moves none of the others."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Select, and_, or_


def page_of(
    query: Select[Any],
    at: Column[int],
    key: Column[str],
    *,
    after: tuple[int, str] | None,
    descending: bool,
    limit: int,
) -> Select[Any]:
    """The query for up to `limit` rows behind the place `after`, in order."""
    if after is not None:
        beyond = (at < after[0]) if descending else (at > after[0])
        same = (key < after[1]) if descending else (key > after[1])
        query = query.where(or_(beyond, and_(at == after[0], same)))
    order = (at.desc(), key.desc()) if descending else (at.asc(), key.asc())
    return query.order_by(*order).limit(limit)
