"""The audit log: who changed what, written in the transaction of the change."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, select

from statuspulse.domain.actor import Actor
from statuspulse.domain.ids import new_ulid
from statuspulse.storage.schema import audit_entries


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change; `resource` is the id of what was changed."""

    id: str
    at: int
    actor: Actor
    action: str
    resource: str


def record(connection: Connection, team_id: str, *, at: int, actor: Actor, action: str, resource: str) -> None:
    connection.execute(
        audit_entries.insert().values(
            id=new_ulid("aud", at),
            team_id=team_id,
            at=at,
            actor=json.dumps(actor.document(), ensure_ascii=False),
            action=action,
            resource=resource,
        )
    )


def entries(connection: Connection, team_id: str, limit: int) -> list[AuditEntry]:
    """The newest entries of a team, the newest first."""
    query = (
        select(audit_entries)
        .where(audit_entries.c.team_id == team_id)
        .order_by(audit_entries.c.at.desc(), audit_entries.c.id.desc())
        .limit(limit)
    )
    return [
        AuditEntry(id=row.id, at=row.at, actor=Actor(**json.loads(row.actor)), action=row.action, resource=row.resource)
        for row in connection.execute(query)
    ]
