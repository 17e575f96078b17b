"""Webhook endpoints: where events are sent, with their secrets sealed, and how they have fared."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, select, update

from statuspulse.domain.webhook import DisabledReason, Format, Payload, Wanted
from statuspulse.storage.keyset import page_of
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import webhook_deliveries, webhook_endpoints
from statuspulse.storage.sealing import Place

_ENABLED = Prepared(
    select(webhook_endpoints)
    .where(webhook_endpoints.c.team_id == bindparam("team"), webhook_endpoints.c.enabled)
    .order_by(webhook_endpoints.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint. What is sealed opens at `place` of its column; `failures` counts those in a row."""

    id: str
    team_id: str
    url: str
    description: str | None
    wanted: Wanted
    format: Format
    payload: Payload
    headers_sealed: bytes = field(repr=False)
    secret_sealed: bytes = field(repr=False)
    previous_sealed: bytes | None = field(repr=False, default=None)
    previous_until: int | None = None
    enabled: bool
    disabled_reason: DisabledReason | None = None
    disabled_at: int | None = None
    failing_since: int | None = None
    failures: int = 0
    last_success_at: int | None = None
    version: int = 1
    created_at: int
    updated_at: int

    def place(self, column: str) -> Place:
        return place_of(self.id, self.team_id, column)


def place_of(endpoint_id: str, team_id: str, column: str) -> Place:
    """Where `headers` or `secret` of an endpoint is sealed for; a secret keeps its place when it is replaced."""
    return Place("webhook_endpoints", endpoint_id, column, team_id)


def insert(connection: Connection, endpoint: Endpoint) -> None:
    connection.execute(
        webhook_endpoints.insert().values(
            id=endpoint.id, team_id=endpoint.team_id, created_at=endpoint.created_at, **_columns(endpoint)
        )
    )


def save(connection: Connection, endpoint: Endpoint) -> None:
    mine = (webhook_endpoints.c.team_id == endpoint.team_id) & (webhook_endpoints.c.id == endpoint.id)
    connection.execute(update(webhook_endpoints).where(mine).values(**_columns(endpoint)))


def remove(connection: Connection, team_id: str, endpoint_id: str) -> None:
    """The endpoint and everything that was or is to be sent to it."""
    connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.endpoint_id == endpoint_id))
    mine = (webhook_endpoints.c.team_id == team_id) & (webhook_endpoints.c.id == endpoint_id)
    connection.execute(delete(webhook_endpoints).where(mine))


def exists(connection: Connection, endpoint_id: str) -> bool:
    """Whether any team has an endpoint with the id."""
    query = select(webhook_endpoints.c.id).where(webhook_endpoints.c.id == endpoint_id)
    return connection.scalar(query) is not None


def get(connection: Connection, team_id: str, endpoint_id: str) -> Endpoint | None:
    return _first(connection, _one(team_id, endpoint_id))


def get_to_change(connection: Connection, team_id: str, endpoint_id: str) -> Endpoint | None:
    """The same, and nobody else changes it before the transaction ends; rows that refer to it are still written."""
    return _first(connection, _one(team_id, endpoint_id).with_for_update(key_share=True))


def any_team_s(connection: Connection, endpoint_id: str) -> Endpoint | None:
    """The endpoint that a delivery names; for the sender, which works for all teams."""
    row = connection.execute(select(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)).one_or_none()
    return None if row is None else _endpoint(row)


def enabled_of_team(connection: Connection, team_id: str) -> list[Endpoint]:
    return [_endpoint(row) for row in _ENABLED.rows(connection, team=team_id)]


def page(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Endpoint]:
    query = select(webhook_endpoints).where(webhook_endpoints.c.team_id == team_id)
    at, key = webhook_endpoints.c.created_at, webhook_endpoints.c.id
    rows = connection.execute(page_of(query, at, key, after=after, descending=descending, limit=limit))
    return [_endpoint(row) for row in rows]


def count(connection: Connection, team_id: str) -> int:
    query = select(func.count()).select_from(webhook_endpoints).where(webhook_endpoints.c.team_id == team_id)
    return connection.scalar(query) or 0


def note_success(connection: Connection, endpoint_id: str, now: int) -> None:
    _note(connection, endpoint_id, failing_since=None, failures=0, last_success_at=now)


def note_failure(connection: Connection, endpoint_id: str, now: int) -> None:
    since = func.coalesce(webhook_endpoints.c.failing_since, now)
    _note(connection, endpoint_id, failing_since=since, failures=webhook_endpoints.c.failures + 1)


def _note(connection: Connection, endpoint_id: str, **values: Any) -> None:
    connection.execute(update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id).values(**values))


def _one(team_id: str, endpoint_id: str) -> Select[Any]:
    return select(webhook_endpoints).where(
        webhook_endpoints.c.team_id == team_id, webhook_endpoints.c.id == endpoint_id
    )


def _first(connection: Connection, query: Select[Any]) -> Endpoint | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    return None if row is None else _endpoint(row)


def _columns(endpoint: Endpoint) -> dict[str, Any]:
    wanted = endpoint.wanted
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "wanted": json.dumps(
            {
                "types": wanted.types,
                "monitor_ids": wanted.monitor_ids,
                "tags": wanted.tags,
                "severities": wanted.severities,
            }
        ),
        "format": endpoint.format.value,
        "payload": endpoint.payload.value,
        "headers_sealed": endpoint.headers_sealed,
        "secret_sealed": endpoint.secret_sealed,
        "previous_sealed": endpoint.previous_sealed,
        "previous_until": endpoint.previous_until,
        "enabled": endpoint.enabled,
        "disabled_reason": None if endpoint.disabled_reason is None else endpoint.disabled_reason.value,
        "disabled_at": endpoint.disabled_at,
        "failing_since": endpoint.failing_since,
        "failures": endpoint.failures,
        "last_success_at": endpoint.last_success_at,
        "version": endpoint.version,
        "updated_at": endpoint.updated_at,
    }


def _endpoint(row: Row[Any]) -> Endpoint:
    wanted = {name: tuple(values) for name, values in json.loads(row.wanted).items()}
    return Endpoint(
        id=row.id,
        team_id=row.team_id,
        url=row.url,
        description=row.description,
        wanted=Wanted(**wanted),
        format=Format(row.format),
        payload=Payload(row.payload),
        headers_sealed=row.headers_sealed,
        secret_sealed=row.secret_sealed,
        previous_sealed=row.previous_sealed,
        previous_until=row.previous_until,
        enabled=bool(row.enabled),
        disabled_reason=None if row.disabled_reason is None else DisabledReason(row.disabled_reason),
        disabled_at=row.disabled_at,
        failing_since=row.failing_since,
        failures=row.failures,
        last_success_at=row.last_success_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
