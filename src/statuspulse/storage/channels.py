"""Notification channels: the URL sealed, its digest to find it by, and how it has fared lately."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from statuspulse.storage.schema import channels, monitor_channels
from statuspulse.storage.sealing import Place


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
    created_at: int

    @property
    def place(self) -> Place:
        return place_of(self.id, self.team_id)

    @property
    def shown(self) -> str:
        """The masked URL with the id, as answers show it and take it back."""
        return f"{self.url_masked}#{self.id}"


def place_of(channel_id: str, team_id: str) -> Place:
    return Place("channels", channel_id, "url", team_id)


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
            created_at=channel.created_at,
            updated_at=channel.created_at,
        )
    )


def id_by_digest(connection: Connection, team_id: str, digest: bytes) -> str | None:
    found: str | None = connection.scalar(
        select(channels.c.id).where(channels.c.team_id == team_id, channels.c.digest == digest)
    )
    return found


def exists(connection: Connection, channel_id: str) -> bool:
    """Whether any team has a channel with the id."""
    return connection.scalar(select(channels.c.id).where(channels.c.id == channel_id)) is not None


def get(connection: Connection, team_id: str, channel_id: str) -> Channel | None:
    row = connection.execute(
        select(channels).where(channels.c.team_id == team_id, channels.c.id == channel_id)
    ).one_or_none()
    if row is None:
        return None
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
        created_at=row.created_at,
    )


def masked_urls(connection: Connection, team_id: str, ids: Collection[str]) -> dict[str, str]:
    """What answers show of some channels of the team, by id; unknown ids are missing."""
    query = select(channels.c.id, channels.c.url_masked).where(channels.c.team_id == team_id, channels.c.id.in_(ids))
    return {row.id: f"{row.url_masked}#{row.id}" for row in connection.execute(query)}


def enabled_of_monitor(connection: Connection, team_id: str, monitor_key: int) -> list[str]:
    """The channels that a monitor notifies, in the order in which it names them."""
    query = (
        select(channels.c.id)
        .join(monitor_channels, monitor_channels.c.channel_id == channels.c.id)
        .where(channels.c.team_id == team_id, monitor_channels.c.monitor_key == monitor_key, channels.c.enabled)
        .order_by(monitor_channels.c.place)
    )
    return list(connection.scalars(query))


def record_success(connection: Connection, team_id: str, channel_id: str, now: int) -> None:
    """The channel works, or works again."""
    connection.execute(
        update(channels)
        .where(channels.c.team_id == team_id, channels.c.id == channel_id)
        .values(health="ok", last_error=None, last_success_at=now, updated_at=now)
    )


def record_failure(connection: Connection, team_id: str, channel_id: str, error: str, now: int) -> None:
    """The channel refuses or stays away; people see it as failing until it works again."""
    connection.execute(
        update(channels)
        .where(channels.c.team_id == team_id, channels.c.id == channel_id)
        .values(health="failing", last_error=error, updated_at=now)
    )
