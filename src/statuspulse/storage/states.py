"""What was decided about a monitor: state, standings, transitions, the intervals and holes behind uptime."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, delete, select, update
from sqlalchemy.sql.elements import BindParameter

from statuspulse.domain.flapping import CALM, Flapping
from statuspulse.domain.health import Health, Position, Reason, Standing, State
from statuspulse.domain.uptime import Interval, Span
from statuspulse.storage import rewrites, slos
from statuspulse.storage.dialect import insert_or_ignore, upsert
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import monitor_states, standings, state_intervals, transitions, unseen_spans

# Built once: what a read or a change builds anew each time costs more than what it asks for.
_KEYS: BindParameter[int] = bindparam("keys", expanding=True)
_START, _END = bindparam("start", type_=BigInteger), bindparam("end", type_=BigInteger)
_STATE = Prepared(select(monitor_states).where(monitor_states.c.monitor_key == bindparam("key")))
_STANDINGS = Prepared(select(standings).where(standings.c.monitor_key.in_(_KEYS)))
_INTERVALS = Prepared(
    select(state_intervals)
    .where(
        state_intervals.c.monitor_key.in_(_KEYS),
        state_intervals.c.start_at < _END,
        (state_intervals.c.end_at.is_(None)) | (state_intervals.c.end_at > _START),
    )
    .order_by(state_intervals.c.monitor_key, state_intervals.c.start_at)
)
_UNSEEN = Prepared(
    select(unseen_spans).where(
        unseen_spans.c.monitor_key.in_(_KEYS), unseen_spans.c.start_at < _END, unseen_spans.c.end_at > _START
    )
)
_MINE, _CUT = state_intervals.c.monitor_key == bindparam("mine"), bindparam("cut", type_=BigInteger)
_NEWEST = Prepared(select(state_intervals.c.start_at).where(_MINE).order_by(state_intervals.c.start_at.desc()).limit(1))
_DROP_LATER = delete(state_intervals).where(_MINE, state_intervals.c.start_at >= _CUT)
_END_EARLIER = (
    update(state_intervals)
    .where(_MINE, (state_intervals.c.end_at.is_(None)) | (state_intervals.c.end_at > _CUT))
    .values(end_at=_CUT)
)
_BEGIN = state_intervals.insert()
_SAVE = (
    update(monitor_states)
    .where(monitor_states.c.monitor_key == bindparam("mine"))
    .values({column.name: bindparam(f"new_{column.name}") for column in monitor_states.c if not column.primary_key})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorState:
    """The health that was decided and the state that people see; votes older than `votes_from` do not count.

    `window_id` is the maintenance window that the state is due to; `untold` is an outage that one has kept back.
    """

    health: Health
    state: State
    since: int
    seq: int
    votes_from: int
    flapping: Flapping = CALM
    window_id: str | None = None
    untold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of state with the evidence that led to it."""

    state: State
    previous_state: State
    health: Health
    previous_health: Health
    changed_at: int
    first_observed_at: int
    reason: Reason
    evidence: list[dict[str, Any]]
    incident_id: str | None = None
    window_id: str | None = None

    @property
    def ground(self) -> State:
        """What uptime is made of: a maintenance window lies over it and hides nothing."""
        return State.PAUSED if self.state is State.PAUSED else State(self.health.value)


def state_of(connection: Connection, monitor_key: int) -> MonitorState:
    return state_in(_STATE.rows(connection, key=monitor_key)[0])


def state_in(row: Row[Any]) -> MonitorState:
    """The state in a row that has the columns of the table, and perhaps others."""
    return MonitorState(
        health=Health(row.health),
        state=State(row.state),
        since=row.state_since,
        seq=row.state_seq,
        votes_from=row.votes_from,
        flapping=Flapping(score=row.flap_score, at=row.flap_score_at, since=row.flapping_since),
        window_id=row.window_id,
        untold=bool(row.untold),
    )


def standings_of(connection: Connection, monitor_key: int) -> dict[int, Standing]:
    """The standing of each region that has one, by region key."""
    return standings_by_monitor(connection, [monitor_key]).get(monitor_key, {})


def standings_by_monitor(connection: Connection, monitor_keys: Collection[int]) -> dict[int, dict[int, Standing]]:
    """The same for some monitors; one without any standing is missing."""
    found: dict[int, dict[int, Standing]] = {}
    for row in _STANDINGS.rows(connection, keys=list(monitor_keys)):
        found.setdefault(row.monitor_key, {})[row.region_key] = Standing(
            position=Position(row.standing),
            fail_streak=row.fail_streak,
            ok_streak=row.ok_streak,
            first_fail_at=row.first_fail_at,
            first_ok_at=row.first_ok_at,
        )
    return found


def begin(connection: Connection, monitor_key: int, state: MonitorState) -> None:
    """The first state of a new monitor."""
    connection.execute(monitor_states.insert(), {"monitor_key": monitor_key, **_columns(state)})
    interval = {"monitor_key": monitor_key, "start_at": state.since, "end_at": None, "state": state.state.value}
    connection.execute(state_intervals.insert(), interval)


def save_state(connection: Connection, monitor_key: int, state: MonitorState) -> None:
    save_all(connection, {monitor_key: state})


def save_all(connection: Connection, changed: Mapping[int, MonitorState]) -> None:
    """The same for many, by monitor key."""
    if not changed:
        return
    rows = [
        {"mine": key, **{f"new_{name}": value for name, value in _columns(state).items()}}
        for key, state in changed.items()
    ]
    connection.execute(_SAVE, rows)


def _columns(state: MonitorState) -> dict[str, Any]:
    return {
        "health": state.health.value,
        "state": state.state.value,
        "state_since": state.since,
        "state_seq": state.seq,
        "votes_from": state.votes_from,
        "flap_score": state.flapping.score,
        "flap_score_at": state.flapping.at,
        "flapping_since": state.flapping.since,
        "window_id": state.window_id,
        "untold": state.untold,
    }


def save_standings(connection: Connection, changed: Mapping[tuple[int, int], Standing]) -> None:
    """Stores standings by (monitor key, region key)."""
    if not changed:
        return
    statement = upsert(
        connection,
        standings,
        ("monitor_key", "region_key"),
        ("standing", "fail_streak", "ok_streak", "first_fail_at", "first_ok_at"),
    )
    connection.execute(
        statement,
        [
            {
                "monitor_key": monitor_key,
                "region_key": region_key,
                "standing": standing.position.value,
                "fail_streak": standing.fail_streak,
                "ok_streak": standing.ok_streak,
                "first_fail_at": standing.first_fail_at,
                "first_ok_at": standing.first_ok_at,
            }
            for (monitor_key, region_key), standing in changed.items()
        ],
    )


def drop_standings(connection: Connection, monitor_key: int) -> None:
    """Every region starts anew."""
    drop_all_standings(connection, [monitor_key])


def drop_all_standings(connection: Connection, monitor_keys: Collection[int]) -> None:
    """The same for some monitors."""
    connection.execute(delete(standings).where(standings.c.monitor_key.in_(monitor_keys)))


def record(connection: Connection, monitor_key: int, seq: int, transition: Transition) -> None:
    """Appends to the history and cuts the intervals where the new state began."""
    append(connection, [(monitor_key, seq, transition)])
    cut_intervals(connection, monitor_key, transition.first_observed_at, transition.ground)
    slos.touch(connection, monitor_key, transition.changed_at)


def append(connection: Connection, found: Sequence[tuple[int, int, Transition]]) -> None:
    """Appends transitions as (monitor key, number, transition) to the history alone."""
    rows = [
        {
            "monitor_key": monitor_key,
            "state_seq": seq,
            "state": transition.state.value,
            "previous_state": transition.previous_state.value,
            "health": transition.health.value,
            "previous_health": transition.previous_health.value,
            "changed_at": transition.changed_at,
            "first_observed_at": transition.first_observed_at,
            "reason": transition.reason.value,
            "evidence": json.dumps(transition.evidence, ensure_ascii=False),
            "incident_id": transition.incident_id,
            "window_id": transition.window_id,
        }
        for monitor_key, seq, transition in found
    ]
    if rows:
        connection.execute(transitions.insert(), rows)


def cut_intervals(connection: Connection, monitor_key: int, start: int, state: State) -> None:
    """From `start` on the state is this one: what began later is dropped, what reaches into it ends there."""
    rewrites.count(connection, [monitor_key])
    place = {"mine": monitor_key, "cut": start}
    connection.execute(_DROP_LATER, place)
    connection.execute(_END_EARLIER, place)
    row = {"monitor_key": monitor_key, "start_at": start, "end_at": None, "state": state.value}
    connection.execute(_BEGIN, row)


def close_intervals(connection: Connection, monitor_key: int, end: int) -> None:
    """The monitor is gone: its time ends."""
    rewrites.count(connection, [monitor_key])
    connection.execute(
        update(state_intervals)
        .where(state_intervals.c.monitor_key == monitor_key, state_intervals.c.end_at.is_(None))
        .values(end_at=end)
    )


def current_since(connection: Connection, monitor_key: int) -> int:
    """When the state of now began, back-dated part included."""
    found = _NEWEST.rows(connection, mine=monitor_key)
    if not found:
        raise LookupError(f"monitor {monitor_key} has no state interval")
    start: int = found[0].start_at
    return start


def intervals_between(connection: Connection, monitor_key: int, start: int, end: int) -> list[Interval]:
    """The intervals that touch [start, end), ascending; the open one is cut at `end`."""
    return intervals_by_monitor(connection, [monitor_key], start, end).get(monitor_key, [])


def intervals_by_monitor(
    connection: Connection, monitor_keys: Collection[int], start: int, end: int
) -> dict[int, list[Interval]]:
    """The same for some monitors; one that has none is missing."""
    found: dict[int, list[Interval]] = {}
    for row in _INTERVALS.rows(connection, keys=list(monitor_keys), start=start, end=end):
        until = end if row.end_at is None else min(row.end_at, end)
        interval = Interval(start=row.start_at, end=until, state=State(row.state))
        found.setdefault(row.monitor_key, []).append(interval)
    return found


def add_unseen(connection: Connection, spans: Iterable[tuple[int, Span]]) -> None:
    """Stores holes as (monitor key, span)."""
    rows = [
        {"monitor_key": key, "region_key": span.region, "start_at": span.start, "end_at": span.end}
        for key, span in spans
    ]
    if rows:
        connection.execute(insert_or_ignore(connection, unseen_spans), rows)
        rewrites.count(connection, [row["monitor_key"] for row in rows])


def unseen_between(connection: Connection, monitor_key: int, start: int, end: int) -> list[Span]:
    """The holes of all regions that touch [start, end)."""
    return unseen_by_monitor(connection, [monitor_key], start, end).get(monitor_key, [])


def unseen_by_monitor(
    connection: Connection, monitor_keys: Collection[int], start: int, end: int
) -> dict[int, list[Span]]:
    """The same for some monitors; one that has none is missing."""
    found: dict[int, list[Span]] = {}
    for row in _UNSEEN.rows(connection, keys=list(monitor_keys), start=start, end=end):
        span = Span(region=row.region_key, start=row.start_at, end=row.end_at)
        found.setdefault(row.monitor_key, []).append(span)
    return found
