"""Notification channels: the URL sealed, its digest to find it by, and how it has fared lately."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from statuspulse.storage.keyset import page_of
from statuspulse.storage.schema import channels, monitor_channels
from statuspulse.storage.sealing import Place

_OK = "ok"
_FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel. `url_masked` shows no secret; `url_sealed` opens at `place` with the instance's key."""

    id: str
    team_id: str
    type: str
    url_masked: str
    url_sealed: bytes
    name: str
    enabled: bool = True
    health: str = "ok"
    last_error: str | None = None
    last_success_at: int | None = None
    secret_sealed: bytes | None = field(repr=False, default=None)
    previous_sealed: bytes | None = field(repr=False, default=None)
    previous_until: int | None = None
    told_at: int | None = None
    version: int = 1
    created_at: int
    updated_at: int

    @property
    def place(self) -> Place:
        return place_of(self.id, self.team_id)

    @property
    def secret_place(self) -> Place:
        return secret_place_of(self.id, self.team_id)

    @property
    def shown(self) -> str:
        """The masked URL with the id, as answers show it and take it back."""
        return f"{self.url_masked}#{self.id}"


def place_of(channel_id: str, team_id: str) -> Place:
    return Place("channels", channel_id, "url", team_id)


def secret_place_of(channel_id: str, team_id: str) -> Place:
    """Where the secret that signs is sealed for; it keeps its place when it is replaced."""
    return Place("channels", channel_id, "secret", team_id)


def insert(connection: Connection, channel: Channel, digest: bytes) -> None:
    """Stores a channel; raises IntegrityError when the team has one with the same URL."""
    connection.execute(
        channels.insert().values(
            id=channel.id,
            team_id=channel.team_id,
            type=channel.type,
            digest=digest,
            url_sealed=channel.url_sealed,
            url_masked=channel.url_masked,
            name=channel.name,
            enabled=channel.enabled,
            health=channel.health,
            secret_sealed=channel.secret_sealed,
            version=channel.version,
            created_at=channel.created_at,
            updated_at=channel.created_at,
        )
    )


def by_digest(connection: Connection, team_id: str, digest: bytes) -> Channel | None:
    row = connection.execute(
        select(channels).where(channels.c.team_id == team_id, channels.c.digest == digest)
    ).one_or_none()
    return None if row is None else _channel(row)


def exists(connection: Connection, channel_id: str) -> bool:
    """Whether any team has a channel with the id."""
    return connection.scalar(select(channels.c.id).where(channels.c.id == channel_id)) is not None


def get(connection: Connection, team_id: str, channel_id: str) -> Channel | None:
    return _first(connection, _one(team_id, channel_id))


def get_to_change(connection: Connection, team_id: str, channel_id: str) -> Channel | None:
    """The same, and nobody else changes it before the transaction ends; rows that refer to it are still written."""
    return _first(connection, _one(team_id, channel_id).with_for_update(key_share=True))


def _one(team_id: str, channel_id: str) -> Select[Any]:
    return select(channels).where(channels.c.team_id == team_id, channels.c.id == channel_id)


def _first(connection: Connection, query: Select[Any]) -> Channel | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    return None if row is None else _channel(row)


def _channel(row: Row[Any]) -> Channel:
    return Channel(
        id=row.id,
        team_id=row.team_id,
        type=row.type,
        url_masked=row.url_masked,
        url_sealed=row.url_sealed,
        name=row.name,
        enabled=row.enabled,
        health=row.health,
        last_error=row.last_error,
        last_success_at=row.last_success_at,
        secret_sealed=row.secret_sealed,
        previous_sealed=row.previous_sealed,
        previous_until=row.previous_until,
        told_at=row.told_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def page(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Channel]:
    """Up to `limit` channels by (created_at, id), from behind the key `after`."""
    query = select(channels).where(channels.c.team_id == team_id)
    rows = page_of(query, channels.c.created_at, channels.c.id, after=after, descending=descending, limit=limit)
    return [_channel(row) for row in connection.execute(rows)]


def count(connection: Connection, team_id: str) -> int:
    query = select(func.count()).select_from(channels).where(channels.c.team_id == team_id)
    return connection.scalar(query) or 0


def save(connection: Connection, channel: Channel) -> None:
    """Stores what people can change: name, whether it is enabled, the secrets that sign."""
    connection.execute(
        update(channels)
        .where(channels.c.team_id == channel.team_id, channels.c.id == channel.id)
        .values(
            name=channel.name,
            enabled=channel.enabled,
            secret_sealed=channel.secret_sealed,
            previous_sealed=channel.previous_sealed,
            previous_until=channel.previous_until,
            version=channel.version,
            updated_at=channel.updated_at,
        )
    )


def remove(connection: Connection, team_id: str, channel_id: str) -> None:
    connection.execute(delete(channels).where(channels.c.team_id == team_id, channels.c.id == channel_id))


def monitors_of(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    """How many monitors notify each of the channels."""
    query = (
        select(monitor_channels.c.channel_id, func.count().label("count"))
        .where(monitor_channels.c.channel_id.in_(ids))
        .group_by(monitor_channels.c.channel_id)
    )
    return dict.fromkeys(ids, 0) | {row[0]: row[1] for row in connection.execute(query)}


def note_told(connection: Connection, team_id: str, channel_id: str, now: int) -> None:
    """The fallback channel is told that this one is failing."""
    connection.execute(
        update(channels)
        .where(channels.c.team_id == team_id, channels.c.id == channel_id)
        .values(told_at=now, updated_at=now)
    )


def masked_urls(connection: Connection, team_id: str, ids: Collection[str]) -> dict[str, str]:
    """What answers show of some channels of the team, by id; unknown ids are missing."""
    query = select(channels.c.id, channels.c.url_masked).where(channels.c.team_id == team_id, channels.c.id.in_(ids))
    return {row.id: f"{row.url_masked}#{row.id}" for row in connection.execute(query)} if ids else {}


def record_success(connection: Connection, team_id: str, channel_id: str, now: int) -> bool:
    """The channel works; answers whether it was failing until now."""
    own = update(channels).where(channels.c.team_id == team_id, channels.c.id == channel_id)
    turned = connection.execute(own.where(channels.c.health == _FAILING).values(health=_OK)).rowcount == 1
    connection.execute(own.values(health=_OK, last_error=None, last_success_at=now, told_at=None, updated_at=now))
    return turned


def record_failure(connection: Connection, team_id: str, channel_id: str, error: str, now: int) -> bool:
    """The channel refuses or stays away, and is failing until it works again; answers whether it begins to be."""
    own = update(channels).where(channels.c.team_id == team_id, channels.c.id == channel_id)
    turned = connection.execute(own.where(channels.c.health != _FAILING).values(health=_FAILING)).rowcount == 1
    connection.execute(own.values(last_error=error, updated_at=now))
    return turned
