"""Which monitors a list holds, and in which order: what lists of monitors and of their status share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from statuspulse.api.errors import invalid
from statuspulse.api.paging import COUNT_LIMIT, ListQuery
from statuspulse.api.span import in_query, read_time
from statuspulse.catalog.members.common import RegionSlug, Slug, Tag
from statuspulse.catalog.refusals import Detail
from statuspulse.domain.health import State
from statuspulse.storage import monitors
from statuspulse.storage.monitors import Listed, MonitorFilter, Order, SortKey


class MonitorQuery(ListQuery):
    """What a list of monitors can be narrowed to, and its order."""

    state: Annotated[str | None, Field(description="One or more states, separated by commas.")] = None
    type: Literal["http", "tcp", "dns", "tls", "icmp", "grpc", "heartbeat"] | None = None
    tag: Annotated[list[Tag] | None, Field(description="Repeat it; every one must hold.")] = None
    q: Annotated[str | None, Field(min_length=2, max_length=200, description="Part of name or target.")] = None
    paused: Literal["true", "false"] | None = None
    region: RegionSlug | None = None
    escalation_policy: Slug | None = None
    updated_since: Annotated[str | None, Field(description="A time with offset.")] = None
    sort: Annotated[
        Literal["created_at", "name", "state"],
        Field(description="By default newest first, names from A, or the most urgent state first."),
    ] = "created_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorPage:
    """The monitors of one page, the place of the last if there are more, and how many there are if that was asked."""

    shown: Sequence[Listed]
    next_place: SortKey | None
    total: int | None


def read_page(
    connection: Connection, team_id: str, query: MonitorQuery, wanted: MonitorFilter, after: tuple[Any, Any] | None
) -> MonitorPage:
    """The page behind the place `after`."""
    descending = query.order == "desc" if query.order else query.sort == "created_at"
    order = Order(by=query.sort, descending=descending)
    found = list(islice(monitors.listed(connection, team_id, wanted, order, after=after), query.limit + 1))
    shown = found[: query.limit]
    total = None
    if query.include is not None:
        everything = monitors.listed(connection, team_id, wanted, order, after=None)
        total = sum(1 for _ in islice(everything, COUNT_LIMIT))
    return MonitorPage(shown=shown, next_place=shown[-1].sort_key if len(found) > query.limit else None, total=total)


def monitor_filter(query: MonitorQuery) -> MonitorFilter:
    """Raises 422 for states that do not exist and times that are none."""
    details: list[Detail] = []
    states = tuple((query.state or "").split(",")) if query.state is not None else ()
    if not set(states) <= set(State):
        details.append(in_query("parameter_invalid_enum", "state", f"must hold states out of {', '.join(State)}"))
    since = None
    if query.updated_since is not None:
        since = read_time(details, "updated_since", query.updated_since)
    if details:
        raise invalid(details)
    return MonitorFilter(
        states=states,
        type=query.type,
        tags=tuple(query.tag or ()),
        text=query.q,
        paused=None if query.paused is None else query.paused == "true",
        region=query.region,
        escalation_policy=query.escalation_policy,
        updated_since=since,
    )
