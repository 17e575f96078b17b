"""How incidents stand with integrations: what they are there, and whether that is up to date."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from statuspulse.domain.integration import SyncStatus
from statuspulse.storage.dialect import upsert
from statuspulse.storage.schema import incident_syncs
from statuspulse.storage.sealing import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """One incident at one provider. `opened` tells that it exists there; `version` is as far as they know it."""

    incident_id: str
    integration_id: str
    team_id: str
    provider: str
    external_id: str | None = None
    url: str | None = None
    kept_sealed: bytes | None = field(repr=False, default=None)
    opened: bool = False
    status: SyncStatus = SyncStatus.PENDING
    last_error: Mapping[str, Any] | None = None
    version: int = 0
    updated_at: int

    @property
    def place(self) -> Place:
        return Place("incident_syncs", f"{self.incident_id}/{self.integration_id}", "kept", self.team_id)


def save(connection: Connection, sync: Sync) -> None:
    """Stores it, in place of the one of before."""
    columns = _columns(sync)
    statement = upsert(connection, incident_syncs, ("incident_id", "integration_id"), tuple(columns))
    connection.execute(
        statement.values(
            incident_id=sync.incident_id,
            integration_id=sync.integration_id,
            **columns,
        )
    )


def get(connection: Connection, incident_id: str, integration_id: str) -> Sync | None:
    query = select(incident_syncs).where(
        incident_syncs.c.incident_id == incident_id, incident_syncs.c.integration_id == integration_id
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _sync(row)


def of_incident(connection: Connection, team_id: str, incident_id: str) -> list[Sync]:
    """By provider."""
    return of_incidents(connection, team_id, [incident_id]).get(incident_id, [])


def of_incidents(connection: Connection, team_id: str, incident_ids: Collection[str]) -> dict[str, list[Sync]]:
    """By incident; those without any are left out."""
    query = (
        select(incident_syncs)
        .where(incident_syncs.c.team_id == team_id, incident_syncs.c.incident_id.in_(incident_ids))
        .order_by(incident_syncs.c.provider)
    )
    found: dict[str, list[Sync]] = {}
    for row in connection.execute(query):
        found.setdefault(row.incident_id, []).append(_sync(row))
    return found


def with_external_id(connection: Connection, integration_id: str, external_id: str) -> str | None:
    """The newest incident of ours that has the id there."""
    query = (
        select(incident_syncs.c.incident_id)
        .where(incident_syncs.c.integration_id == integration_id, incident_syncs.c.external_id == external_id)
        .order_by(incident_syncs.c.updated_at.desc())
        .limit(1)
    )
    return connection.scalar(query)


def begin(connection: Connection, incident_id: str, integration_id: str, now: int) -> None:
    """Something is to be done there."""
    _update(connection, incident_id, integration_id, status=SyncStatus.PENDING.value, last_error=None, updated_at=now)


def remove(connection: Connection, incident_id: str, integration_id: str) -> None:
    connection.execute(
        delete(incident_syncs).where(
            incident_syncs.c.incident_id == incident_id, incident_syncs.c.integration_id == integration_id
        )
    )


def _update(connection: Connection, incident_id: str, integration_id: str, **values: Any) -> None:
    connection.execute(
        update(incident_syncs)
        .where(incident_syncs.c.incident_id == incident_id, incident_syncs.c.integration_id == integration_id)
        .values(**values)
    )


def _columns(sync: Sync) -> dict[str, Any]:
    return {
        "team_id": sync.team_id,
        "provider": sync.provider,
        "external_id": sync.external_id,
        "url": sync.url,
        "kept_sealed": sync.kept_sealed,
        "opened": sync.opened,
        "status": sync.status.value,
        "last_error": None if sync.last_error is None else json.dumps(sync.last_error, ensure_ascii=False),
        "version": sync.version,
        "updated_at": sync.updated_at,
    }


def _sync(row: Row[Any]) -> Sync:
    return Sync(
        incident_id=row.incident_id,
        integration_id=row.integration_id,
        team_id=row.team_id,
        provider=row.provider,
        external_id=row.external_id,
        url=row.url,
        kept_sealed=row.kept_sealed,
        opened=row.opened,
        status=SyncStatus(row.status),
        last_error=None if row.last_error is None else json.loads(row.last_error),
        version=row.version,
        updated_at=row.updated_at,
    )
