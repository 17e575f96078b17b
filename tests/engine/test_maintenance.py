"""Maintenance windows on virtual time: nobody is told inside, what is broken still is told once behind the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from statuspulse.bus.bus import Topic
from statuspulse.catalog import assignments, escalation_policies, maintenance
from statuspulse.catalog.maintenance import create
from statuspulse.domain.health import Health, State
from statuspulse.domain.times import HOUR, MINUTE, SECOND, to_text
from statuspulse.domain.waiting import next_step_at
from statuspulse.engine import holds
from statuspulse.engine.escalator import Escalator
from statuspulse.engine.maintenance_watch import MaintenanceWatch
from statuspulse.engine.sight import Sight, sights_of
from statuspulse.engine.timelines import timelines_of
from statuspulse.metrics import Metrics
from statuspulse.storage import incidents
from statuspulse.storage import maintenance as rows
from statuspulse.storage import monitors as stored
from statuspulse.storage.incidents import Incident
from statuspulse.storage.maintenance import Window
from statuspulse.storage.schema import events, outbox
from tests.engine.scene import Scene, Target
from tests.engine.world import World
from tests.virtual_time import START, WatchedDatabase, virtual_now

pytestmark = pytest.mark.virtual_time
INTERVAL = 10 * SECOND
# When the windows of these tests begin and end.
BEGIN, END = START + 5 * MINUTE, START + 15 * MINUTE


def a_world(tmp_path: Path, **members: Any) -> tuple[World, str]:
    world = World.begin(tmp_path, WatchedDatabase)
    return world, world.monitor(now=START, failure_threshold=3, recovery_threshold=2, tags=["prod"], **members)


def a_window(world: World, begin: int = BEGIN, end: int = END, **members: Any) -> Window:
    body = {
        "name": "Patching",
        "monitors": {"tags": ["prod"]},
        "starts_at": to_text(begin),
        "duration_seconds": (end - begin) // SECOND,
        **members,
    }
    window: Window = world.write(lambda connection: create(connection, world.change_at(START), body, may_backdate=True))
    return window


def a_scene(world: World, monitor: str, target: Target) -> Scene:
    return Scene(world=world, monitor=monitor, regions=["local"], interval=INTERVAL, target=target)


def broken_from(begin: int, end: int | None = None) -> Target:
    return lambda _region, at: at >= begin and (end is None or at < end)


async def until(at: int) -> None:
    await asyncio.sleep((at - virtual_now()) / SECOND)


def told(world: World, kind: str) -> list[Any]:
    """(type, timestamp, data) of the events of a kind."""
    query = select(events.c.type, events.c.at, events.c.body).where(events.c.type.startswith(kind))
    return world.database.read_now(lambda connection: list(connection.execute(query.order_by(events.c.seq))))


def sight(world: World, monitor: str) -> Sight:
    def look(connection: Any) -> Sight:
        found = stored.get(connection, world.team_id, monitor)
        assert found is not None
        state = stored.states(connection, [found.key])[found.key]
        return sights_of(connection, [(found, state)], virtual_now())[found.key]

    return world.database.read_now(look)


def seconds(world: World, monitor: str) -> dict[str, float]:
    """What the time since the beginning was, in seconds of each kind."""

    def look(connection: Any) -> dict[str, float]:
        found = stored.get(connection, world.team_id, monitor)
        assert found is not None
        shown = [(found, sight(world, monitor))]
        sums = timelines_of(connection, shown, START, virtual_now())[found.key].sums(START, virtual_now())
        assert sums.window == virtual_now() - START
        return {name: getattr(sums, name) / SECOND for name in ("up", "down", "unknown", "maintenance")}

    return world.database.read_now(look)


async def test_what_breaks_inside_is_told_once_behind_the_end_after_as_many_fresh_rounds(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    window = a_window(world)
    async with a_scene(world, monitor, broken_from(BEGIN + MINUTE)).running():
        await until(BEGIN - SECOND)
        assert sight(world, monitor).state.state is State.UP
        await until(BEGIN + 50)
        assert sight(world, monitor).state.state is State.MAINTENANCE
        await until(END - SECOND)
        state = world.state(monitor)
        assert (state.state, state.health, state.untold) == (State.MAINTENANCE, Health.DOWN, True)
        assert (world.incidents(), world.owed(), told(world, "incident.")) == ([], [], [])
        await until(END + 2 * INTERVAL)
        state = world.state(monitor)
        assert (state.state, state.health) == (State.DOWN, Health.DOWN)
        assert world.incidents() == []
        await until(END + 4 * INTERVAL)
        assert [incident.title for incident in world.incidents()] == ["Shop is down"]
        assert world.owed() == [("trigger", 1)]
        await until(END + 20 * INTERVAL)
        assert world.owed() == [("trigger", 1)]
        assert seconds(world, monitor)["maintenance"] == 600
        changes = [(row.state, row.health, row.reason, row.window_id) for row in world.transitions(monitor)]
    assert changes == [
        ("up", "up", "probe_result", None),
        ("maintenance", "up", "maintenance_started", window.id),
        ("maintenance", "down", "probe_result", window.id),
        ("down", "down", "maintenance_ended", window.id),
    ]
    assert [(row.type, row.at) for row in told(world, "maintenance.")] == [
        ("maintenance.scheduled", START),
        ("maintenance.started", BEGIN),
        ("maintenance.ended", END),
    ]
    world.database.close()


async def test_what_recovers_inside_is_never_told_of(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    a_window(world)
    async with a_scene(world, monitor, broken_from(BEGIN + MINUTE, END - 3 * MINUTE)).running():
        await until(END + 10 * MINUTE)
        assert (world.incidents(), world.owed()) == ([], [])
        assert world.state(monitor).state is State.UP
        found = seconds(world, monitor)
    assert (found["down"], found["maintenance"]) == (0, 600)
    world.database.close()


async def test_of_windows_that_overlap_the_stricter_switch_holds_as_long_as_either(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    a_window(world, BEGIN, END, alerting="deliver", sla="include", name="Loud")
    quiet = a_window(world, END - 5 * MINUTE, END + 5 * MINUTE, name="Quiet")
    async with a_scene(world, monitor, broken_from(END - 3 * MINUTE)).running():
        await until(END + MINUTE)
        state = world.state(monitor)
        assert (state.state, state.window_id) == (State.MAINTENANCE, quiet.id)
        await until(END + 5 * MINUTE - SECOND)
        assert world.owed() == []
        await until(END + 7 * MINUTE)
        assert world.owed() == [("trigger", 1)]
        # From the start of the quiet one on to its end.
        assert seconds(world, monitor)["maintenance"] == 600
        seen = [(row.state, row.reason) for row in world.transitions(monitor)]
    assert seen == [
        ("up", "probe_result"),
        ("maintenance", "maintenance_started"),
        ("maintenance", "probe_result"),
        ("down", "maintenance_ended"),
    ]
    world.database.close()


async def test_a_window_that_delivers_pages_at_once_and_shows_maintenance(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    a_window(world, alerting="deliver", sla="include")
    async with a_scene(world, monitor, broken_from(BEGIN + MINUTE)).running():
        await until(BEGIN + 3 * MINUTE)
        assert world.owed() == [("trigger", 1)]
        assert world.state(monitor).state is State.MAINTENANCE
        found = seconds(world, monitor)
    assert (found["maintenance"], found["down"] > 100) == (0, True)
    world.database.close()


async def test_a_restart_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    a_window(world)
    scene = a_scene(world, monitor, broken_from(BEGIN + MINUTE))
    async with scene.running():
        await until(BEGIN + 30 * SECOND)
        await scene.restart_engine()
        await until(BEGIN + 3 * MINUTE)
        await scene.restart_engine()
        await until(END + INTERVAL)
        await scene.restart_engine()
        await until(END + 10 * MINUTE)
    assert world.owed() == [("trigger", 1)]
    assert [(row.type, row.at) for row in told(world, "maintenance.")][1:] == [
        ("maintenance.started", BEGIN),
        ("maintenance.ended", END),
    ]
    world.database.close()


async def test_a_window_that_is_cancelled_while_it_is_active_ends_then(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    window = a_window(world)
    scene = a_scene(world, monitor, broken_from(BEGIN + MINUTE))
    async with scene.running():
        at = BEGIN + 4 * MINUTE
        await until(at)
        world.write(lambda connection: maintenance.cancel(connection, world.change_at(at), window.id))
        scene.bus.wake(Topic.CATALOG)
        assert sight(world, monitor).state.state is State.DOWN
        await asyncio.sleep(1)
        assert world.state(monitor).state is State.DOWN
        await until(at + 6 * INTERVAL)
        assert world.owed() == [("trigger", 1)]
        assert seconds(world, monitor)["maintenance"] == 240
    assert [row.type for row in told(world, "maintenance.")][1:] == ["maintenance.started", "maintenance.ended"]
    world.database.close()


async def test_an_outage_from_before_stands_still_and_goes_on_behind_the_end(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    own = {"type": "monitor_notifications"}
    policy = {"slug": "night", "name": "Night", "steps": [{"targets": [own]}, {"delay_seconds": 300, "targets": [own]}]}
    world.write(lambda connection: _policy(connection, world, policy))
    world.edit(monitor, START, escalation_policy="night")
    window = a_window(world)
    scene = a_scene(world, monitor, broken_from(BEGIN - 2 * MINUTE))
    escalator = Escalator(world.database, scene.bus, Metrics(), now=virtual_now)
    async with scene.running():
        running = asyncio.get_running_loop().create_task(escalator.run())
        await until(BEGIN - SECOND)
        (incident,) = world.incidents()
        due = incident.escalation.progress.next_at
        assert due is not None
        world.write(lambda connection: connection.execute(outbox.update().values(state="delivered")))
        assert BEGIN < due < END
        await until(END - SECOND)
        assert len(world.owed()) == 1
        (incident,) = world.incidents()
        held = holds.document(incident)
        assert held is not None
        assert (held["reason"], held["maintenance_window_id"], held["until"]) == (
            "maintenance",
            window.id,
            to_text(END),
        )
        assert next_step_at(incident.escalation) == pytest.approx(due + END - BEGIN, abs=SECOND)
        await until(due + END - BEGIN - 2 * SECOND)
        (released,) = world.incidents()
        assert (holds.document(released), released.version) == (None, incident.version + 1)
        assert [one["held"] and one["held"]["reason"] for one in held_entries(world, incident)] == ["maintenance", None]
        assert len(world.owed()) == 1
        await until(due + END - BEGIN + 2 * SECOND)
        assert len(world.owed()) == 2
        assert len(world.incidents()) == 1
        running.cancel()
    world.database.close()


async def test_another_end_of_a_window_is_what_a_held_incident_tells(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    window = a_window(world)
    scene = a_scene(world, monitor, broken_from(BEGIN - 2 * MINUTE))
    change = world.change_at(BEGIN + MINUTE)
    async with scene.running():
        await until(BEGIN + MINUTE)
        world.write(lambda connection: maintenance.update(connection, change, window.id, {"duration_seconds": 300}))
        await until(BEGIN + MINUTE + 2 * SECOND)
        held = holds.document(world.incidents()[0])
        assert held is not None
        assert held["until"] == to_text(BEGIN + 300 * SECOND)
        await until(BEGIN + 302 * SECOND)
        assert holds.document(world.incidents()[0]) is None
    world.database.close()


async def test_a_window_that_holds_nothing_any_more_lets_go_at_once(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    window = a_window(world)
    scene = a_scene(world, monitor, broken_from(BEGIN - 2 * MINUTE))
    change = world.change_at(BEGIN + MINUTE)
    async with scene.running():
        await until(BEGIN + MINUTE)
        world.write(
            lambda connection: maintenance.update(connection, change, window.id, {"open_incidents": "continue"})
        )
        await until(BEGIN + MINUTE + 2 * SECOND)
        assert world.incidents()[0].escalation.freeze is None
    world.database.close()


def held_entries(world: World, incident: Incident) -> list[dict[str, Any]]:
    page = world.database.read_now(
        lambda connection: incidents.timeline_page(connection, incident.id, after=0, limit=50)
    )
    return [entry.detail for _, entry in page if "held" in entry.detail]


def _policy(connection: Any, world: World, policy: dict[str, Any]) -> Any:
    return escalation_policies.create(connection, world.change_at(START), policy)


async def test_probes_leave_a_monitor_alone_whose_window_pauses_them(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    a_window(world, probing="pause")

    def assigned() -> list[str]:
        found = world.database.read_now(
            lambda connection: assignments.assigned(connection, world.instance.keyring, "local", None)
        )
        assert found is not None
        return [one.monitor_id for one in found.monitors]

    scene = a_scene(world, monitor, broken_from(END + HOUR))
    async with scene.running():
        await until(BEGIN - 2 * SECOND)
        scene.deaf.add("local")  # as the probe does that is told; a look across the edge would be one that counts
        await until(BEGIN - SECOND)
        assert assigned() == [monitor]
        await until(BEGIN + SECOND)
        assert assigned() == []
        state = world.state(monitor)
        assert (state.state, state.health) == (State.MAINTENANCE, Health.UNKNOWN)
        await until(END + SECOND)
        scene.deaf.clear()
        assert assigned() == [monitor]
        assert world.state(monitor).state is State.UNKNOWN
        await until(END + 2 * MINUTE)
        assert world.state(monitor).state is State.UP
        found = seconds(world, monitor)
    assert found["maintenance"] == 600
    assert found["unknown"] < 25  # up to the first check of all, and to the first behind the window
    assert world.owed() == []
    world.database.close()


async def test_a_window_that_is_made_for_the_past_takes_its_time_out_of_uptime(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    scene = a_scene(world, monitor, broken_from(START + MINUTE, START + 6 * MINUTE))
    async with scene.running():
        await until(START + 20 * MINUTE)
        before = seconds(world, monitor)
        body = {
            "name": "It was planned",
            "monitors": {"ids": [monitor]},
            "starts_at": to_text(START + MINUTE),
            "duration_seconds": 420,
            "backdate": True,
        }
        now = virtual_now()
        world.write(lambda connection: create(connection, world.change_at(now), body, may_backdate=True))
        scene.bus.wake(Topic.CATALOG)
        await asyncio.sleep(1)
        after = seconds(world, monitor)
        assert world.state(monitor).state is State.UP
    assert before["down"] > 250
    assert (after["down"], after["maintenance"]) == (0, 420)
    world.database.close()


async def test_a_monitor_that_gets_the_tag_is_covered_from_then_on(tmp_path: Path, now: Callable[[], int]) -> None:
    world, monitor = a_world(tmp_path)
    world.edit(monitor, START, tags=[])
    a_window(world)
    async with a_scene(world, monitor, broken_from(END + HOUR)).running():
        await until(BEGIN + 2 * MINUTE)
        assert world.state(monitor).state is State.UP
        world.edit(monitor, now(), tags=["prod"])
        assert world.state(monitor).state is State.MAINTENANCE
        await until(BEGIN + 5 * MINUTE)
        world.edit(monitor, now(), tags=[])
        assert world.state(monitor).state is State.UP
        await until(END + MINUTE)
        assert seconds(world, monitor)["maintenance"] == 180
    world.database.close()


def test_a_rule_brings_a_window_again_and_again(tmp_path: Path) -> None:
    world, monitor = a_world(tmp_path)
    a_window(world, BEGIN, BEGIN + 5 * MINUTE, rrule="FREQ=DAILY;COUNT=3")
    watch = MaintenanceWatch(world.watchlist)

    def sweep(at: int) -> State:
        while world.write(lambda connection: watch.sweep(connection, at)).has_more:
            pass
        return world.state(monitor).state

    day = 24 * HOUR
    at = (BEGIN - 1, BEGIN, BEGIN + 5 * MINUTE, BEGIN + day, BEGIN + day + 5 * MINUTE)
    assert [sweep(instant) for instant in at] == [
        State.PENDING,
        State.MAINTENANCE,
        State.PENDING,
        State.MAINTENANCE,
        State.PENDING,
    ]
    # Nobody was here for the third one: it is history alone.
    assert sweep(BEGIN + 3 * day) is State.PENDING
    assert [(row.type, row.at) for row in told(world, "maintenance.")] == [
        ("maintenance.scheduled", START),
        ("maintenance.started", BEGIN),
        ("maintenance.ended", BEGIN + 5 * MINUTE),
        ("maintenance.started", BEGIN + day),
        ("maintenance.ended", BEGIN + day + 5 * MINUTE),
        ("maintenance.started", BEGIN + 2 * day),
        ("maintenance.ended", BEGIN + 2 * day + 5 * MINUTE),
    ]
    key = world.key_of(monitor)
    spans = world.database.read_now(lambda connection: rows.excluded_by_monitor(connection, [key], 0, BEGIN + 9 * day))
    assert spans[key] == [(BEGIN + n * day, BEGIN + n * day + 5 * MINUTE) for n in range(3)]
    world.database.close()
