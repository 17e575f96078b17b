"""Maintenance windows: rows with a due time, what holds at an instant, and what has really been covered."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, bindparam, func, or_, select, true, update
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from statuspulse.domain.maintenance import Occurrence, Plan, Status, Stretch, Switches, covers
from statuspulse.storage import rewrites, slos
from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.keyset import page_of
from statuspulse.storage.monitors import Monitor, monitor_of
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import maintenance_spans as spans
from statuspulse.storage.schema import maintenance_windows as windows
from statuspulse.storage.schema import monitors

_NOW = bindparam("now", type_=BigInteger)
_TEAM: BindParameter[str] = bindparam("team")
_HOLDS = (windows.c.team_id == _TEAM) & (windows.c.starts_at <= _NOW) & (windows.c.ends_at > _NOW)
_GOES_ON = (
    (windows.c.team_id == _TEAM)
    & windows.c.due_at.is_not(None)
    & windows.c.cancelled_at.is_(None)
    & windows.c.ended_at.is_(None)
)
_IS_SHARED = windows.c.monitor_key.is_(None)
_IS_OWN = windows.c.monitor_key.in_(bindparam("keys", expanding=True))
_SHARED, _OWN = Prepared(select(windows).where(_HOLDS, _IS_SHARED)), Prepared(select(windows).where(_HOLDS, _IS_OWN))
_PLANNED = Prepared(select(windows).where(_GOES_ON, _IS_SHARED))
_OWN_PLANNED = Prepared(select(windows).where(_GOES_ON, _IS_OWN))
_OPEN = Prepared(
    select(spans).where(spans.c.monitor_key.in_(bindparam("keys", expanding=True)), spans.c.is_open.is_(True))
)
_TOUCHING = Prepared(
    select(spans)
    .where(
        spans.c.monitor_key.in_(bindparam("keys", expanding=True)),
        spans.c.start_at < bindparam("end", type_=BigInteger),
        spans.c.end_at > bindparam("start", type_=BigInteger),
    )
    .order_by(spans.c.monitor_key, spans.c.start_at)
)
_NEXT_DUE = Prepared(select(func.min(windows.c.due_at).label("due_at")))
_BATCH = 200


class Phase(StrEnum):
    """How far a window is with its edges; what holds follows from its instants alone."""

    WAITING = "waiting"
    STARTING = "starting"
    ACTIVE = "active"
    ENDING = "ending"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window. `plan` holds the members of the API, `valid_from` (ms or null) and `cut` {planned: end}. What
    it means since an edit of the occurrence that holds, it means from `joined_at` (ms or null) on.

    `occurrence` holds or comes next, None when none is left. One with a `monitor_key` is a part of that monitor.
    """

    id: str
    team_id: str
    name: str
    plan: dict[str, Any] = field(repr=False)
    monitor_key: int | None = None
    occurrence: Occurrence | None
    phase: Phase = Phase.WAITING
    place: int = 0
    due_at: int | None
    ended_at: int | None = None
    cancelled_at: int | None = None
    version: int = 1
    created_at: int
    updated_at: int

    @property
    def schedule(self) -> Plan:
        ends = [at for at in (self.ended_at, self.cancelled_at) if at is not None]
        return Plan.of(self.plan, min(ends, default=None))

    @property
    def switches(self) -> Switches:
        return Switches.of(self.plan)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will hold any more."""
        return self.cancelled_at is not None or self.ended_at is not None or self.phase is Phase.OVER

    def active_at(self, now: int) -> Occurrence | None:
        """The occurrence that holds."""
        one = self.occurrence
        return one if one is not None and one.holds_at(now) else None

    def status_at(self, now: int) -> Status:
        if self.active_at(now) is not None:
            return Status.ACTIVE
        if self.cancelled_at is not None:
            return Status.CANCELLED
        has_next = self.occurrence is not None and now < self.occurrence.start
        if self.ended_at is not None or not (has_next or self.follows(now)):
            return Status.ENDED
        return Status.SCHEDULED

    def follows(self, now: int) -> bool:
        """Whether another occurrence comes, where the one of the row is over and its end is not carried out yet."""
        return self.phase is not Phase.OVER and self.schedule.current_or_next(now) is not None

    def covers(self, monitor_key: int, monitor_id: str, config: Mapping[str, Any]) -> bool:
        """Whether the monitor is meant: by the selector, by a monitor that names the window, or as a part of it."""
        if self.monitor_key is not None:
            return self.monitor_key == monitor_key
        named = self.id in config["maintenance_windows"]
        return named or covers(self.plan["monitors"], monitor_id, config["tags"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredSpan:
    """A stretch in which a window covered a monitor, with its switches; where it `is_open` the end is planned."""

    monitor_key: int
    window_id: str
    start: int
    end: int
    switches: Switches
    is_open: bool


def insert(connection: Connection, window: Window) -> None:
    connection.execute(windows.insert().values(id=window.id, team_id=window.team_id, **_columns(window)))


def save(connection: Connection, window: Window) -> None:
    mine = (windows.c.team_id == window.team_id) & (windows.c.id == window.id)
    connection.execute(update(windows).where(mine).values(**_columns(window)))


def get(connection: Connection, team_id: str, window_id: str) -> Window | None:
    return _first(connection, select(windows).where(windows.c.team_id == team_id, windows.c.id == window_id))


def get_to_change(connection: Connection, team_id: str, window_id: str) -> Window | None:
    """The same, and nobody else changes it before the transaction ends."""
    query = select(windows).where(windows.c.team_id == team_id, windows.c.id == window_id)
    return _first(connection, query.with_for_update())


def exists(connection: Connection, window_id: str) -> bool:
    """Whether any team has a window with the id."""
    return connection.scalar(select(windows.c.id).where(windows.c.id == window_id)) is not None


def of_monitor(connection: Connection, team_id: str, monitor_key: int) -> list[Window]:
    """The windows that are a part of a monitor and not over, the oldest first."""
    query = select(windows).where(
        windows.c.team_id == team_id,
        windows.c.monitor_key == monitor_key,
        windows.c.cancelled_at.is_(None),
        windows.c.ended_at.is_(None),
    )
    return [_window(row) for row in connection.execute(query.order_by(windows.c.created_at, windows.c.id))]


def naming(connection: Connection, team_id: str, monitor_id: str) -> list[Window]:
    """The windows not over that name a monitor by its id; nobody else changes them before the transaction ends."""
    query = select(windows).where(
        windows.c.team_id == team_id,
        windows.c.due_at.is_not(None),
        windows.c.cancelled_at.is_(None),
        windows.c.ended_at.is_(None),
        windows.c.plan.contains(json.dumps(monitor_id), autoescape=True),
    )
    found = [_window(row) for row in connection.execute(query.order_by(windows.c.id).with_for_update())]
    return [window for window in found if monitor_id in window.plan["monitors"].get("ids", ())]


def joined(connection: Connection, team_id: str, window_ids: Collection[str]) -> dict[str, list[str]]:
    """The living monitors whose configuration names a window, by its id, the oldest first; one without is missing."""
    if not window_ids:
        return {}
    # A configuration is text in the database: what names any window is found there, which one is read here.
    query = select(monitors.c.id, monitors.c.config).where(
        monitors.c.team_id == team_id, monitors.c.deleted_at.is_(None), monitors.c.config.contains('"mwn_')
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(query.order_by(monitors.c.key)):
        for entry in json.loads(row.config)["maintenance_windows"]:
            if isinstance(entry, str) and entry in window_ids:
                found.setdefault(entry, []).append(row.id)
    return found


def listed(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool
) -> Iterator[Window]:
    """All windows by (created_at, id), from behind the key `after`, read as they are asked for."""
    while found := page(connection, team_id, after=after, descending=descending, limit=_BATCH):
        yield from found
        after = (found[-1].created_at, found[-1].id)


def page(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Window]:
    """Up to `limit` windows by (created_at, id), from behind the key `after`."""
    query = page_of(
        select(windows).where(windows.c.team_id == team_id),
        windows.c.created_at,
        windows.c.id,
        after=after,
        descending=descending,
        limit=limit,
    )
    return [_window(row) for row in connection.execute(query)]


# --- edges -----------------------------------------------------------------------------------------------


def next_due_at(connection: Connection) -> int | None:
    """When the first edge of all is due (ms), perhaps long ago; None when nothing is planned."""
    (row,) = _NEXT_DUE.rows(connection)
    due: int | None = row.due_at
    return due


def first_due(connection: Connection, now: int) -> Window | None:
    """The window whose edge waits for the longest time."""
    return _first(
        connection, select(windows).where(windows.c.due_at <= now).order_by(windows.c.due_at, windows.c.id).limit(1)
    )


def meant_monitors(connection: Connection, window: Window, behind: int, limit: int) -> list[Monitor]:
    """Up to `limit` living monitors that a window means, by key, from behind a key."""
    query = select(monitors).where(monitors.c.team_id == window.team_id, monitors.c.deleted_at.is_(None), _hint(window))
    size = min(_BATCH, limit)
    query = query.order_by(monitors.c.key).limit(size)
    found: list[Monitor] = []
    while True:
        rows = [monitor_of(row) for row in connection.execute(query.where(monitors.c.key > behind))]
        found += [one for one in rows if window.covers(one.key, one.id, one.config)]
        if len(found) >= limit or len(rows) < size:
            return found[:limit]
        behind = rows[-1].key


def in_force(connection: Connection, team_id: str, monitor_keys: Collection[int], now: int) -> list[Window]:
    """The windows of a team that hold at an instant, without those that are a part of other monitors."""
    rows = [*_SHARED.rows(connection, team=team_id, now=now)]
    if monitor_keys:
        rows += _OWN.rows(connection, team=team_id, now=now, keys=list(monitor_keys))
    return [_window(row) for row in rows]


def planned(connection: Connection, team_id: str, monitor_keys: Collection[int]) -> list[Window]:
    """The windows of a team of which something holds or will, without those that are a part of other monitors."""
    rows = [*_PLANNED.rows(connection, team=team_id)]
    if monitor_keys:
        rows += _OWN_PLANNED.rows(connection, team=team_id, keys=list(monitor_keys))
    return [_window(row) for row in rows]


# --- what was covered ------------------------------------------------------------------------------------


def open_spans(connection: Connection, monitor_keys: Collection[int]) -> dict[int, list[CoveredSpan]]:
    """What is covered by monitor key; one that is not is missing."""
    return _by_monitor(_OPEN.rows(connection, keys=list(monitor_keys)))


def spans_by_monitor(
    connection: Connection, monitor_keys: Collection[int], start: int, end: int
) -> dict[int, list[CoveredSpan]]:
    """The spans that touch [start, end) by monitor key; a monitor without any is missing."""
    return _by_monitor(_TOUCHING.rows(connection, keys=list(monitor_keys), start=start, end=end))


def excluded_by_monitor(
    connection: Connection, monitor_keys: Collection[int], start: int, end: int
) -> dict[int, list[Stretch]]:
    """The stretches that windows with `sla: exclude` have covered by monitor key, as they are: they may overlap."""
    found = spans_by_monitor(connection, monitor_keys, start, end)
    return {key: [(one.start, one.end) for one in some if one.switches.excludes] for key, some in found.items()}


def covered_stretches(connection: Connection, window_id: str, start: int, end: int) -> list[Stretch]:
    """When a window has covered anything in [start, end), each occurrence as one stretch, ascending."""
    query = select(spans.c.start_at, spans.c.end_at).where(
        spans.c.window_id == window_id, spans.c.start_at < end, spans.c.end_at > start
    )
    found: list[Stretch] = []
    for row in connection.execute(query.distinct().order_by(spans.c.start_at, spans.c.end_at)):
        # A monitor that joined later has a later start; an occurrence that follows at once is another one.
        if found and row.start_at < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], row.end_at))
        else:
            found.append((row.start_at, row.end_at))
    return found


def covered_keys(connection: Connection, window_id: str, behind: int, limit: int) -> list[int]:
    """Up to `limit` monitors that a window covers, by key, from behind a key."""
    query = (
        select(spans.c.monitor_key)
        .where(spans.c.window_id == window_id, spans.c.is_open.is_(True), spans.c.monitor_key > behind)
        .order_by(spans.c.monitor_key)
        .limit(limit)
    )
    return list(connection.scalars(query))


def add_spans(connection: Connection, found: Sequence[CoveredSpan], now: int) -> None:
    """Stores spans; one that is there already is left as it is."""
    rows = [
        {
            "monitor_key": one.monitor_key,
            "window_id": one.window_id,
            "start_at": one.start,
            "end_at": one.end,
            "is_open": one.is_open,
            **_switches(one.switches),
        }
        for one in found
    ]
    if rows:
        connection.execute(insert_or_ignore(connection, spans), rows)
        _note_change(connection, {one.monitor_key for one in found}, now)


def close_spans(connection: Connection, found: Collection[CoveredSpan], now: int) -> None:
    """Carries out the end of spans; one that would go on ends now."""
    rows = [
        {"its_key": one.monitor_key, "its_window": one.window_id, "its_start": one.start, "its_end": min(one.end, now)}
        for one in found
    ]
    if rows:
        statement = (
            update(spans)
            .where(
                spans.c.monitor_key == bindparam("its_key"),
                spans.c.window_id == bindparam("its_window"),
                spans.c.start_at == bindparam("its_start"),
            )
            .values(end_at=bindparam("its_end"), is_open=False)
        )
        connection.execute(statement, rows)
        _note_change(connection, {one.monitor_key for one in found}, now)


def change_open_spans(connection: Connection, window: Window, end: int, now: int) -> None:
    """The open spans of a window end then, and do what it does by now."""
    mine = (spans.c.window_id == window.id) & spans.c.is_open.is_(True)
    keys = list(connection.scalars(select(spans.c.monitor_key).where(mine)))
    connection.execute(update(spans).where(mine).values(end_at=end, **_switches(window.switches)))
    _note_change(connection, keys, now)


def _note_change(connection: Connection, monitor_keys: Collection[int], now: int) -> None:
    """What counts of the past of these monitors is another now."""
    rewrites.count(connection, monitor_keys)
    keys = sorted(monitor_keys)
    for place in range(0, len(keys), _BATCH):
        slos.touch_all(connection, keys[place : place + _BATCH], now)


def _switches(switches: Switches) -> dict[str, bool]:
    return {
        "rests": switches.rests,
        "mutes": switches.mutes,
        "excludes": switches.excludes,
        "holds": switches.holds,
    }


def _hint(window: Window) -> ColumnElement[bool]:
    """Finds the monitors that a window may mean; their configuration is text in the database."""
    if window.monitor_key is not None:
        return monitors.c.key == window.monitor_key
    selector = window.plan["monitors"]
    if selector.get("all"):
        return true()
    texts = [json.dumps(tag) for tag in selector.get("tags", ())] + [json.dumps(window.id)]
    named = [monitors.c.config.contains(text, autoescape=True) for text in texts]
    return or_(monitors.c.id.in_(selector.get("ids", ())), *named)


def _by_monitor(rows: Iterable[Row[Any]]) -> dict[int, list[CoveredSpan]]:
    found: dict[int, list[CoveredSpan]] = {}
    for row in rows:
        switches = Switches(
            rests=bool(row.rests), mutes=bool(row.mutes), excludes=bool(row.excludes), holds=bool(row.holds)
        )
        span = CoveredSpan(
            monitor_key=row.monitor_key,
            window_id=row.window_id,
            start=row.start_at,
            end=row.end_at,
            switches=switches,
            is_open=bool(row.is_open),
        )
        found.setdefault(row.monitor_key, []).append(span)
    return found


def _first(connection: Connection, query: Select[Any]) -> Window | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else _window(row)


def _columns(window: Window) -> dict[str, Any]:
    one = window.occurrence
    return {
        "monitor_key": window.monitor_key,
        "name": window.name,
        "plan": json.dumps(window.plan, ensure_ascii=False),
        "planned_at": None if one is None else one.planned,
        "starts_at": None if one is None else one.start,
        "ends_at": None if one is None else one.end,
        "phase": window.phase.value,
        "place": window.place,
        "due_at": window.due_at,
        "ended_at": window.ended_at,
        "cancelled_at": window.cancelled_at,
        "version": window.version,
        "created_at": window.created_at,
        "updated_at": window.updated_at,
    }


def _window(row: Any) -> Window:
    occurrence = None
    if row.planned_at is not None:
        occurrence = Occurrence(planned=row.planned_at, start=row.starts_at, end=row.ends_at)
    return Window(
        id=row.id,
        team_id=row.team_id,
        name=row.name,
        plan=json.loads(row.plan),
        monitor_key=row.monitor_key,
        occurrence=occurrence,
        phase=Phase(row.phase),
        place=row.place,
        due_at=row.due_at,
        ended_at=row.ended_at,
        cancelled_at=row.cancelled_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
