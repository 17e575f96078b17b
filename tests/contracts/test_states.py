"""What was decided, in storage, on every database: states, standings, back-dated intervals, holes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from statuspulse.domain.health import Health, Position, Reason, Standing, State
from statuspulse.domain.uptime import Interval, Span
from statuspulse.storage import states
from statuspulse.storage.database import Database
from statuspulse.storage.schema import transitions
from statuspulse.storage.states import MonitorState, Transition
from tests.contracts.ground import BORN, Ground, lay


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def a_transition(state: State, changed_at: int, first_observed_at: int) -> Transition:
    return Transition(
        state=state,
        previous_state=State.PENDING,
        health=Health(state.value),
        previous_health=Health.PENDING,
        changed_at=changed_at,
        first_observed_at=first_observed_at,
        reason=Reason.PROBE_RESULT,
        evidence=[{"region": "local", "failure": "Zeitüberschreitung"}],
        incident_id="inc_00000001",
    )


def history(ground: Ground, start: int, end: int) -> list[tuple[int, int, str]]:
    found = ground.read(lambda connection: states.intervals_between(connection, ground.monitor, start, end))
    return [(interval.start, interval.end, interval.state.value) for interval in found]


def cut(ground: Ground, *cuts: tuple[int, State]) -> None:
    def work(connection: Connection) -> None:
        for start, state in cuts:
            states.cut_intervals(connection, ground.monitor, start, state)

    ground.write(work)


def test_a_new_monitor_is_pending_since_its_birth(ground: Ground) -> None:
    state = ground.read(lambda connection: states.state_of(connection, ground.monitor))
    assert state == MonitorState(health=Health.PENDING, state=State.PENDING, since=BORN, seq=0, votes_from=BORN)
    assert history(ground, 0, 20_000) == [(BORN, 20_000, "pending")]


def test_a_state_is_read_as_it_was_saved(ground: Ground) -> None:
    saved = MonitorState(health=Health.DOWN, state=State.PAUSED, since=1 << 41, seq=9, votes_from=(1 << 41) + 1)
    ground.write(lambda connection: states.save_state(connection, ground.monitor, saved))
    assert saved == ground.read(lambda connection: states.state_of(connection, ground.monitor))
    assert ground.read(lambda connection: states.state_of(connection, ground.neighbour)).seq == 0


def test_standings_are_replaced_and_dropped(ground: Ground) -> None:
    failing = Standing(position=Position.FAILING, fail_streak=2, first_fail_at=5000)
    passing = Standing(position=Position.PASSING, ok_streak=1, first_ok_at=1 << 41)

    def work(connection: Connection) -> None:
        states.save_standings(
            connection,
            {
                (ground.monitor, ground.here): failing,
                (ground.monitor, ground.there): passing,
                (ground.neighbour, ground.here): failing,
            },
        )
        states.save_standings(connection, {(ground.monitor, ground.here): passing})
        states.save_standings(connection, {})

    ground.write(work)
    keys = [ground.monitor, ground.neighbour]
    assert ground.read(lambda connection: states.standings_by_monitor(connection, keys)) == {
        ground.monitor: {ground.here: passing, ground.there: passing},
        ground.neighbour: {ground.here: failing},
    }
    ground.write(lambda connection: states.drop_standings(connection, ground.monitor))
    assert ground.read(lambda connection: states.standings_of(connection, ground.monitor)) == {}
    assert ground.read(lambda connection: states.standings_of(connection, ground.neighbour)) == {ground.here: failing}


def test_a_transition_is_recorded_and_cuts_where_it_began(ground: Ground) -> None:
    def work(connection: Connection) -> None:
        states.record(connection, ground.monitor, 1, a_transition(State.UP, 12_000, 11_000))
        states.record(connection, ground.monitor, 2, a_transition(State.DOWN, 31_600, 20_000))

    ground.write(work)
    assert history(ground, 0, 40_000) == [
        (BORN, 11_000, "pending"),
        (11_000, 20_000, "up"),
        (20_000, 40_000, "down"),
    ]
    assert ground.read(lambda connection: states.current_since(connection, ground.monitor)) == 20_000
    row = ground.read(
        lambda connection: connection.execute(select(transitions).where(transitions.c.state_seq == 2)).one()
    )
    assert (row.state, row.reason, row.changed_at, row.first_observed_at, row.incident_id) == (
        "down",
        "probe_result",
        31_600,
        20_000,
        "inc_00000001",
    )
    assert "Zeitüberschreitung" in row.evidence


def test_one_change_is_recorded_once(ground: Ground) -> None:
    ground.write(lambda connection: states.record(connection, ground.monitor, 1, a_transition(State.UP, 12, 11)))
    with pytest.raises(IntegrityError):
        ground.write(lambda connection: states.record(connection, ground.monitor, 1, a_transition(State.DOWN, 13, 13)))


def test_a_back_dated_state_takes_the_place_of_what_began_later(ground: Ground) -> None:
    """The worked example: partial since 0, then down since 0, partial from 60 and up from 60.5."""
    cut(ground, (11_000, State.UP), (20_000, State.DEGRADED), (20_000, State.DOWN))
    assert history(ground, 0, 30_000)[1:] == [(11_000, 20_000, "up"), (20_000, 30_000, "down")]
    cut(ground, (80_000, State.DEGRADED), (80_500, State.UP), (79_000, State.DOWN))
    assert history(ground, 0, 90_000)[2:] == [(20_000, 79_000, "down"), (79_000, 90_000, "down")]
    cut(ground, (15_000, State.UNKNOWN))
    assert history(ground, 0, 90_000) == [
        (BORN, 11_000, "pending"),
        (11_000, 15_000, "up"),
        (15_000, 90_000, "unknown"),
    ]


def test_intervals_are_those_that_touch_the_window(ground: Ground) -> None:
    cut(ground, (20_000, State.UP), (30_000, State.DOWN))
    assert history(ground, 20_000, 30_000) == [(20_000, 30_000, "up")]
    assert history(ground, 19_999, 30_001) == [
        (BORN, 20_000, "pending"),
        (20_000, 30_000, "up"),
        (30_000, 30_001, "down"),
    ]
    assert history(ground, 0, BORN) == []
    both = ground.read(
        lambda connection: states.intervals_by_monitor(connection, [ground.monitor, ground.neighbour], 0, 40_000)
    )
    assert both[ground.neighbour] == [Interval(start=BORN, end=40_000, state=State.PENDING)]


def test_the_time_of_a_monitor_that_is_gone_ends(ground: Ground) -> None:
    cut(ground, (20_000, State.UP))
    ground.write(lambda connection: states.close_intervals(connection, ground.monitor, 25_000))
    assert history(ground, 0, 40_000) == [(BORN, 20_000, "pending"), (20_000, 25_000, "up")]
    with pytest.raises(LookupError):
        ground.read(lambda connection: states.current_since(connection, 999_999))


def test_holes_are_stored_once_and_found_where_they_touch(ground: Ground) -> None:
    early, late = Span(region=ground.here, start=1000, end=2000), Span(region=ground.there, start=3000, end=9000)

    def work(connection: Connection) -> None:
        states.add_unseen(connection, [(ground.monitor, early), (ground.monitor, late)])
        states.add_unseen(connection, [(ground.monitor, early)])
        states.add_unseen(connection, [(ground.neighbour, early)])
        states.add_unseen(connection, [])

    ground.write(work)

    def between(start: int, end: int) -> Any:
        return ground.read(lambda connection: states.unseen_between(connection, ground.monitor, start, end))

    assert sorted(between(0, 10_000), key=lambda span: span.start) == [early, late]
    assert between(2000, 3000) == []
    assert between(1999, 2500) == [early]
    assert between(8999, 8999 + 1) == [late]
