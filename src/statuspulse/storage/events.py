"""The log of events: written in the transaction of the change, read in the order of the commits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, delete, func, or_, select, update

from statuspulse.domain.event import Event
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.times import DAY
from statuspulse.domain.webhook import Wanted
from statuspulse.storage import webhook_deliveries, webhooks
from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.schema import event_sequence, events, monitors

KEPT = 30 * DAY

_NEXT = update(event_sequence).values(last=event_sequence.c.last + bindparam("taken")).returning(event_sequence.c.last)
_COLUMNS = (events.c.seq, events.c.id, events.c.team_id, events.c.at, events.c.type, events.c.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """One event with its number; `body` is the JSON text that everybody gets."""

    seq: int
    id: str
    team_id: str
    at: int
    type: str
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What a list is narrowed to; None or empty takes all. A type that ends with a dot takes all that begin so.

    Instants are inclusive at the start and exclusive at the end.
    """

    types: tuple[str, ...] = ()
    monitor_id: str | None = None
    incident_id: str | None = None
    since: int | None = None
    until: int | None = None


def record(connection: Connection, event: Event) -> LoggedEvent:
    """Stores an event behind all that are committed, and what the endpoints that want it are owed.

    Nobody else stores one until this transaction has ended.
    """
    logged = _store(connection, event)
    for endpoint in webhooks.enabled_of_team(connection, event.team_id):
        if _takes(connection, endpoint.wanted, logged.type, event.monitor_id, event.data):
            _owe_one(connection, logged, endpoint.id)
    return logged


def record_all(connection: Connection, found: Sequence[Event]) -> None:
    """The same for many events, in their order."""
    if not found:
        return
    last = _next_number(connection, len(found))
    logged = [_numbered(event, last - len(found) + place) for place, event in enumerate(found, start=1)]
    connection.execute(events.insert(), [_row(*pair) for pair in zip(logged, found, strict=True)])
    for team_id in dict.fromkeys(event.team_id for event in found):
        for endpoint in webhooks.enabled_of_team(connection, team_id):
            for one, event in zip(logged, found, strict=True):
                is_mine = event.team_id == team_id
                if is_mine and _takes(connection, endpoint.wanted, one.type, event.monitor_id, event.data):
                    _owe_one(connection, one, endpoint.id)


def is_wanted(connection: Connection, logged: LoggedEvent, wanted: Wanted) -> bool:
    """Whether an endpoint would be owed the event if it happened now."""
    data = json.loads(logged.body)["data"]
    about = data.get("monitor") or {"id": data.get("incident", {}).get("monitor_id")}
    return _takes(connection, wanted, logged.type, about["id"], data)


def record_for(connection: Connection, event: Event, endpoint_id: str) -> tuple[LoggedEvent, str]:
    """Stores an event that only one endpoint is owed; answers it with the id of the delivery."""
    logged = _store(connection, event)
    return logged, _owe_one(connection, logged, endpoint_id)


def get(connection: Connection, team_id: str, event_id: str) -> LoggedEvent | None:
    query: Select[Any] = select(*_COLUMNS).where(events.c.team_id == team_id, events.c.id == event_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _logged(row)


def page(
    connection: Connection, team_id: str, wanted: EventFilter, *, after: int | None, descending: bool, limit: int
) -> list[LoggedEvent]:
    """Up to `limit` events in the order of their numbers, from behind the number `after`."""
    query = _narrowed(select(*_COLUMNS), team_id, wanted)
    if after is not None:
        query = query.where(events.c.seq < after if descending else events.c.seq > after)
    query = query.order_by(events.c.seq.desc() if descending else events.c.seq).limit(limit)
    return [_logged(row) for row in connection.execute(query)]


def count(connection: Connection, team_id: str, wanted: EventFilter, limit: int) -> int:
    """How many events there are, counted up to the limit."""
    found = _narrowed(select(events.c.seq), team_id, wanted).limit(limit).subquery()
    return connection.scalar(select(func.count()).select_from(found)) or 0


def is_kept(connection: Connection, team_id: str, seq: int) -> bool:
    """Whether the team's event with the number is still there."""
    query = select(events.c.seq).where(events.c.team_id == team_id, events.c.seq == seq)
    return connection.scalar(query) is not None


def last_number(connection: Connection) -> int:
    """The number of the last event of all teams; 0 before the first. Every event up to it is there to be read."""
    return connection.scalar(select(event_sequence.c.last)) or 0


def newest(connection: Connection, team_id: str, up_to: int) -> LoggedEvent | None:
    """The team's last event with this number or a lower one."""
    found = page(connection, team_id, EventFilter(), after=up_to + 1, descending=True, limit=1)
    return found[0] if found else None


def number_before(connection: Connection, team_id: str, at: int) -> int:
    """The number behind which the team's events from the instant on stand; whatever comes later stands there, too."""
    query = select(func.min(events.c.seq)).where(events.c.team_id == team_id, events.c.at >= at)
    first: int | None = connection.scalar(query)
    return last_number(connection) if first is None else first - 1


def of_incident_at(connection: Connection, team_id: str, incident_id: str, at: int, types: Sequence[str]) -> str | None:
    """The id of the event that told of the incident at that very instant; None where none of these types did."""
    query = select(events.c.id).where(
        events.c.team_id == team_id, events.c.incident_id == incident_id, events.c.at == at, events.c.type.in_(types)
    )
    return connection.scalar(query.order_by(events.c.seq.desc()).limit(1))


def delete_older(connection: Connection, before: int, limit: int) -> int:
    """Deletes up to so many events from before the instant, of all teams; answers how many."""
    old = select(events.c.seq).where(events.c.at < before).order_by(events.c.at).limit(limit)
    seqs = list(connection.scalars(old))
    if seqs:
        connection.execute(delete(events).where(events.c.seq.in_(seqs)))
    return len(seqs)


def _store(connection: Connection, event: Event) -> LoggedEvent:
    logged = _numbered(event, _next_number(connection, 1))
    connection.execute(events.insert(), _row(logged, event))
    return logged


def _numbered(event: Event, seq: int) -> LoggedEvent:
    event_id = new_ulid("evt", event.at)
    return LoggedEvent(
        seq=seq,
        id=event_id,
        team_id=event.team_id,
        at=event.at,
        type=event.type.value,
        body=msgspec.json.encode(event.document(event_id)).decode(),
    )


def _row(logged: LoggedEvent, event: Event) -> dict[str, Any]:
    return {
        "seq": logged.seq,
        "id": logged.id,
        "team_id": logged.team_id,
        "at": logged.at,
        "type": logged.type,
        "monitor_id": event.monitor_id,
        "incident_id": event.incident_id,
        "body": logged.body,
    }


def _owe_one(connection: Connection, logged: LoggedEvent, endpoint_id: str) -> str:
    at = logged.at
    return webhook_deliveries.owe(connection, endpoint_id, logged.id, logged.type, at, at=at, redelivery=False)


def _takes(connection: Connection, wanted: Wanted, kind: str, monitor_id: str | None, data: Mapping[str, Any]) -> bool:
    """The tags of a monitor are looked up only where an endpoint asks for them."""
    incident = data.get("incident")
    tags: Sequence[str] = ()
    if wanted.tags and monitor_id is not None:
        config = connection.scalar(select(monitors.c.config).where(monitors.c.id == monitor_id))
        tags = () if config is None else json.loads(config)["tags"]
    return wanted.takes(kind, monitor_id, tags, None if incident is None else incident["severity"])


def _next_number(connection: Connection, taken: int) -> int:
    """The last of so many numbers that are taken."""
    number: int | None = connection.scalar(_NEXT, {"taken": taken})
    if number is None:
        # The first event of all: of two processes one makes the row and the other waits for it.
        connection.execute(insert_or_ignore(connection, event_sequence).values(only=1, last=0))
        number = connection.execute(_NEXT, {"taken": taken}).scalar_one()
    return number


def _narrowed(query: Select[Any], team_id: str, wanted: EventFilter) -> Select[Any]:
    query = query.where(events.c.team_id == team_id)
    if wanted.types:
        query = query.where(
            or_(
                *(
                    events.c.type.startswith(name, autoescape=True) if name.endswith(".") else events.c.type == name
                    for name in wanted.types
                )
            )
        )
    if wanted.monitor_id is not None:
        query = query.where(events.c.monitor_id == wanted.monitor_id)
    if wanted.incident_id is not None:
        query = query.where(events.c.incident_id == wanted.incident_id)
    if wanted.since is not None:
        query = query.where(events.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(events.c.at < wanted.until)
    return query


def _logged(row: Row[Any]) -> LoggedEvent:
    return LoggedEvent(seq=row.seq, id=row.id, team_id=row.team_id, at=row.at, type=row.type, body=row.body)
