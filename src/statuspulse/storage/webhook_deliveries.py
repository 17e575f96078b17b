"""What is owed to webhook endpoints: written with the event, claimed under a lease, kept for people to look at."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, literal_column, or_, select, update

from statuspulse.domain.ids import new_ulid
from statuspulse.domain.times import DAY, SECOND
from statuspulse.storage.keyset import page_of
from statuspulse.storage.schema import webhook_deliveries as deliveries
from statuspulse.storage.schema import webhook_endpoints as endpoints

KEPT = 30 * DAY
# Longer than an attempt takes; after it somebody else may send.
LEASE = 30 * SECOND


class State(StrEnum):
    """Where a delivery stands; all but the first are ends."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    EXHAUSTED = "exhausted"
    CANCELLED = "cancelled"


class StaleLeaseError(Exception):
    """Somebody else holds the row by now, or it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one try. `answer` is {status, headers, body} as it is shown, None where there was none."""

    started_at: int
    latency_ms: int
    body_bytes: int
    error_class: str | None
    answer: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One row, with the last of its attempts. `lease_epoch` is the right to record the next one."""

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    redelivery: bool
    state: State
    attempts: int
    next_attempt_at: int
    lease_epoch: int
    is_leased: bool
    last: Attempt | None
    created_at: int

    @property
    def status(self) -> str:
        """As people are shown it: `failed` between two attempts."""
        return "failed" if self.state is State.PENDING and self.attempts else self.state.value


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """What a list is narrowed to; None takes all."""

    status: str | None = None
    event_type: str | None = None
    event_id: str | None = None
    since: int | None = None
    until: int | None = None


# Written out, not bound: a prepared statement of PostgreSQL is planned without its parameters.
_PENDING = deliveries.c.state == literal_column("'pending'")


def owe(
    connection: Connection, endpoint_id: str, event_id: str, event_type: str, now: int, *, at: int, redelivery: bool
) -> str:
    """The endpoint is owed the event from `at` on; answers the id of the delivery."""
    delivery_id = new_ulid("whd", now)
    connection.execute(
        deliveries.insert().values(
            id=delivery_id,
            endpoint_id=endpoint_id,
            event_id=event_id,
            event_type=event_type,
            redelivery=redelivery,
            state=State.PENDING.value,
            attempts=0,
            next_attempt_at=at,
            lease_epoch=0,
            created_at=now,
            updated_at=now,
        )
    )
    return delivery_id


def claim(
    connection: Connection, *, owner: str, now: int, limit: int, full: Collection[str], in_hand: Collection[str]
) -> list[WebhookDelivery]:
    """Leases what may be sent now, of each endpoint the row that is due longest; none of those that are `full`."""
    place = func.row_number().over(
        partition_by=deliveries.c.endpoint_id, order_by=(deliveries.c.next_attempt_at, deliveries.c.id)
    )
    due = and_(deliveries.c.next_attempt_at <= now, _is_unleased(now))
    ranked = select(deliveries.c.id, place.label("place")).where(_is_open(full, in_hand), due).subquery()
    query = (
        select(deliveries)
        .where(deliveries.c.id.in_(select(ranked.c.id).where(ranked.c.place == 1)), _PENDING, due)
        .order_by(deliveries.c.next_attempt_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [_delivery(row) for row in connection.execute(query)]
    if found:
        connection.execute(
            update(deliveries)
            .where(deliveries.c.id.in_([one.id for one in found]))
            .values(
                lease_owner=owner, lease_until=now + LEASE, lease_epoch=deliveries.c.lease_epoch + 1, updated_at=now
            )
        )
    return [replace(one, lease_epoch=one.lease_epoch + 1) for one in found]


def next_due_at(connection: Connection, *, full: Collection[str], in_hand: Collection[str]) -> int | None:
    """The instant from which `claim` finds something (ms), perhaps a past one; None when nothing is owed."""
    at = func.max if connection.dialect.name == "sqlite" else func.greatest
    due = at(deliveries.c.next_attempt_at, func.coalesce(deliveries.c.lease_until, 0))
    found: int | None = connection.scalar(select(func.min(due)).where(_is_open(full, in_hand)))
    return found


def record(
    connection: Connection,
    claimed: WebhookDelivery,
    attempt: Attempt,
    state: State,
    now: int,
    *,
    next_attempt_at: int | None,
) -> None:
    """Writes down what came of an attempt; raises StaleLeaseError and writes nothing."""
    ended = connection.execute(
        update(deliveries)
        .where(deliveries.c.id == claimed.id, deliveries.c.lease_epoch == claimed.lease_epoch, _PENDING)
        .values(
            lease_owner=None,
            lease_until=None,
            state=state.value,
            attempts=claimed.attempts + 1,
            next_attempt_at=next_attempt_at or claimed.next_attempt_at,
            started_at=attempt.started_at,
            latency_ms=attempt.latency_ms,
            body_bytes=attempt.body_bytes,
            error_class=attempt.error_class,
            answer=None if attempt.answer is None else json.dumps(attempt.answer, ensure_ascii=False),
            updated_at=now,
        )
    )
    if ended.rowcount != 1:
        raise StaleLeaseError(claimed.id)


def cancel(connection: Connection, endpoint_id: str, now: int) -> int:
    """Ends everything that the endpoint is still owed; answers how much that was."""
    cancelled = connection.execute(
        update(deliveries)
        .where(_PENDING, deliveries.c.endpoint_id == endpoint_id)
        .values(state=State.CANCELLED.value, lease_owner=None, lease_until=None, updated_at=now)
    )
    return cancelled.rowcount


def release(connection: Connection, owner: str, now: int) -> None:
    """Gives back every row that the owner holds, due as it was before the claim."""
    connection.execute(
        update(deliveries)
        .where(_PENDING, deliveries.c.lease_owner == owner)
        .values(lease_owner=None, lease_until=None, updated_at=now)
    )


def get(connection: Connection, endpoint_id: str, delivery_id: str) -> WebhookDelivery | None:
    query = select(deliveries).where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.id == delivery_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _delivery(row)


def page(
    connection: Connection,
    endpoint_id: str,
    wanted: DeliveryFilter,
    *,
    after: tuple[int, str] | None,
    descending: bool,
    limit: int,
) -> list[WebhookDelivery]:
    query = _narrowed(select(deliveries), endpoint_id, wanted)
    at, key = deliveries.c.created_at, deliveries.c.id
    rows = connection.execute(page_of(query, at, key, after=after, descending=descending, limit=limit))
    return [_delivery(row) for row in rows]


def count(connection: Connection, endpoint_id: str, wanted: DeliveryFilter, limit: int) -> int:
    found = _narrowed(select(deliveries.c.id), endpoint_id, wanted).limit(limit).subquery()
    return connection.scalar(select(func.count()).select_from(found)) or 0


def counts_since(connection: Connection, endpoint_ids: Sequence[str], since: int) -> dict[str, dict[State, int]]:
    """How many deliveries of each endpoint since an instant stand where."""
    query = (
        select(deliveries.c.endpoint_id, deliveries.c.state, func.count())
        .where(deliveries.c.endpoint_id.in_(endpoint_ids), deliveries.c.created_at >= since)
        .group_by(deliveries.c.endpoint_id, deliveries.c.state)
    )
    found = {endpoint_id: dict.fromkeys(State, 0) for endpoint_id in endpoint_ids}
    for endpoint_id, state, number in connection.execute(query):
        found[endpoint_id][State(state)] = number
    return found


def settled_or_owed(connection: Connection, endpoint_id: str, event_ids: Sequence[str]) -> set[str]:
    """Which of the events the endpoint has taken, or is going to be sent anyway."""
    query = select(deliveries.c.event_id).where(
        deliveries.c.endpoint_id == endpoint_id,
        deliveries.c.event_id.in_(event_ids),
        deliveries.c.state.in_([State.PENDING.value, State.SUCCEEDED.value]),
    )
    return set(connection.scalars(query))


def delete_older(connection: Connection, before: int, limit: int) -> int:
    """Deletes up to so many ended ones from before the instant; answers how many."""
    old = select(deliveries.c.id).where(deliveries.c.created_at < before, deliveries.c.state != State.PENDING.value)
    ids = list(connection.scalars(old.limit(limit)))
    if ids:
        connection.execute(delete(deliveries).where(deliveries.c.id.in_(ids)))
    return len(ids)


def _is_unleased(now: int) -> ColumnElement[bool]:
    return or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= now)


def _is_open(full: Collection[str], in_hand: Collection[str]) -> ColumnElement[bool]:
    """Pending, of an endpoint that is enabled and takes one more, and not in anybody's hand here."""
    live = select(endpoints.c.id).where(endpoints.c.enabled)
    return and_(
        _PENDING,
        deliveries.c.endpoint_id.in_(live),
        deliveries.c.endpoint_id.not_in(full),
        deliveries.c.id.not_in(in_hand),
    )


def _narrowed(query: Select[Any], endpoint_id: str, wanted: DeliveryFilter) -> Select[Any]:
    query = query.where(deliveries.c.endpoint_id == endpoint_id)
    if wanted.status == "failed":
        query = query.where(_PENDING, deliveries.c.attempts > 0)
    elif wanted.status == State.PENDING:
        query = query.where(_PENDING, deliveries.c.attempts == 0)
    elif wanted.status is not None:
        query = query.where(deliveries.c.state == wanted.status)
    if wanted.event_type is not None:
        query = query.where(deliveries.c.event_type == wanted.event_type)
    if wanted.event_id is not None:
        query = query.where(deliveries.c.event_id == wanted.event_id)
    if wanted.since is not None:
        query = query.where(deliveries.c.created_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(deliveries.c.created_at < wanted.until)
    return query


def _delivery(row: Row[Any]) -> WebhookDelivery:
    last = None
    if row.started_at is not None:
        last = Attempt(
            started_at=row.started_at,
            latency_ms=row.latency_ms,
            body_bytes=row.body_bytes,
            error_class=row.error_class,
            answer=None if row.answer is None else json.loads(row.answer),
        )
    return WebhookDelivery(
        id=row.id,
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        event_type=row.event_type,
        redelivery=row.redelivery,
        state=State(row.state),
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        lease_epoch=row.lease_epoch,
        is_leased=row.lease_owner is not None,
        last=last,
        created_at=row.created_at,
    )
