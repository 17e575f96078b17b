"""Teams: the owners of everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from statuspulse.storage.schema import teams


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Owner of monitors, tokens, channels and incidents."""

    id: str
    slug: str
    name: str
    created_at: int


def insert(connection: Connection, team: Team) -> None:
    connection.execute(
        teams.insert().values(
            id=team.id, slug=team.slug, name=team.name, created_at=team.created_at, updated_at=team.created_at
        )
    )


def by_slug(connection: Connection, slug: str) -> Team | None:
    return _one(connection, select(teams).where(teams.c.slug == slug))


def first(connection: Connection) -> Team | None:
    """The oldest team, which alone may change what serves the whole instance; None in an empty database."""
    return _one(connection, select(teams).order_by(teams.c.created_at, teams.c.id).limit(1))


def exists(connection: Connection, team_id: str) -> bool:
    return connection.scalar(select(teams.c.id).where(teams.c.id == team_id)) is not None


def _one(connection: Connection, query: Select[Any]) -> Team | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    return None if row is None else Team(id=row.id, slug=row.slug, name=row.name, created_at=row.created_at)
