"""Integrations: other systems with their members, and their secrets sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, or_, select, update

from statuspulse.domain.integration import Direction, Kind
from statuspulse.domain.secret import Secret
from statuspulse.storage.keyset import page_of
from statuspulse.storage.schema import alerts, inbound_messages, incident_syncs, integrations, sync_log
from statuspulse.storage.sealing import Keyring, Place

# Under this name the secret of before a rotation is sealed.
PREVIOUS = "previous_secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One integration. `config` holds the members that may be shown, `secrets_sealed` opens at `place`.

    The secret with `previous_digest` is good until `previous_until` (ms).
    """

    id: str
    team_id: str
    kind: Kind
    name: str
    enabled: bool
    config: Mapping[str, Any]
    secrets_sealed: bytes = field(repr=False)
    digest: bytes | None = field(repr=False, default=None)
    previous_digest: bytes | None = field(repr=False, default=None)
    previous_until: int | None = None
    own_author: str | None = None
    last_error: str | None = None
    last_success_at: int | None = None
    last_received_at: int | None = None
    version: int = 1
    created_at: int
    updated_at: int

    @property
    def place(self) -> Place:
        return place_of(self.id, self.team_id)

    @property
    def takes_reports(self) -> bool:
        """Whether changes on the other side count here."""
        return self.enabled and self.config.get("direction", Direction.BOTH.value) == Direction.BOTH.value

    def secrets(self, keyring: Keyring) -> dict[str, Secret]:
        """By their names; raises WrongKeyError."""
        opened: dict[str, str] = json.loads(keyring.open(self.place, self.secrets_sealed).reveal())
        return {name: Secret(text) for name, text in opened.items()}


def place_of(integration_id: str, team_id: str) -> Place:
    """Where the secrets of an integration are sealed for."""
    return Place("integrations", integration_id, "secrets", team_id)


def sealed(keyring: Keyring, integration_id: str, team_id: str, secrets: Mapping[str, Secret]) -> bytes:
    """The secrets as they are stored."""
    text = json.dumps({name: secret.reveal() for name, secret in secrets.items()})
    return keyring.seal(place_of(integration_id, team_id), text)


def insert(connection: Connection, integration: Integration) -> None:
    """Raises IntegrityError where the team has another one of a kind of which it may have one."""
    connection.execute(
        integrations.insert().values(
            id=integration.id,
            team_id=integration.team_id,
            kind=integration.kind.value,
            created_at=integration.created_at,
            **_columns(integration),
        )
    )


def save(connection: Connection, integration: Integration) -> None:
    connection.execute(
        update(integrations)
        .where(integrations.c.team_id == integration.team_id, integrations.c.id == integration.id)
        .values(**_columns(integration))
    )


def remove(connection: Connection, team_id: str, integration_id: str) -> None:
    """The integration and everything that was said between it and us; what it made there stays as it is."""
    for table in (incident_syncs, inbound_messages, alerts, sync_log):
        connection.execute(delete(table).where(table.c.integration_id == integration_id))
    mine = (integrations.c.team_id == team_id) & (integrations.c.id == integration_id)
    connection.execute(delete(integrations).where(mine))


def exists(connection: Connection, integration_id: str) -> bool:
    """Whether any team has an integration with the id."""
    return connection.scalar(select(integrations.c.id).where(integrations.c.id == integration_id)) is not None


def get(connection: Connection, team_id: str, integration_id: str) -> Integration | None:
    return _first(connection, _one(team_id, integration_id))


def get_to_change(connection: Connection, team_id: str, integration_id: str) -> Integration | None:
    """The same, and nobody else changes it before the transaction ends; rows that refer to it are still written."""
    return _first(connection, _one(team_id, integration_id).with_for_update(key_share=True))


def any_team_s(connection: Connection, integration_id: str) -> Integration | None:
    """By its id alone; for messages that prove themselves by a signature, and for what works for all teams."""
    row = connection.execute(select(integrations).where(integrations.c.id == integration_id)).one_or_none()
    return None if row is None else _integration(row)


def by_digest(connection: Connection, digest: bytes, now: int) -> Integration | None:
    """The integration whose secret has the digest, or had it before a rotation whose overlap goes on."""
    previous = and_(integrations.c.previous_digest == digest, integrations.c.previous_until > now)
    row = connection.execute(select(integrations).where(or_(integrations.c.digest == digest, previous))).one_or_none()
    return None if row is None else _integration(row)


def enabled_of_team(connection: Connection, team_id: str) -> list[Integration]:
    query = select(integrations).where(integrations.c.team_id == team_id, integrations.c.enabled)
    return [_integration(row) for row in connection.execute(query.order_by(integrations.c.id))]


def providers_of_team(connection: Connection, team_id: str) -> frozenset[str]:
    """The kinds of the team's integrations that are not disabled."""
    query = select(integrations.c.kind).where(integrations.c.team_id == team_id, integrations.c.enabled)
    return frozenset(connection.scalars(query))


def page(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Integration]:
    query = select(integrations).where(integrations.c.team_id == team_id)
    at, key = integrations.c.created_at, integrations.c.id
    rows = connection.execute(page_of(query, at, key, after=after, descending=descending, limit=limit))
    return [_integration(row) for row in rows]


def count(connection: Connection, team_id: str) -> int:
    query = select(func.count()).select_from(integrations).where(integrations.c.team_id == team_id)
    return connection.scalar(query) or 0


def note_success(connection: Connection, integration_id: str, now: int, own_author: str | None) -> None:
    """It took something; `own_author` is who we are there, where that has become known."""
    known = {} if own_author is None else {"own_author": own_author}
    _note(connection, integration_id, last_error=None, last_success_at=now, **known)


def note_failure(connection: Connection, integration_id: str, error: str) -> None:
    _note(connection, integration_id, last_error=error)


def note_received(connection: Connection, integration_id: str, now: int) -> None:
    _note(connection, integration_id, last_received_at=now)


def _note(connection: Connection, integration_id: str, **values: Any) -> None:
    connection.execute(update(integrations).where(integrations.c.id == integration_id).values(**values))


def _one(team_id: str, integration_id: str) -> Select[Any]:
    return select(integrations).where(integrations.c.team_id == team_id, integrations.c.id == integration_id)


def _first(connection: Connection, query: Select[Any]) -> Integration | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    return None if row is None else _integration(row)


def _columns(integration: Integration) -> dict[str, Any]:
    return {
        "name": integration.name,
        "enabled": integration.enabled,
        "config": json.dumps(integration.config, ensure_ascii=False),
        "secrets_sealed": integration.secrets_sealed,
        "digest": integration.digest,
        "previous_digest": integration.previous_digest,
        "previous_until": integration.previous_until,
        "own_author": integration.own_author,
        "last_error": integration.last_error,
        "last_success_at": integration.last_success_at,
        "last_received_at": integration.last_received_at,
        "version": integration.version,
        "updated_at": integration.updated_at,
    }


def _integration(row: Row[Any]) -> Integration:
    return Integration(
        id=row.id,
        team_id=row.team_id,
        kind=Kind(row.kind),
        name=row.name,
        enabled=row.enabled,
        config=json.loads(row.config),
        secrets_sealed=row.secrets_sealed,
        digest=row.digest,
        previous_digest=row.previous_digest,
        previous_until=row.previous_until,
        own_author=row.own_author,
        last_error=row.last_error,
        last_success_at=row.last_success_at,
        last_received_at=row.last_received_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
