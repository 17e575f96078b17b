"""On-call schedules."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from statuspulse.storage.keyset import page_of
from statuspulse.storage.schema import schedules


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule; `plan` holds timezone, rotation, handoff, starts_on, members and overrides."""

    id: str
    team_id: str
    name: str
    plan: dict[str, Any]
    version: int = 1
    created_at: int
    updated_at: int


def insert(connection: Connection, schedule: Schedule) -> None:
    """Raises IntegrityError when the team has one with the name."""
    connection.execute(schedules.insert().values(id=schedule.id, team_id=schedule.team_id, **_columns(schedule)))


def save(connection: Connection, schedule: Schedule) -> None:
    """Raises IntegrityError when the team has another one with the name."""
    mine = (schedules.c.team_id == schedule.team_id) & (schedules.c.id == schedule.id)
    connection.execute(update(schedules).where(mine).values(**_columns(schedule)))


def remove(connection: Connection, team_id: str, schedule_id: str) -> None:
    connection.execute(delete(schedules).where(schedules.c.team_id == team_id, schedules.c.id == schedule_id))


def get(connection: Connection, team_id: str, schedule_id: str) -> Schedule | None:
    return _first(connection, _one(team_id, schedule_id))


def get_to_change(connection: Connection, team_id: str, schedule_id: str) -> Schedule | None:
    """The same, and nobody else changes it before the transaction ends."""
    return _first(connection, _one(team_id, schedule_id).with_for_update())


def exists(connection: Connection, schedule_id: str) -> bool:
    """Whether any team has a schedule with the id."""
    return connection.scalar(select(schedules.c.id).where(schedules.c.id == schedule_id)) is not None


def all_of_team(connection: Connection, team_id: str) -> list[Schedule]:
    query = select(schedules).where(schedules.c.team_id == team_id).order_by(schedules.c.created_at, schedules.c.id)
    return [_schedule(row) for row in connection.execute(query)]


def count(connection: Connection, team_id: str) -> int:
    query = select(func.count()).select_from(schedules).where(schedules.c.team_id == team_id)
    return connection.scalar(query) or 0


def page(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Schedule]:
    """Up to `limit` schedules by (created_at, id), from behind the key `after`."""
    query = page_of(
        select(schedules).where(schedules.c.team_id == team_id),
        schedules.c.created_at,
        schedules.c.id,
        after=after,
        descending=descending,
        limit=limit,
    )
    return [_schedule(row) for row in connection.execute(query)]


def _one(team_id: str, schedule_id: str) -> Select[Any]:
    return select(schedules).where(schedules.c.team_id == team_id, schedules.c.id == schedule_id)


def _first(connection: Connection, query: Select[Any]) -> Schedule | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    return None if row is None else _schedule(row)


def _columns(schedule: Schedule) -> dict[str, Any]:
    return {
        "name": schedule.name,
        "plan": json.dumps(schedule.plan, ensure_ascii=False),
        "version": schedule.version,
        "created_at": schedule.created_at,
        "updated_at": schedule.updated_at,
    }


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        team_id=row.team_id,
        name=row.name,
        plan=json.loads(row.plan),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
