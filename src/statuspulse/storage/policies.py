"""Escalation policies: who is told, and when."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, or_, select, update

from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import escalation_policies

_DEFAULT = Prepared(
    select(escalation_policies.c.slug).where(
        escalation_policies.c.team_id == bindparam("team"), escalation_policies.c.is_default
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One escalation policy; `rules` holds steps, repeat, time-outs and the filter of severities."""

    id: str
    team_id: str
    slug: str
    name: str
    description: str | None = None
    is_default: bool = False
    auto_created: bool = False
    rules: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    created_at: int
    updated_at: int


def insert_if_new(connection: Connection, policy: Policy) -> bool:
    """Stores the policy unless the team has one with its slug; answers whether it did."""
    statement = insert_or_ignore(connection, escalation_policies).values(
        id=policy.id,
        team_id=policy.team_id,
        slug=policy.slug,
        name=policy.name,
        description=policy.description,
        is_default=policy.is_default,
        auto_created=policy.auto_created,
        rules=json.dumps(policy.rules, ensure_ascii=False),
        version=policy.version,
        created_at=policy.created_at,
        updated_at=policy.updated_at,
    )
    return connection.scalar(statement.returning(escalation_policies.c.id)) is not None


def save(connection: Connection, policy: Policy) -> None:
    """Stores what may change: name, description, rules, and that somebody has looked at it."""
    connection.execute(
        update(escalation_policies)
        .where(escalation_policies.c.team_id == policy.team_id, escalation_policies.c.slug == policy.slug)
        .values(
            name=policy.name,
            description=policy.description,
            auto_created=policy.auto_created,
            rules=json.dumps(policy.rules, ensure_ascii=False),
            version=policy.version,
            updated_at=policy.updated_at,
        )
    )


def remove(connection: Connection, team_id: str, slug: str) -> None:
    connection.execute(
        delete(escalation_policies).where(escalation_policies.c.team_id == team_id, escalation_policies.c.slug == slug)
    )


def all_of_team(connection: Connection, team_id: str) -> list[Policy]:
    """Every policy of the team; there are few."""
    return [
        _policy(row)
        for row in connection.execute(select(escalation_policies).where(escalation_policies.c.team_id == team_id))
    ]


def get(connection: Connection, team_id: str, slug: str) -> Policy | None:
    return _first(connection, _one(team_id, slug))


def get_to_change(connection: Connection, team_id: str, slug: str) -> Policy | None:
    """The same, and nobody else changes it before the transaction ends."""
    return _first(connection, _one(team_id, slug).with_for_update())


def default_slug(connection: Connection, team_id: str) -> str | None:
    """The policy of monitors that name none; None when the team has not chosen one."""
    return next((row.slug for row in _DEFAULT.rows(connection, team=team_id)), None)


def set_default(connection: Connection, team_id: str, slug: str | None, now: int) -> None:
    """Makes the policy the one of monitors that name none, and no other; None takes the choice back."""
    mine = escalation_policies.c.team_id == team_id
    chosen = escalation_policies.c.slug == slug
    connection.execute(
        update(escalation_policies)
        .where(mine, escalation_policies.c.is_default)
        .values(is_default=False, version=escalation_policies.c.version + 1, updated_at=now)
    )
    connection.execute(
        update(escalation_policies)
        .where(mine, chosen)
        .values(is_default=True, version=escalation_policies.c.version + 1, updated_at=now)
    )


def exists(connection: Connection, policy_id: str) -> bool:
    """Whether any team has a policy with the id."""
    found = connection.scalar(select(escalation_policies.c.id).where(escalation_policies.c.id == policy_id))
    return found is not None


def count(connection: Connection, team_id: str) -> int:
    query = select(func.count()).select_from(escalation_policies).where(escalation_policies.c.team_id == team_id)
    return connection.scalar(query) or 0


def page(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Policy]:
    """Up to `limit` policies by (created_at, id), from behind the key `after`."""
    at, key = escalation_policies.c.created_at, escalation_policies.c.id
    query = select(escalation_policies).where(escalation_policies.c.team_id == team_id)
    if after is not None:
        beyond = (at < after[0]) if descending else (at > after[0])
        same = (key < after[1]) if descending else (key > after[1])
        query = query.where(or_(beyond, (at == after[0]) & same))
    order = (at.desc(), key.desc()) if descending else (at, key)
    return [_policy(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def _one(team_id: str, slug: str) -> Select[Any]:
    return select(escalation_policies).where(
        escalation_policies.c.team_id == team_id, escalation_policies.c.slug == slug
    )


def _first(connection: Connection, query: Select[Any]) -> Policy | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    return None if row is None else _policy(row)


def _policy(row: Row[Any]) -> Policy:
    return Policy(
        id=row.id,
        team_id=row.team_id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        is_default=row.is_default,
        auto_created=row.auto_created,
        rules=json.loads(row.rules),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
