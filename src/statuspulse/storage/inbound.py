"""Messages from other systems: taken in with their raw bytes, known again by their ids, worked off in order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, func, literal_column, select, update

from statuspulse.domain.times import DAY
from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.schema import inbound_messages

# So long a copy of a message is known again.
KEPT = 7 * DAY
_PENDING = inbound_messages.c.state == literal_column("'pending'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One message. `form` tells what kind of body it has."""

    key: int
    integration_id: str
    form: str
    body: bytes = field(repr=False)
    attempts: int
    received_at: int


def take(connection: Connection, integration_id: str, *, message_id: str, form: str, body: bytes, now: int) -> bool:
    """Stores a message; False for a copy of one that is known."""
    statement = insert_or_ignore(connection, inbound_messages).values(
        integration_id=integration_id,
        message_id=message_id,
        form=form,
        body=body,
        state="pending",
        attempts=0,
        due_at=now,
        received_at=now,
    )
    return connection.scalar(statement.returning(inbound_messages.c.key)) is not None


def waiting(connection: Connection, now: int) -> list[str]:
    """The integrations of which something is to be worked off now."""
    query = select(inbound_messages.c.integration_id).where(_PENDING, inbound_messages.c.due_at <= now)
    return list(connection.scalars(query.distinct()))


def due(connection: Connection, integration_id: str, now: int, limit: int) -> list[Inbound]:
    """What is to be worked off of an integration now, in the order in which it came."""
    query = select(inbound_messages).where(
        _PENDING, inbound_messages.c.due_at <= now, inbound_messages.c.integration_id == integration_id
    )
    return [_inbound(row) for row in connection.execute(query.order_by(inbound_messages.c.key).limit(limit))]


def next_due_at(connection: Connection, aside: Collection[str]) -> int | None:
    """From when on something of any other integration is due (ms); None when nothing waits."""
    others = inbound_messages.c.integration_id.not_in(aside)
    at: int | None = connection.scalar(select(func.min(inbound_messages.c.due_at)).where(_PENDING, others))
    return at


def is_pending(connection: Connection, key: int) -> bool:
    """Whether the message is still to be worked off; asked in the transaction that does so."""
    query = select(inbound_messages.c.key).where(inbound_messages.c.key == key, _PENDING).with_for_update()
    return connection.scalar(query) is not None


def finish(connection: Connection, key: int) -> None:
    """It is worked off; only its id is kept, by which a copy is known again."""
    mine = inbound_messages.c.key == key
    connection.execute(update(inbound_messages).where(mine).values(state="done", body=b""))


def put_off(connection: Connection, key: int, until: int) -> None:
    """It is looked at again then."""
    connection.execute(
        update(inbound_messages)
        .where(inbound_messages.c.key == key)
        .values(due_at=until, attempts=inbound_messages.c.attempts + 1)
    )


def delete_older(connection: Connection, before: int, limit: int) -> int:
    """Deletes up to so many messages that came before the instant; answers how many."""
    old = select(inbound_messages.c.key).where(inbound_messages.c.received_at < before).limit(limit)
    keys = list(connection.scalars(old))
    if keys:
        connection.execute(delete(inbound_messages).where(inbound_messages.c.key.in_(keys)))
    return len(keys)


def _inbound(row: Row[Any]) -> Inbound:
    return Inbound(
        key=row.key,
        integration_id=row.integration_id,
        form=row.form,
        body=row.body,
        attempts=row.attempts,
        received_at=row.received_at,
    )
