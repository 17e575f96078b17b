"""Users by their address, and what they are in each team."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, select, update

from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.keyset import page_of
from statuspulse.storage.schema import members, users


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A user in one team; the address is in lower case, `contacts` are channels of the team by their ids."""

    user_id: str
    team_id: str
    email: str
    role: str
    contacts: tuple[str, ...] = ()
    created_at: int
    updated_at: int


def user_exists(connection: Connection, user_id: str) -> bool:
    return connection.scalar(select(users.c.id).where(users.c.id == user_id)) is not None


def ensure_user(connection: Connection, user_id: str, email: str, now: int) -> str:
    """The id of the user with the address; the given one where the address is new."""
    new = insert_or_ignore(connection, users).values(id=user_id, email=email, created_at=now, updated_at=now)
    connection.execute(new)
    found: str = connection.execute(select(users.c.id).where(users.c.email == email)).scalar_one()
    return found


def insert_if_new(connection: Connection, member: Member) -> bool:
    """Makes the user a member unless it is one; answers whether it did."""
    statement = insert_or_ignore(connection, members).values(
        team_id=member.team_id,
        user_id=member.user_id,
        role=member.role,
        contacts=json.dumps(member.contacts),
        created_at=member.created_at,
        updated_at=member.updated_at,
    )
    return connection.scalar(statement.returning(members.c.user_id)) is not None


def get(connection: Connection, team_id: str, user_id: str) -> Member | None:
    row = connection.execute(_of_team(team_id).where(members.c.user_id == user_id)).one_or_none()
    return None if row is None else _member(row)


def get_by_email(connection: Connection, team_id: str, email: str) -> Member | None:
    row = connection.execute(_of_team(team_id).where(users.c.email == email)).one_or_none()
    return None if row is None else _member(row)


def save(connection: Connection, member: Member) -> None:
    """Stores role and contacts."""
    connection.execute(
        update(members)
        .where(_is(member.team_id, member.user_id))
        .values(role=member.role, contacts=json.dumps(member.contacts), updated_at=member.updated_at)
    )


def remove(connection: Connection, team_id: str, user_id: str) -> None:
    """The user is no member any more; the address stays known, for other teams and for what was done."""
    connection.execute(delete(members).where(_is(team_id, user_id)))


def remove_all(connection: Connection, team_id: str) -> None:
    connection.execute(delete(members).where(members.c.team_id == team_id))


def count(connection: Connection, team_id: str) -> int:
    return connection.scalar(select(func.count()).select_from(members).where(members.c.team_id == team_id)) or 0


def page(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Member]:
    """Up to `limit` members by (created_at, user id), from behind the key `after`."""
    query = page_of(
        _of_team(team_id), members.c.created_at, members.c.user_id, after=after, descending=descending, limit=limit
    )
    return [_member(row) for row in connection.execute(query)]


def _of_team(team_id: str) -> Select[Any]:
    return (
        select(members, users.c.email).join(users, users.c.id == members.c.user_id).where(members.c.team_id == team_id)
    )


def _is(team_id: str, user_id: str) -> Any:
    return and_(members.c.team_id == team_id, members.c.user_id == user_id)


def _member(row: Row[Any]) -> Member:
    return Member(
        user_id=row.user_id,
        team_id=row.team_id,
        email=row.email,
        role=row.role,
        contacts=tuple(json.loads(row.contacts)),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
