"""Transitions as people look through them, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from statuspulse.domain.health import Health, Reason, State
from statuspulse.storage.schema import transitions
from statuspulse.storage.states import Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionFilter:
    """Which transitions are looked for: decided in [start, end), where an end is given."""

    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A transition as it was stored; `ended_at` is where the history of the next one begins, None for the last."""

    seq: int
    transition: Transition
    ended_at: int | None


def listed(
    connection: Connection,
    monitor_key: int,
    wanted: TransitionFilter,
    *,
    after: int | None,
    descending: bool,
    limit: int,
) -> list[Recorded]:
    """At most `limit` transitions of a monitor from behind the one with the number `after`."""
    following = transitions.alias("following")
    ended_at = (
        select(following.c.first_observed_at)
        .where(following.c.monitor_key == monitor_key, following.c.state_seq > transitions.c.state_seq)
        .order_by(following.c.state_seq)
        .limit(1)
        .scalar_subquery()
    )
    query = _narrowed(select(transitions, ended_at.label("ended_at")), monitor_key, wanted)
    seq = transitions.c.state_seq
    if after is not None:
        query = query.where(seq < after if descending else seq > after)
    rows = connection.execute(query.order_by(seq.desc() if descending else seq).limit(limit))
    return list(_recorded(rows))


def count(connection: Connection, monitor_key: int, wanted: TransitionFilter, limit: int) -> int:
    """How many transitions there are, counted up to the limit."""
    found = _narrowed(select(transitions.c.state_seq), monitor_key, wanted).limit(limit).subquery()
    return connection.scalar(select(func.count()).select_from(found)) or 0


def changes_of_down(connection: Connection, monitor_key: int, since: int) -> list[int]:
    """When a monitor was decided to be down, or to be down no more, since an instant; ascending."""
    down, none = Health.DOWN.value, Health.UNKNOWN.value
    health, before = transitions.c.health, transitions.c.previous_health
    query = select(transitions.c.changed_at).where(
        transitions.c.monitor_key == monitor_key,
        transitions.c.changed_at >= since,
        or_(health == down, before == down),
        health != before,
        health != none,
        before != none,
    )
    return list(connection.scalars(query.order_by(transitions.c.state_seq)))


def _narrowed(query: Select[Any], monitor_key: int, wanted: TransitionFilter) -> Select[Any]:
    query = query.where(transitions.c.monitor_key == monitor_key)
    if wanted.start is not None:
        query = query.where(transitions.c.changed_at >= wanted.start)
    return query if wanted.end is None else query.where(transitions.c.changed_at < wanted.end)


def _recorded(rows: Iterable[Row[Any]]) -> Iterator[Recorded]:
    for row in rows:
        transition = Transition(
            state=State(row.state),
            previous_state=State(row.previous_state),
            health=Health(row.health),
            previous_health=Health(row.previous_health),
            changed_at=row.changed_at,
            first_observed_at=row.first_observed_at,
            reason=Reason(row.reason),
            evidence=json.loads(row.evidence),
            incident_id=row.incident_id,
            window_id=row.window_id,
        )
        yield Recorded(seq=row.state_seq, transition=transition, ended_at=row.ended_at)
