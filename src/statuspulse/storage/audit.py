"""The audit log: who changed what, from where; written in the transaction of the change, and never changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from statuspulse.domain.actor import Actor
from statuspulse.domain.difference import Difference
from statuspulse.domain.ids import new_ulid
from statuspulse.storage.keyset import page_of
from statuspulse.storage.schema import audit_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change; `resource` is the id of what was changed. Of a change without a call there is no id and address."""

    id: str
    at: int
    actor: Actor
    action: str
    resource: str
    diff: tuple[Difference, ...] = ()
    request_id: str | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What a list is narrowed to; None takes all. Instants are inclusive at the start and exclusive at the end."""

    action: str | None = None
    resource: str | None = None
    since: int | None = None
    until: int | None = None


def record(
    connection: Connection,
    team_id: str,
    *,
    at: int,
    actor: Actor,
    action: str,
    resource: str,
    diff: Sequence[Difference] = (),
) -> None:
    """Stores an entry; the call that it was done by comes with the actor. Secrets in `diff` are masked already."""
    origin = actor.origin
    row = {
        "id": new_ulid("aud", at),
        "team_id": team_id,
        "at": at,
        "actor": json.dumps(actor.document(), ensure_ascii=False),
        "action": action,
        "resource": resource,
        "diff": json.dumps([one.document() for one in diff], ensure_ascii=False),
        "request_id": None if origin is None else origin.request_id,
        "ip": None if origin is None else origin.ip,
    }
    connection.execute(audit_entries.insert(), row)


def entries(connection: Connection, team_id: str, limit: int) -> list[AuditEntry]:
    """The newest entries of a team, the newest first."""
    return page(connection, team_id, AuditFilter(), after=None, descending=True, limit=limit)


def page(
    connection: Connection,
    team_id: str,
    wanted: AuditFilter,
    *,
    after: tuple[int, str] | None,
    descending: bool,
    limit: int,
) -> list[AuditEntry]:
    """Up to `limit` entries by (at, id), from behind the key `after`."""
    narrowed = _narrowed(select(audit_entries), team_id, wanted)
    at, key = audit_entries.c.at, audit_entries.c.id
    query = page_of(narrowed, at, key, after=after, descending=descending, limit=limit)
    return [_entry(row) for row in connection.execute(query)]


def count(connection: Connection, team_id: str, wanted: AuditFilter, limit: int) -> int:
    """How many entries there are, counted up to the limit."""
    found = _narrowed(select(audit_entries.c.id), team_id, wanted).limit(limit).subquery()
    return connection.scalar(select(func.count()).select_from(found)) or 0


def _narrowed(query: Select[Any], team_id: str, wanted: AuditFilter) -> Select[Any]:
    query = query.where(audit_entries.c.team_id == team_id)
    if wanted.action is not None:
        query = query.where(audit_entries.c.action == wanted.action)
    if wanted.resource is not None:
        query = query.where(audit_entries.c.resource == wanted.resource)
    if wanted.since is not None:
        query = query.where(audit_entries.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit_entries.c.at < wanted.until)
    return query


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=Actor(**json.loads(row.actor)),
        action=row.action,
        resource=row.resource,
        diff=tuple(Difference(**one) for one in json.loads(row.diff)),
        request_id=row.request_id,
        ip=row.ip,
    )
