"""Teams: the owners of everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select, update

from statuspulse.domain.team_settings import TeamSettings
from statuspulse.storage.schema import incidents, monitors, teams


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Owner of monitors, tokens, channels and incidents."""

    id: str
    slug: str
    name: str
    timezone: str = "UTC"
    settings: TeamSettings = field(default_factory=TeamSettings)
    version: int = 1
    created_at: int
    updated_at: int


def insert(connection: Connection, team: Team) -> None:
    connection.execute(
        teams.insert().values(
            id=team.id,
            slug=team.slug,
            name=team.name,
            timezone=team.timezone,
            settings=_settings_text(team.settings),
            version=team.version,
            created_at=team.created_at,
            updated_at=team.updated_at,
        )
    )


def save(connection: Connection, team: Team) -> None:
    """Stores name, time zone and settings."""
    connection.execute(
        update(teams)
        .where(teams.c.id == team.id)
        .values(
            name=team.name,
            timezone=team.timezone,
            settings=_settings_text(team.settings),
            version=team.version,
            updated_at=team.updated_at,
        )
    )


def mark_deleted(connection: Connection, team_id: str, now: int) -> None:
    """The team is found no more and its slug is free; the row stays, because what happened refers to it."""
    connection.execute(
        update(teams).where(teams.c.id == team_id).values(slug=f"~{team_id}", deleted_at=now, updated_at=now)
    )


def by_slug(connection: Connection, slug: str) -> Team | None:
    return _one(connection, _living().where(teams.c.slug == slug))


def get(connection: Connection, team_id: str) -> Team | None:
    return _one(connection, _living().where(teams.c.id == team_id))


def get_to_change(connection: Connection, team_id: str) -> Team | None:
    """The same, and nobody else changes it before the transaction ends; rows that refer to it are still written."""
    return _one(connection, _living().where(teams.c.id == team_id).with_for_update(key_share=True))


def zone_of(connection: Connection, team_id: str) -> str:
    """The team's time zone, by its IANA name."""
    zone: str = connection.execute(select(teams.c.timezone).where(teams.c.id == team_id)).scalar_one()
    return zone


def get_all(connection: Connection, team_ids: Sequence[str]) -> list[Team]:
    """The teams with the ids, the oldest first."""
    query = _living().where(teams.c.id.in_(team_ids)).order_by(teams.c.key)
    return [_team(row) for row in connection.execute(query)]


def all_of_instance(connection: Connection) -> list[Team]:
    """Every team, the first one first; for the operator, who has no team."""
    return [_team(row) for row in connection.execute(_living().order_by(teams.c.key))]


def first(connection: Connection) -> Team | None:
    """The team that was there first, whose tokens alone may change what serves the whole instance.

    None in an empty database. The clock has no say in it: one that was set back would make another team the oldest.
    """
    return _one(connection, select(teams).order_by(teams.c.key).limit(1))


def exists(connection: Connection, team_id: str) -> bool:
    """Whether there is or was a team with the id."""
    return connection.scalar(select(teams.c.id).where(teams.c.id == team_id)) is not None


def count_monitors(connection: Connection, team_id: str) -> int:
    query = (
        select(func.count()).select_from(monitors).where(monitors.c.team_id == team_id, monitors.c.deleted_at.is_(None))
    )
    return connection.scalar(query) or 0


def count_open_incidents(connection: Connection, team_id: str) -> int:
    query = (
        select(func.count())
        .select_from(incidents)
        .where(incidents.c.team_id == team_id, incidents.c.state != "resolved")
    )
    return connection.scalar(query) or 0


def settings_of(text: str) -> TeamSettings:
    """The settings of the column."""
    return TeamSettings(**json.loads(text))


def _settings_text(settings: TeamSettings) -> str:
    return json.dumps(asdict(settings))


def _living() -> Select[Any]:
    return select(teams).where(teams.c.deleted_at.is_(None))


def _one(connection: Connection, query: Select[Any]) -> Team | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    return None if row is None else _team(row)


def _team(row: Row[Any]) -> Team:
    return Team(
        id=row.id,
        slug=row.slug,
        name=row.name,
        timezone=row.timezone,
        settings=settings_of(row.settings),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
