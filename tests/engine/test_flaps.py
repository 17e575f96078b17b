"""A monitor that flaps: people hear that it does and when it has settled, and of no single change between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from statuspulse.delivery.wording import headline, summary
from statuspulse.domain.health import Health, State
from statuspulse.domain.incident import IncidentState, Move
from statuspulse.domain.message import Facts, Message
from statuspulse.domain.times import MINUTE, SECOND
from statuspulse.engine.flaps import FlapWatch
from statuspulse.engine.incidents import change
from statuspulse.engine.watchlist import Watchlist
from statuspulse.storage.schema import outbox
from tests.engine.world import OPS, REFUSED, START, World, result


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def a_monitor(world: World) -> str:
    return world.monitor(interval_seconds=30, failure_threshold=1, recovery_threshold=1)


def swing(world: World, monitor: str, *, until: int, begin: int = 0) -> None:
    """Good for a minute, bad for a minute, and so on, with a check every 30 s."""
    for second in range(begin, until, 30):
        world.see(result(monitor, at(second), REFUSED if second // 60 % 2 else None))


def settle(world: World, now: int) -> int:
    watch = FlapWatch(world.watchlist)
    ended: int = world.write(lambda connection: watch.sweep(connection, now))
    return ended


def headlines(world: World) -> list[str]:
    query = select(outbox.c.body).order_by(outbox.c.id)
    bodies = world.database.read_now(lambda connection: [row.body for row in connection.execute(query)])
    return [headline(Message.of(msg)) for msg in map(_read, bodies)]


def _read(body: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(body)
    return document


def is_flapping(world: World, monitor: str) -> bool:
    return world.state(monitor).flapping.is_on


def test_the_fourth_change_is_told_as_flapping_and_those_after_it_not_at_all(world: World) -> None:
    monitor = a_monitor(world)
    swing(world, monitor, until=240)
    assert not is_flapping(world, monitor)
    swing(world, monitor, begin=240, until=600)
    assert is_flapping(world, monitor)
    assert headlines(world) == ["DOWN: Shop", "UP: Shop", "DOWN: Shop", "FLAPPING: Shop"]
    assert [action for action, _ in world.owed()] == ["trigger", "resolve", "trigger", "update"]
    [incident] = world.incidents()
    assert incident.state is IncidentState.TRIGGERED
    assert world.transitions(monitor)[-1].health == "down"


def test_history_and_uptime_go_on_while_messages_are_muted(world: World) -> None:
    monitor = a_monitor(world)
    swing(world, monitor, until=600)
    states = [(state, (end - start) / SECOND) for state, start, end in world.history(monitor, at(600))]
    assert states == [(State.UP, 60), (State.DOWN, 60)] * 5


@pytest.mark.parametrize("restarts", [False, True])
def test_what_has_settled_well_is_resolved_once(world: World, *, restarts: bool) -> None:
    monitor = a_monitor(world)
    swing(world, monitor, until=330)  # up again at 240, down at 300
    for second in range(330, 1500, 30):
        world.see(result(monitor, at(second)))
    if restarts:
        world.restart()
        assert settle(world, at(600)) == 0
    assert world.incidents()[0].state is IncidentState.TRIGGERED
    ends_at = world.state(monitor).flapping.ends_at(30 * SECOND)
    assert ends_at is not None
    assert settle(world, ends_at - 1) == 0
    assert settle(world, ends_at) == 1
    assert settle(world, ends_at + MINUTE) == 0
    assert not is_flapping(world, monitor)
    [incident] = world.incidents()
    assert (incident.state, incident.resolve_reason) == (IncidentState.RESOLVED, "recovered")
    assert headlines(world)[3:] == ["FLAPPING: Shop", "UP: Shop"]


def test_what_has_settled_down_is_told_as_down(world: World) -> None:
    monitor = a_monitor(world)
    swing(world, monitor, until=300)
    for second in range(300, 1500, 30):
        world.see(result(monitor, at(second), REFUSED))
    assert settle(world, at(1500)) == 1
    assert headlines(world)[3:] == ["FLAPPING: Shop", "DOWN: Shop"]
    assert world.incidents()[0].state is IncidentState.TRIGGERED
    query = select(outbox.c.body).order_by(outbox.c.id.desc()).limit(1)
    body = world.database.read_now(lambda connection: connection.scalar(query))
    assert "it has settled" in summary(Message.of(_read(str(body))))
    # From now on every change is told again.
    world.see(result(monitor, at(1500)))
    assert headlines(world)[5:] == ["UP: Shop"]


def test_sight_that_is_lost_and_returns_while_it_flaps_resolves_nothing(world: World) -> None:
    monitor = a_monitor(world)
    swing(world, monitor, until=300)
    assert world.sweep(at(420)) == 1
    world.see(result(monitor, at(425)))
    assert world.state(monitor).health is Health.UP
    assert world.incidents()[0].state is IncidentState.TRIGGERED
    assert settle(world, at(3000)) == 1
    assert world.incidents()[0].state is IncidentState.RESOLVED


def test_a_new_incident_of_a_flapping_monitor_is_told(world: World) -> None:
    """Somebody resolved the one before by hand: that it fails again is news, whatever the monitor does."""
    monitor = a_monitor(world)
    swing(world, monitor, until=300)
    [open_one] = world.incidents()
    world.write(lambda connection: change(connection, open_one, Move.RESOLVE, OPS, at(275), facts=Facts()))
    world.see(result(monitor, at(300), REFUSED))
    assert [action for action, _ in world.owed()][4:] == ["resolve", "trigger"]
    assert headlines(world)[-1] == "FLAPPING: Shop"
    assert [incident.state for incident in world.incidents()] == [IncidentState.RESOLVED, IncidentState.TRIGGERED]


def test_a_pause_ends_the_flapping(world: World) -> None:
    monitor = a_monitor(world)
    swing(world, monitor, until=300)
    world.pause(monitor, at(301))
    assert not is_flapping(world, monitor)
    world.resume(monitor, at(302))
    world.see(result(monitor, at(310), REFUSED, version=3))
    assert settle(world, at(3000)) == 0
    assert headlines(world)[-1] == "DOWN: Shop"


def test_without_damping_it_is_marked_and_everything_is_told(world: World) -> None:
    world.watchlist = Watchlist(mutes_flapping=False)
    monitor = a_monitor(world)
    swing(world, monitor, until=600)
    assert is_flapping(world, monitor)
    assert headlines(world) == ["DOWN: Shop", "UP: Shop"] * 4 + ["DOWN: Shop"]
    for second in range(600, 2000, 30):
        world.see(result(monitor, at(second), REFUSED))
    assert settle(world, at(2000)) == 1
    assert not is_flapping(world, monitor)
    assert len(headlines(world)) == 9
