"""The outbox: what is owed to receivers, written with its cause, claimed under a lease."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    and_,
    case,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from statuspulse.domain.ids import new_ulid
from statuspulse.domain.integration import Operation
from statuspulse.domain.message import Action
from statuspulse.domain.times import SECOND
from statuspulse.storage.keyset import page_of
from statuspulse.storage.schema import delivery_attempts, outbox

# Longer than an attempt with its wait for a place can take; after it somebody else may hand the row over.
LEASE = 30 * SECOND


class State(StrEnum):
    """Where a notification stands; all but the first are ends."""

    PENDING = "pending"
    DELIVERED = "delivered"
    SUPERSEDED = "superseded"
    DEAD = "dead"


class Ending(StrEnum):
    """How one delivery ended."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"


class StaleLeaseError(Exception):
    """Somebody else holds the row by now, or it has ended: what became of it is not for the caller to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """One message that is owed to one destination. Copies carry the same `event_id` and `dedup_key`.

    It is not sent before `due_at` (ms).
    """

    team_id: str
    event_id: str
    incident_id: str | None
    destination: str
    action: str
    dedup_key: str
    body: dict[str, Any]
    due_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One row. `attempts` counts the deliveries that are recorded; `lease_epoch` is the right to record the next."""

    id: str
    team_id: str
    event_id: str
    incident_id: str | None
    seq: int
    destination: str
    action: str
    dedup_key: str
    body: dict[str, Any] = field(repr=False)
    state: State
    attempts: int
    next_attempt_at: int
    owed_at: int
    lease_epoch: int
    is_leased: bool
    last_error: str | None
    provider_status: int | None
    finished_at: int | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to hand a notification over. `error` is a short word and never holds what was sent or answered."""

    started_at: int
    latency_ms: int
    ending: Ending
    provider_status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What a claim leaves alone: destinations that take nothing now, and rows that the claimer has in hand."""

    destinations: Collection[str] = ()
    ids: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which notifications a list is narrowed to."""

    destination: str | None = None
    incident_id: str | None = None
    state: State | None = None


# Written out, not bound: a prepared statement of PostgreSQL is planned without its parameters, and then the partial
# index would not serve it.
_GIVES_WAY = Action.UPDATE.value
_NOTE = Operation.NOTE.value
_PENDING = outbox.c.state == literal_column("'pending'")
# What integrations are owed stands in the same table, and is no notification.
_IS_CHANNEL = outbox.c.destination.startswith("nch_", autoescape=True)


def owe(connection: Connection, debts: Sequence[Debt], now: int) -> list[str]:
    """Stores what is owed, behind everything that the destination is still owed of the incident.

    Answers the ids. An update that nobody has in hand gives way to a newer one; what triggers, acknowledges or
    resolves never does.
    """
    made: list[str] = []
    for debt in debts:
        if debt.action == _GIVES_WAY:
            _supersede(connection, debt, now)
        made.append(new_ulid("ntf", now))
        last = connection.scalar(
            select(func.max(outbox.c.seq)).where(
                outbox.c.incident_id == debt.incident_id, outbox.c.destination == debt.destination
            )
        )
        connection.execute(
            outbox.insert().values(
                id=made[-1],
                team_id=debt.team_id,
                event_id=debt.event_id,
                incident_id=debt.incident_id,
                seq=(last or 0) + 1,
                destination=debt.destination,
                action=debt.action,
                dedup_key=debt.dedup_key,
                body=json.dumps(debt.body, ensure_ascii=False),
                state=State.PENDING.value,
                attempts=0,
                next_attempt_at=max(now, debt.due_at),
                owed_at=max(now, debt.due_at),
                lease_epoch=0,
                created_at=now,
                updated_at=now,
            )
        )
    return made


def withdraw(connection: Connection, dedup_key: str, now: int) -> list[str]:
    """Takes back what is about no incident and was handed over to nobody; answers who was told, or may have been."""
    mine = and_(outbox.c.incident_id.is_(None), outbox.c.dedup_key == dedup_key)
    untried = and_(_PENDING, outbox.c.attempts == 0, _is_unleased(now))
    connection.execute(
        update(outbox).where(mine, untried).values(state=State.SUPERSEDED.value, finished_at=now, updated_at=now)
    )
    told = select(outbox.c.destination).where(mine, outbox.c.state != State.SUPERSEDED.value).order_by(outbox.c.id)
    return list(dict.fromkeys(connection.scalars(told)))


def _supersede(connection: Connection, debt: Debt, now: int) -> None:
    connection.execute(
        update(outbox)
        .where(
            _PENDING,
            outbox.c.incident_id == debt.incident_id,
            outbox.c.destination == debt.destination,
            outbox.c.action == _GIVES_WAY,
            _is_unleased(now),
        )
        .values(state=State.SUPERSEDED.value, finished_at=now, updated_at=now)
    )


def get_by_id(connection: Connection, notification_id: str) -> Notification | None:
    """A row by its id alone; for whoever shows that he was sent it."""
    row = connection.execute(select(outbox).where(outbox.c.id == notification_id)).one_or_none()
    return None if row is None else _notification(row)


def newest(
    connection: Connection, team_id: str, incident_id: str, *, action: str | None = None
) -> dict[str, Notification]:
    """The last row of each destination that was told of the incident, of one action where one is named."""
    wanted = and_(outbox.c.team_id == team_id, outbox.c.incident_id == incident_id)
    if action is not None:
        wanted = and_(wanted, outbox.c.action == action)
    last = select(outbox.c.destination, func.max(outbox.c.seq).label("seq")).where(wanted)
    found = last.group_by(outbox.c.destination).subquery()
    query = (
        select(outbox)
        .join(found, and_(found.c.destination == outbox.c.destination, found.c.seq == outbox.c.seq))
        .where(wanted)
    )
    return {row.destination: _notification(row) for row in connection.execute(query)}


def claim(connection: Connection, *, owner: str, now: int, limit: int, aside: Aside) -> list[Notification]:
    """Leases what may be handed over now, of each destination the row that is due longest and no second one.

    So nobody's backlog fills the others' places, and the caller decides after each row whether the destination
    takes one more. `owner` names one dispatcher: no two that run at once may share a name.
    """
    place = func.row_number().over(partition_by=outbox.c.destination, order_by=(outbox.c.next_attempt_at, outbox.c.id))
    due = and_(outbox.c.next_attempt_at <= now, _is_unleased(now))
    ranked = select(outbox.c.id, place.label("place")).where(_is_next(aside), due).subquery()
    query = (
        select(outbox)
        # Said again for the row itself: on PostgreSQL a row may have changed between the ranking and its lock.
        .where(outbox.c.id.in_(select(ranked.c.id).where(ranked.c.place == 1)), _PENDING, due)
        .order_by(outbox.c.next_attempt_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [_notification(row) for row in connection.execute(query)]
    _lease(connection, found, owner, now)
    return [replace(notification, lease_epoch=notification.lease_epoch + 1) for notification in found]


def claim_rest(connection: Connection, first: Notification, *, owner: str, now: int, limit: int) -> list[Notification]:
    """Leases what else the destination of a claimed row is owed and may be told with it, in order.

    Of an incident nothing goes ahead of an earlier row that has to wait. Trials are told alone.
    """
    mine = and_(_PENDING, outbox.c.destination == first.destination, outbox.c.id != first.id)
    ready = and_(outbox.c.next_attempt_at <= now, _is_unleased(now), outbox.c.action != Action.TEST.value)
    waiting = select(outbox.c.incident_id, func.min(outbox.c.seq)).where(mine, ~ready).group_by(outbox.c.incident_id)
    held = {row[0]: row[1] for row in connection.execute(waiting)}
    query = select(outbox).where(mine, ready).order_by(outbox.c.created_at, outbox.c.seq, outbox.c.id).limit(limit)
    found = [
        row
        for row in map(_notification, connection.execute(query.with_for_update(skip_locked=True)))
        if row.incident_id is None or row.seq < held.get(row.incident_id, row.seq + 1)
    ]
    _lease(connection, found, owner, now)
    return [replace(notification, lease_epoch=notification.lease_epoch + 1) for notification in found]


def _lease(connection: Connection, found: Sequence[Notification], owner: str, now: int) -> None:
    if not found:
        return
    connection.execute(
        update(outbox)
        .where(outbox.c.id.in_([notification.id for notification in found]))
        .values(lease_owner=owner, lease_until=now + LEASE, lease_epoch=outbox.c.lease_epoch + 1, updated_at=now)
    )


def next_due_at(connection: Connection, aside: Aside) -> int | None:
    """The instant from which `claim` finds something (ms), perhaps a past one; None when nothing is owed."""
    at = case((outbox.c.lease_until > outbox.c.next_attempt_at, outbox.c.lease_until), else_=outbox.c.next_attempt_at)
    due: int | None = connection.scalar(select(func.min(at)).where(_is_next(aside)))
    return due


def record_delivered(
    connection: Connection, claimed: Notification, delivery: Delivery, now: int, receipt: str | None = None
) -> None:
    """The receiver has it, and may call it by a name of its own; raises StaleLeaseError."""
    _settle(connection, claimed, delivery, now, state=State.DELIVERED, finished_at=now, receipt=receipt)


def receipt_of(connection: Connection, incident_id: str, destination: str) -> str | None:
    """What the destination calls the message of the incident that others build on, the newest of several."""
    mine = and_(outbox.c.incident_id == incident_id, outbox.c.destination == destination)
    query = select(outbox.c.receipt).where(mine, outbox.c.receipt.is_not(None)).order_by(outbox.c.seq.desc()).limit(1)
    found: str | None = connection.scalar(query)
    return found


def record_retry(connection: Connection, claimed: Notification, delivery: Delivery, at: int, now: int) -> None:
    """The receiver has not taken it and is asked again at `at`; raises StaleLeaseError."""
    _settle(connection, claimed, delivery, now, state=State.PENDING, next_attempt_at=at)


def record_dead(connection: Connection, claimed: Notification, delivery: Delivery, now: int) -> None:
    """The receiver has not taken it and is not asked again; raises StaleLeaseError."""
    _settle(connection, claimed, delivery, now, state=State.DEAD, finished_at=now)


def bury(connection: Connection, claimed: Notification, error: str, now: int) -> None:
    """There is nobody to hand it over to, so that no delivery was made; raises StaleLeaseError."""
    _end_lease(connection, claimed, now, state=State.DEAD.value, last_error=error, finished_at=now)


def expire(connection: Connection, destination: str, *, owed_before: int, error: str, now: int) -> list[Notification]:
    """Gives up what a destination has been owed for too long and nobody has in hand; answers what that was."""
    expired = (
        update(outbox)
        .where(_PENDING, outbox.c.destination == destination, outbox.c.owed_at < owed_before, _is_unleased(now))
        .values(state=State.DEAD.value, last_error=error, finished_at=now, updated_at=now)
        .returning(outbox)
    )
    return sorted((_notification(row) for row in connection.execute(expired)), key=lambda notification: notification.id)


def release(connection: Connection, owner: str, now: int) -> int:
    """Gives back every row that the owner holds, due as it was before the claim; answers how many."""
    released = connection.execute(
        update(outbox)
        .where(_PENDING, outbox.c.lease_owner == owner)
        .values(lease_owner=None, lease_until=None, updated_at=now)
    )
    return released.rowcount


def forget(connection: Connection, destination: str) -> None:
    """Whatever a destination was ever owed, with its deliveries; for what nobody asks about later."""
    mine = outbox.c.destination == destination
    attempts = delivery_attempts.c.outbox_id.in_(select(outbox.c.id).where(mine))
    connection.execute(delete(delivery_attempts).where(attempts))
    connection.execute(delete(outbox).where(mine))


def counts(connection: Connection) -> dict[State, int]:
    """How many rows there are in each state, states without rows included."""
    query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
    return dict.fromkeys(State, 0) | {State(state): count for state, count in connection.execute(query)}


def oldest_pending_at(connection: Connection) -> int | None:
    """Since when the oldest row that is still owed has been owed (ms); None when nothing is."""
    oldest: int | None = connection.scalar(select(func.min(outbox.c.created_at)).where(_PENDING))
    return oldest


def of_incident(connection: Connection, team_id: str, incident_id: str) -> list[Notification]:
    """Everything that was ever owed of an incident, in the order in which it was."""
    query = (
        select(outbox)
        .where(outbox.c.team_id == team_id, outbox.c.incident_id == incident_id)
        .order_by(outbox.c.created_at, outbox.c.seq, outbox.c.id)
    )
    return [_notification(row) for row in connection.execute(query)]


def of_destination(connection: Connection, incident_id: str, destination: str) -> list[Notification]:
    """What one destination is and was owed of an incident, in order."""
    mine = (outbox.c.incident_id == incident_id) & (outbox.c.destination == destination)
    return [_notification(row) for row in connection.execute(select(outbox).where(mine).order_by(outbox.c.seq))]


def end_pending(
    connection: Connection, incident_id: str, destination: str, now: int, actions: Collection[str] | None = None
) -> None:
    """What a destination is still owed of an incident is owed no more, unless somebody just hands it over.

    Only of some actions where those are named.
    """
    mine = (outbox.c.incident_id == incident_id) & (outbox.c.destination == destination)
    if actions is not None:
        mine &= outbox.c.action.in_(actions)
    connection.execute(
        update(outbox)
        .where(_PENDING, mine, _is_unleased(now))
        .values(state=State.SUPERSEDED.value, finished_at=now, updated_at=now)
    )


def deliveries_of(connection: Connection, team_id: str, notification_id: str) -> list[Delivery]:
    """Every attempt to hand a notification of the team over, in order."""
    query = (
        select(delivery_attempts)
        .join(outbox, outbox.c.id == delivery_attempts.c.outbox_id)
        .where(outbox.c.team_id == team_id, outbox.c.id == notification_id)
        .order_by(delivery_attempts.c.attempt)
    )
    return [
        Delivery(
            started_at=row.started_at,
            latency_ms=row.latency_ms,
            ending=Ending(row.outcome),
            provider_status=row.provider_status,
            error=row.error,
        )
        for row in connection.execute(query)
    ]


def get(connection: Connection, team_id: str, notification_id: str) -> Notification | None:
    row = connection.execute(
        select(outbox).where(outbox.c.team_id == team_id, outbox.c.id == notification_id)
    ).one_or_none()
    return None if row is None else _notification(row)


def page(
    connection: Connection,
    team_id: str,
    wanted: Wanted,
    *,
    after: tuple[int, str] | None,
    descending: bool,
    limit: int,
) -> list[Notification]:
    """Up to `limit` notifications of the team by (created_at, id), from behind the key `after`."""
    query = select(outbox).where(*_conditions(team_id, wanted))
    rows = page_of(query, outbox.c.created_at, outbox.c.id, after=after, descending=descending, limit=limit)
    return [_notification(row) for row in connection.execute(rows)]


def count(connection: Connection, team_id: str, wanted: Wanted, limit: int) -> int:
    """How many there are, `limit` at most."""
    found = select(outbox.c.id).where(*_conditions(team_id, wanted)).limit(limit).subquery()
    return connection.scalar(select(func.count()).select_from(found)) or 0


def ask_again(connection: Connection, notification: Notification, now: int) -> None:
    """The same notification is due at once, and its lifetime begins anew; raises StaleLeaseError."""
    renewed = connection.execute(
        update(outbox)
        .where(
            outbox.c.id == notification.id,
            outbox.c.state == notification.state.value,
            outbox.c.lease_epoch == notification.lease_epoch,
        )
        .values(
            state=State.PENDING.value,
            next_attempt_at=now,
            owed_at=now,
            lease_owner=None,
            lease_until=None,
            finished_at=None,
            updated_at=now,
        )
    )
    if renewed.rowcount != 1:
        raise StaleLeaseError(notification.id)


def last_at(connection: Connection, destination: str, action: str) -> int | None:
    """When the destination was last owed a message of the kind (ms)."""
    at: int | None = connection.scalar(
        select(func.max(outbox.c.created_at)).where(outbox.c.destination == destination, outbox.c.action == action)
    )
    return at


def _conditions(team_id: str, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = [outbox.c.team_id == team_id, _IS_CHANNEL]
    if wanted.destination is not None:
        conditions.append(outbox.c.destination == wanted.destination)
    if wanted.incident_id is not None:
        conditions.append(outbox.c.incident_id == wanted.incident_id)
    if wanted.state is not None:
        conditions.append(outbox.c.state == wanted.state.value)
    return conditions


def _is_unleased(now: int) -> ColumnElement[bool]:
    return or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now)


def _is_next(aside: Aside) -> ColumnElement[bool]:
    """Open, the first open one of its (incident, destination), and not set aside.

    Notes are first tried in their place. Once one has failed, those that wait hold up only each other: what becomes of
    a note must not keep people from hearing that the incident is taken on, or over.
    """
    earlier = outbox.alias("earlier")
    is_note = earlier.c.action == _NOTE
    is_behind_a_change = _is_behind(earlier, ~is_note)
    is_behind_a_note = and_(
        ~_IS_CHANNEL,  # whoever is only told knows no notes
        _is_behind(earlier, is_note),
        or_(outbox.c.action == _NOTE, ~_is_behind(earlier, and_(is_note, earlier.c.attempts > 0))),
    )
    return and_(
        _PENDING,
        outbox.c.destination.not_in(aside.destinations),
        outbox.c.id.not_in(aside.ids),
        ~is_behind_a_change,
        ~is_behind_a_note,
    )


def _is_behind(earlier: FromClause, what: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an open row of the same (incident, destination) that is so stands before it."""
    return exists().where(
        earlier.c.incident_id == outbox.c.incident_id,
        earlier.c.destination == outbox.c.destination,
        earlier.c.seq < outbox.c.seq,
        earlier.c.state == literal_column("'pending'"),
        what,
    )


def _settle(connection: Connection, claimed: Notification, delivery: Delivery, now: int, **columns: Any) -> None:
    attempt = claimed.attempts + 1
    _end_lease(
        connection,
        claimed,
        now,
        attempts=attempt,
        last_error=delivery.error,
        provider_status=delivery.provider_status,
        **columns,
    )
    connection.execute(
        delivery_attempts.insert().values(
            outbox_id=claimed.id,
            attempt=attempt,
            started_at=delivery.started_at,
            latency_ms=delivery.latency_ms,
            outcome=delivery.ending.value,
            provider_status=delivery.provider_status,
            error=delivery.error,
        )
    )


def _end_lease(connection: Connection, claimed: Notification, now: int, **columns: Any) -> None:
    ended = connection.execute(
        update(outbox)
        .where(outbox.c.id == claimed.id, outbox.c.lease_epoch == claimed.lease_epoch, _PENDING)
        .values(lease_owner=None, lease_until=None, updated_at=now, **columns)
    )
    if ended.rowcount != 1:
        raise StaleLeaseError(claimed.id)


def _notification(row: Row[Any]) -> Notification:
    return Notification(
        id=row.id,
        team_id=row.team_id,
        event_id=row.event_id,
        incident_id=row.incident_id,
        seq=row.seq,
        destination=row.destination,
        action=row.action,
        dedup_key=row.dedup_key,
        body=json.loads(row.body),
        state=State(row.state),
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        owed_at=row.owed_at,
        lease_epoch=row.lease_epoch,
        is_leased=row.lease_owner is not None,
        last_error=row.last_error,
        provider_status=row.provider_status,
        finished_at=row.finished_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
