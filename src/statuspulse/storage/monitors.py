"""Monitors as their owners see them: rows, lists, and the figures that stand beside a row in an answer."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Connection, Row, Select, and_, bindparam, case, func, or_, select, true, update
from sqlalchemy.sql.elements import ColumnElement

from statuspulse.domain.actor import Actor
from statuspulse.domain.health import State
from statuspulse.domain.incident import IncidentState
from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.results import IS_SLOT
from statuspulse.storage.schema import incidents, monitor_channels, monitor_states, monitors, regions, results
from statuspulse.storage.states import MonitorState, state_in

_BATCH = 200

# What needs people comes first when a list is sorted by state.
_BY_URGENCY = (
    State.DOWN,
    State.DEGRADED,
    State.UNKNOWN,
    State.PENDING,
    State.MAINTENANCE,
    State.PAUSED,
    State.UP,
)
_URGENCY = case(
    *((monitor_states.c.state == state.value, place) for place, state in enumerate(_BY_URGENCY)), else_=len(_BY_URGENCY)
)
_SORT_KEYS: dict[str, ColumnElement[Any]] = {
    "created_at": monitors.c.created_at,
    "name": monitors.c.name,
    "state": _URGENCY,
}

SortKey = tuple[int | str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """One monitor; `config` has every member, normalised, and channels by their ids."""

    key: int
    id: str
    team_id: str
    name: str
    type: str
    target: str
    config: dict[str, Any]
    config_version: int
    judged_from_version: int
    revision: int
    paused: bool
    resume_at: int | None
    resting: bool = False
    updated_by: Actor
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A monitor with its state and its place in the order of the list."""

    monitor: Monitor
    state: MonitorState
    sort_key: SortKey


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorFilter:
    """What a list is narrowed to; None or empty leaves a member open."""

    states: tuple[str, ...] = ()
    type: str | None = None
    tags: tuple[str, ...] = ()
    text: str | None = None
    paused: bool | None = None
    region: str | None = None
    escalation_policy: str | None = None
    updated_since: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How a list is sorted: by `created_at`, `name` or `state` (the most urgent first), then by id."""

    by: str
    descending: bool


# Built once: what every call on a monitor builds anew costs more than what it asks for.
_ONE = Prepared(
    select(monitors).where(
        monitors.c.team_id == bindparam("team"), monitors.c.id == bindparam("id"), monitors.c.deleted_at.is_(None)
    )
)
_ONE_WITH_STATE = Prepared(
    select(monitors, *(column for column in monitor_states.c if column.name != "monitor_key"))
    .join(monitor_states, monitor_states.c.monitor_key == monitors.c.key)
    .where(monitors.c.team_id == bindparam("team"), monitors.c.id == bindparam("id"), monitors.c.deleted_at.is_(None))
)
_ANY = Prepared(select(monitors.c.id).where(monitors.c.id == bindparam("id")))
_INSERT = monitors.insert().returning(monitors.c.key)
_UNLINK = monitor_channels.delete().where(monitor_channels.c.monitor_key == bindparam("mine"))
_KEYS: BindParameter[int] = bindparam("keys", expanding=True)
_LIVING = Prepared(
    select(monitors).where(monitors.c.key.in_(_KEYS), monitors.c.deleted_at.is_(None)).order_by(monitors.c.key)
)
_STATES = Prepared(select(monitor_states).where(monitor_states.c.monitor_key.in_(_KEYS)))
_NEWEST_CHECK = (
    select(results.c.scheduled_at + results.c.observed_after_ms)
    .where(results.c.monitor_key == monitors.c.key, results.c.region_key == regions.c.key, IS_SLOT)
    .order_by(results.c.scheduled_at.desc())
    .limit(1)
    .correlate(monitors, regions)
    .scalar_subquery()
)
_LAST_PROBES = Prepared(
    select(monitors.c.key, _NEWEST_CHECK.label("at"))
    .join_from(monitors, regions, true())
    .where(monitors.c.key.in_(_KEYS))
)
_OPEN_INCIDENTS = Prepared(
    select(incidents.c.monitor_key, incidents.c.id)
    .where(incidents.c.monitor_key.in_(_KEYS), incidents.c.state != IncidentState.RESOLVED.value)
    .order_by(incidents.c.triggered_at.desc(), incidents.c.id.desc())
)


def insert(connection: Connection, monitor: Monitor) -> int:
    """Stores a new monitor; its `key` is given by the database and answered."""
    row = {
        "id": monitor.id,
        "team_id": monitor.team_id,
        "type": monitor.type,
        "created_at": monitor.created_at,
        **_changing_columns(monitor),
    }
    key: int = connection.execute(_INSERT, row).scalar_one()
    return key


def save(connection: Connection, monitor: Monitor) -> None:
    """Stores what may change of a monitor."""
    connection.execute(
        update(monitors)
        .where(monitors.c.team_id == monitor.team_id, monitors.c.key == monitor.key)
        .values(**_changing_columns(monitor))
    )


def mark_deleted(connection: Connection, team_id: str, key: int, revision: int, now: int) -> None:
    """The monitor is gone for everyone but its history."""
    connection.execute(
        update(monitors)
        .where(monitors.c.team_id == team_id, monitors.c.key == key)
        .values(deleted_at=now, updated_at=now, revision=revision)
    )


def get(connection: Connection, team_id: str, monitor_id: str) -> Monitor | None:
    return next(map(monitor_of, _ONE.rows(connection, team=team_id, id=monitor_id)), None)


def get_with_state(connection: Connection, team_id: str, monitor_id: str) -> tuple[Monitor, MonitorState] | None:
    """The same with what was decided about it."""
    rows = _ONE_WITH_STATE.rows(connection, team=team_id, id=monitor_id)
    return (monitor_of(rows[0]), state_in(rows[0])) if rows else None


def get_to_change(connection: Connection, team_id: str, monitor_id: str) -> Monitor | None:
    """The same, and nobody else changes it before the transaction ends."""
    query = select(monitors).where(
        monitors.c.team_id == team_id, monitors.c.id == monitor_id, monitors.c.deleted_at.is_(None)
    )
    row = connection.execute(query.with_for_update()).one_or_none()
    return None if row is None else monitor_of(row)


def living_of(connection: Connection, keys: Collection[int]) -> list[Monitor]:
    """Monitors by their keys, in the order of these; those that are deleted are missing."""
    return [monitor_of(row) for row in _LIVING.rows(connection, keys=list(keys))] if keys else []


def exists(connection: Connection, monitor_id: str) -> bool:
    """Whether any team has or had a monitor with the id."""
    return bool(_ANY.rows(connection, id=monitor_id))


def known_ids(connection: Connection, team_id: str, ids: Collection[str]) -> set[str]:
    """Those of the ids that living monitors of the team have."""
    query = select(monitors.c.id).where(
        monitors.c.team_id == team_id, monitors.c.id.in_(ids), monitors.c.deleted_at.is_(None)
    )
    return set(connection.scalars(query)) if ids else set()


def ids_of(connection: Connection, team_id: str, keys: Collection[int]) -> dict[int, str]:
    """The ids of monitors of the team, deleted ones included, by their keys."""
    query = select(monitors.c.key, monitors.c.id).where(monitors.c.team_id == team_id, monitors.c.key.in_(keys))
    return {row.key: row.id for row in connection.execute(query)} if keys else {}


def link_channels(connection: Connection, key: int, channel_ids: Sequence[str]) -> None:
    """The monitor notifies these channels, in this order, and no others."""
    connection.execute(_UNLINK, {"mine": key})
    if channel_ids:
        connection.execute(
            insert_or_ignore(connection, monitor_channels),
            [{"monitor_key": key, "channel_id": id_, "place": place} for place, id_ in enumerate(channel_ids)],
        )


def listed(
    connection: Connection,
    team_id: str,
    wanted: MonitorFilter,
    order: Order,
    *,
    after: SortKey | None,
) -> Iterator[Listed]:
    """The matching monitors from behind the key `after`, fetched as far as they are taken."""
    column = _SORT_KEYS[order.by]
    query = _narrowed(_live(team_id), wanted).add_columns(column.label("sort_key"))
    directions = (column.desc(), monitors.c.id.desc()) if order.descending else (column, monitors.c.id)
    query = query.order_by(*directions).limit(_BATCH)
    while True:
        rows = connection.execute(_behind(query, column, order, after)).all()
        for row in rows:
            monitor = monitor_of(row)
            if _holds(monitor, wanted):
                yield Listed(monitor=monitor, state=state_in(row), sort_key=(row.sort_key, row.id))
        if len(rows) < _BATCH:
            return
        after = (rows[-1].sort_key, rows[-1].id)


def states(connection: Connection, keys: Collection[int]) -> dict[int, MonitorState]:
    """The state of each monitor, by key."""
    return {row.monitor_key: state_in(row) for row in _STATES.rows(connection, keys=list(keys))}


def last_probes(connection: Connection, keys: Collection[int]) -> dict[int, int]:
    """When the newest check of each monitor ended, by key; monitors never looked at are missing."""
    found: dict[int, int] = {}
    for key, at in _LAST_PROBES.rows(connection, keys=list(keys)):
        if at is not None:
            found[key] = max(at, found.get(key, at))
    return found


def open_incidents(connection: Connection, keys: Collection[int]) -> dict[int, str]:
    """The open incident of each monitor, the oldest where there are several, by key."""
    return {row.monitor_key: row.id for row in _OPEN_INCIDENTS.rows(connection, keys=list(keys))}


def names_and_states(connection: Connection, team_id: str) -> list[tuple[str, str, State]]:
    """(id, name, state) of every monitor of the team."""
    query = (
        select(monitors.c.id, monitors.c.name, monitor_states.c.state)
        .join(monitor_states, monitor_states.c.monitor_key == monitors.c.key)
        .where(monitors.c.team_id == team_id, monitors.c.deleted_at.is_(None))
        .order_by(monitors.c.key)
    )
    return [(row.id, row.name, State(row.state)) for row in connection.execute(query)]


def of_slo(
    connection: Connection, team_id: str, *, key: int | None, tags: Sequence[str], since: int
) -> list[tuple[Monitor, int | None]]:
    """The monitor with the key, or all that have every tag; each with when it was deleted, not before `since`."""
    query = select(monitors).where(
        monitors.c.team_id == team_id, or_(monitors.c.deleted_at.is_(None), monitors.c.deleted_at > since)
    )
    if key is not None:
        query = query.where(monitors.c.key == key)
    for tag in tags:
        query = query.where(monitors.c.config.contains(json.dumps(tag, ensure_ascii=False), autoescape=True))
    found = [(monitor_of(row), row.deleted_at) for row in connection.execute(query.order_by(monitors.c.key))]
    return [(monitor, ended) for monitor, ended in found if set(tags) <= set(monitor.config["tags"])]


def _live(team_id: str) -> Select[Any]:
    return (
        select(monitors, monitor_states)
        .join(monitor_states, monitor_states.c.monitor_key == monitors.c.key)
        .where(monitors.c.team_id == team_id, monitors.c.deleted_at.is_(None))
    )


def _narrowed(query: Select[Any], wanted: MonitorFilter) -> Select[Any]:
    """Members of the configuration are text in the database: found roughly here, exactly by `_holds`."""
    if wanted.states:
        query = query.where(monitor_states.c.state.in_(wanted.states))
    if wanted.type is not None:
        query = query.where(monitors.c.type == wanted.type)
    if wanted.paused is not None:
        query = query.where(monitors.c.paused.is_(wanted.paused))
    if wanted.updated_since is not None:
        query = query.where(monitors.c.updated_at >= wanted.updated_since)
    if wanted.text is not None and wanted.text.isascii():  # SQLite folds the case of ASCII letters only
        text = wanted.text.lower()
        query = query.where(
            or_(
                func.lower(monitors.c.name).contains(text, autoescape=True),
                func.lower(monitors.c.target).contains(text, autoescape=True),
            )
        )
    for quoted in (*wanted.tags, wanted.region, wanted.escalation_policy):
        if quoted is not None:
            query = query.where(monitors.c.config.contains(json.dumps(quoted, ensure_ascii=False), autoescape=True))
    return query


def _holds(monitor: Monitor, wanted: MonitorFilter) -> bool:
    config = monitor.config
    text = (wanted.text or "").casefold()
    return (
        set(wanted.tags) <= set(config["tags"])
        and (wanted.region is None or wanted.region in config["regions"])
        and (wanted.escalation_policy is None or wanted.escalation_policy == config["escalation_policy"])
        and (text in monitor.name.casefold() or text in monitor.target.casefold())
    )


def _behind(query: Select[Any], column: ColumnElement[Any], order: Order, after: SortKey | None) -> Select[Any]:
    if after is None:
        return query
    value, monitor_id = after
    if order.descending:
        return query.where(or_(column < value, and_(column == value, monitors.c.id < monitor_id)))
    return query.where(or_(column > value, and_(column == value, monitors.c.id > monitor_id)))


def _changing_columns(monitor: Monitor) -> dict[str, Any]:
    return {
        "name": monitor.name,
        "target": monitor.target,
        "config": json.dumps(monitor.config, ensure_ascii=False),
        "config_version": monitor.config_version,
        "judged_from_version": monitor.judged_from_version,
        "revision": monitor.revision,
        "paused": monitor.paused,
        "resume_at": monitor.resume_at,
        "updated_by": json.dumps(monitor.updated_by.document(), ensure_ascii=False),
        "updated_at": monitor.updated_at,
    }


def monitor_of(row: Row[Any]) -> Monitor:
    """The value of a row that has the columns of the table, and perhaps others."""
    return Monitor(
        key=row.key,
        id=row.id,
        team_id=row.team_id,
        name=row.name,
        type=row.type,
        target=row.target,
        config=msgspec.json.decode(row.config),
        config_version=row.config_version,
        judged_from_version=row.judged_from_version,
        revision=row.revision,
        paused=bool(row.paused),
        resume_at=row.resume_at,
        resting=bool(row.resting),
        updated_by=Actor(**json.loads(row.updated_by)),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
