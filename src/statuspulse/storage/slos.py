"""Service level objectives: what was promised, what was told of it, and when it has to be looked at next."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Connection, Row, Select, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.sql.elements import BindParameter

from statuspulse.domain.slo import Kind, Terms, Window, allowance_of, pairs_of
from statuspulse.domain.slo_course import Course
from statuspulse.storage.keyset import page_of
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import monitors, slos

_KEYS: BindParameter[int] = bindparam("keys", expanding=True)
_TEAMS = select(monitors.c.team_id).where(monitors.c.key.in_(_KEYS))
_TOUCH = (
    update(slos)
    .where(or_(slos.c.monitor_key.in_(_KEYS), and_(slos.c.monitor_key.is_(None), slos.c.team_id.in_(_TEAMS))))
    .values(touched=slos.c.touched + 1, due_at=bindparam("now", type_=BigInteger))
)
_OF_CONFIG = Prepared(
    select(slos, monitors.c.id.label("monitor_id"))
    .join(monitors, monitors.c.key == slos.c.monitor_key)
    .where(
        slos.c.team_id == bindparam("team"), slos.c.of_config, slos.c.monitor_key.in_(bindparam("keys", expanding=True))
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One objective, over a monitor or over all that have the tags.

    `alerting` holds the pairs of burn rates, `notify` ids of channels; `of_config` follows the monitor's `sla`.
    """

    id: str
    team_id: str
    monitor_key: int | None
    monitor_id: str | None
    of_config: bool
    name: str
    tags: tuple[str, ...]
    kind: Kind
    objective_pct: float
    latency_threshold_ms: int | None
    window: Window
    timezone: str
    alerting: Mapping[str, Mapping[str, Any] | None]
    notify: tuple[str, ...]
    course: Course
    due_at: int | None
    touched: int
    version: int = 1
    created_at: int
    updated_at: int

    @property
    def terms(self) -> Terms:
        return Terms(
            kind=self.kind,
            allowance=allowance_of(self.objective_pct),
            window=self.window,
            zone=ZoneInfo(self.timezone),
            pairs=pairs_of(self.alerting),
        )


def insert(connection: Connection, slo: Slo) -> None:
    """Stores a new objective, to be looked at at once."""
    connection.execute(
        slos.insert().values(
            id=slo.id,
            team_id=slo.team_id,
            monitor_key=slo.monitor_key,
            of_config=slo.of_config,
            touched=0,
            created_at=slo.created_at,
            **_changing_columns(slo),
        )
    )


def save(connection: Connection, slo: Slo) -> None:
    """Stores what people may change of it; it is looked at anew."""
    connection.execute(
        update(slos)
        .where(slos.c.team_id == slo.team_id, slos.c.id == slo.id)
        .values(touched=slos.c.touched + 1, **_changing_columns(slo))
    )


def remove(connection: Connection, team_id: str, slo_id: str) -> None:
    connection.execute(delete(slos).where(slos.c.team_id == team_id, slos.c.id == slo_id))


def remove_of_monitor(connection: Connection, team_id: str, monitor_key: int) -> None:
    """The monitor is gone, and with it what was promised of it alone."""
    connection.execute(delete(slos).where(slos.c.team_id == team_id, slos.c.monitor_key == monitor_key))


def get(connection: Connection, team_id: str, slo_id: str) -> Slo | None:
    return _first(connection, _query().where(slos.c.team_id == team_id, slos.c.id == slo_id))


def get_to_change(connection: Connection, team_id: str, slo_id: str) -> Slo | None:
    """The same, and nobody else changes it before the transaction ends."""
    query = _query().where(slos.c.team_id == team_id, slos.c.id == slo_id)
    return _first(connection, query.with_for_update(of=slos))


def of_config_to_change(connection: Connection, team_id: str, monitor_key: int) -> Slo | None:
    """The objective that the monitor's own configuration makes, held in the same way."""
    query = _query().where(slos.c.team_id == team_id, slos.c.of_config, slos.c.monitor_key == monitor_key)
    return _first(connection, query.with_for_update(of=slos))


def exists(connection: Connection, slo_id: str) -> bool:
    """Whether any team has an objective with the id."""
    return connection.scalar(select(slos.c.id).where(slos.c.id == slo_id)) is not None


def page(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Slo]:
    """Up to `limit` objectives by (created_at, id), from behind the key `after`."""
    query = page_of(
        _query().where(slos.c.team_id == team_id),
        slos.c.created_at,
        slos.c.id,
        after=after,
        descending=descending,
        limit=limit,
    )
    return [_slo(row) for row in connection.execute(query)]


def count(connection: Connection, team_id: str) -> int:
    return connection.scalar(select(func.count()).select_from(slos).where(slos.c.team_id == team_id)) or 0


def of_configs(connection: Connection, team_id: str, monitor_keys: Collection[int]) -> dict[int, Slo]:
    """The objective that each monitor's own configuration makes; one without is missing."""
    rows = _OF_CONFIG.rows(connection, team=team_id, keys=list(monitor_keys))
    return {row.monitor_key: _slo(row) for row in rows}


def next_due_at(connection: Connection) -> int | None:
    """When the first of all has to be looked at (ms), perhaps long ago; None when nothing waits."""
    due: int | None = connection.scalar(select(func.min(slos.c.due_at)))
    return due


def due(connection: Connection, now: int, limit: int) -> list[Slo]:
    """Those that have to be looked at, the one that waits for the longest time first; of all teams."""
    return [
        _slo(row)
        for row in connection.execute(_query().where(slos.c.due_at <= now).order_by(slos.c.due_at).limit(limit))
    ]


def settle(connection: Connection, slo: Slo, course: Course, due_at: int | None) -> bool:
    """Keeps what a look has found, unless something has happened since `slo` was read; answers whether it did."""
    kept = connection.execute(
        update(slos)
        .where(slos.c.team_id == slo.team_id, slos.c.id == slo.id, slos.c.touched == slo.touched)
        .values(
            breached_at=course.breached_at,
            told_for=course.told_for,
            burning=course.burning,
            due_at=due_at,
            touched=slos.c.touched + 1,
        )
    )
    return kept.rowcount == 1


def put_off(connection: Connection, *, team_id: str, slo_id: str, until: int) -> None:
    """The objective is looked at then, and not before."""
    connection.execute(update(slos).where(slos.c.team_id == team_id, slos.c.id == slo_id).values(due_at=until))


def touch(connection: Connection, monitor_key: int, now: int) -> None:
    """What held of a monitor is another now: everything that was promised of it is looked at at once."""
    touch_all(connection, [monitor_key], now)


def touch_all(connection: Connection, monitor_keys: Collection[int], now: int) -> None:
    """The same for some monitors."""
    connection.execute(_TOUCH, {"keys": list(monitor_keys), "now": now})


def names_channel(connection: Connection, team_id: str, channel_id: str) -> list[str]:
    """The names of the team's objectives that tell the channel."""
    query = select(slos.c.name).where(slos.c.team_id == team_id, slos.c.promise.contains(channel_id, autoescape=True))
    return sorted(connection.scalars(query))


def _query() -> Select[Any]:
    return select(slos, monitors.c.id.label("monitor_id")).outerjoin(monitors, monitors.c.key == slos.c.monitor_key)


def _first(connection: Connection, query: Select[Any]) -> Slo | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    return None if row is None else _slo(row)


def _changing_columns(slo: Slo) -> dict[str, Any]:
    promise = {
        "tags": slo.tags,
        "kind": slo.kind.value,
        "objective_pct": slo.objective_pct,
        "latency_threshold_ms": slo.latency_threshold_ms,
        "window": slo.window.value,
        "timezone": slo.timezone,
        "alerting": slo.alerting,
        "notify": slo.notify,
    }
    return {
        "name": slo.name,
        "promise": json.dumps(promise, ensure_ascii=False),
        "breached_at": slo.course.breached_at,
        "told_for": slo.course.told_for,
        "burning": slo.course.burning,
        "due_at": slo.updated_at,
        "version": slo.version,
        "updated_at": slo.updated_at,
    }


def _slo(row: Row[Any]) -> Slo:
    promise = json.loads(row.promise)
    return Slo(
        id=row.id,
        team_id=row.team_id,
        monitor_key=row.monitor_key,
        monitor_id=row.monitor_id,
        of_config=bool(row.of_config),
        name=row.name,
        tags=tuple(promise["tags"]),
        kind=Kind(promise["kind"]),
        objective_pct=promise["objective_pct"],
        latency_threshold_ms=promise["latency_threshold_ms"],
        window=Window(promise["window"]),
        timezone=promise["timezone"],
        alerting=promise["alerting"],
        notify=tuple(promise["notify"]),
        course=Course(breached_at=row.breached_at, told_for=row.told_for, burning=row.burning),
        due_at=row.due_at,
        touched=row.touched,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
