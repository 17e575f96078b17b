"""Objectives on the real engine's rows: looked at when it matters, told once, whatever is killed in between."""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from fractions import Fraction
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from statuspulse.bus.local import LocalBus
from statuspulse.catalog import slos as catalog
from statuspulse.domain.health import State
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.domain.uptime import Interval
from statuspulse.engine import slo_words, slos
from statuspulse.engine.slo_reports import stand
from statuspulse.engine.slo_watch import SloWatch
from statuspulse.storage import events
from statuspulse.storage import slos as rows
from statuspulse.storage.events import EventFilter, LoggedEvent
from statuspulse.storage.schema import outbox
from statuspulse.storage.slos import Slo
from tests.deep import deep
from tests.domain.histories import History, Oracle
from tests.engine.scene import Scene
from tests.engine.test_hindsight import read_late
from tests.engine.world import REFUSED, START, World, result
from tests.virtual_time import WatchedDatabase

STEP = 10 * SECOND


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


def promise(world: World, now: int = START, **members: Any) -> Slo:
    body = {"name": "Shop 99.9", "objective_pct": 99.9, "window": "24h", **members}
    change = world.change_at(now)
    made: Slo = world.write(lambda connection: catalog.create(connection, world.instance, change, body))
    return made


def read(world: World, slo: Slo) -> Slo:
    found = world.database.read_now(lambda connection: rows.get(connection, slo.team_id, slo.id))
    assert found is not None
    return found


def told(world: World) -> list[LoggedEvent]:
    """Every event about an objective, the oldest first."""
    wanted = EventFilter(types=("sla.",))
    return world.database.read_now(
        lambda connection: events.page(connection, world.team_id, wanted, after=None, descending=False, limit=500)
    )


def owed(world: World) -> list[str]:
    """The bodies of all messages, in the order in which they were owed."""
    query = select(outbox.c.body).order_by(outbox.c.id)
    return world.database.read_now(lambda connection: list(connection.scalars(query)))


def look(world: World, now: int) -> int:
    """Looks at everything that is due, as the watch does; answers how many looks that took."""
    looks = 0
    while due := world.database.read_now(lambda connection: rows.due(connection, now, 100)):
        for slo in due:
            seen = world.database.read_now(partial(slos.look, slo=slo, now=now))
            assert world.write(partial(slos.settle, seen=seen, now=now))
            looks += 1
    return looks


def fail(world: World, monitor_id: str, start: int, slots: int) -> None:
    """So many failed rounds; the second decides, and the outage begins with the first."""
    world.see(*(result(monitor_id, start + number * STEP, REFUSED) for number in range(slots)))


def answer(world: World, monitor_id: str, start: int, slots: int) -> None:
    world.see(*(result(monitor_id, start + number * STEP) for number in range(slots)))


def run(world: World, monitor_id: str, slots: int, *, down: range) -> None:
    """Rounds one by one, and every look when it is due, as the watch would come to it."""
    for number in range(slots):
        at = START + number * STEP
        world.see(result(monitor_id, at, REFUSED if number in down else None))
        seen = at + SECOND
        while (due := world.database.read_now(rows.next_due_at)) is not None and max(due, seen) < at + STEP + SECOND:
            look(world, max(due, seen))


def test_a_new_objective_is_looked_at_at_once_and_then_rests(world: World) -> None:
    slo = promise(world, monitor_id=world.monitor())
    assert look(world, START) == 1
    assert read(world, slo).due_at is None
    assert told(world) == []


def test_the_breach_is_told_within_an_interval_of_the_budgets_end(world: World) -> None:
    """99.9 % of a day are 86.4 s."""
    monitor_id = world.monitor()
    slo = promise(world, monitor_id=monitor_id, alerting={"fast": None, "slow": None, "ticket": None})
    run(world, monitor_id, 40, down=range(5, 25))
    (event,) = told(world)
    assert event.type == "sla.breached"
    assert 0 < event.at - (START + 5 * STEP + 86_400) <= STEP
    assert world.incidents()[0].id in event.body
    assert read(world, slo).course.breached_at == event.at


def test_an_outage_that_ended_before_the_budget_did_breaches_nothing(world: World) -> None:
    """The recovery is decided behind the end of the budget, and was seen before it."""
    monitor_id = world.monitor()
    slo = promise(world, monitor_id=monitor_id, alerting={"fast": None, "slow": None, "ticket": None})
    run(world, monitor_id, 31, down=range(5, 13))  # 80 s
    assert told(world) == []
    stood = world.database.read_now(lambda connection: stand(connection, slo, START + 31 * STEP))
    assert (stood.account.consumed, stood.account.budget) == (80_000, 86_400)


def test_it_stands_at_risk_while_both_windows_burn_and_is_told_of_once(world: World) -> None:
    monitor_id = world.monitor()
    slo = promise(world, monitor_id=monitor_id)

    def stood(slots: int) -> tuple[str, str | None]:
        found = world.database.read_now(
            lambda connection: stand(connection, read(world, slo), START + slots * STEP + SECOND)
        )
        return found.status.value, found.burning

    run(world, monitor_id, 14, down=range(5, 12))  # 70 s
    assert stood(14) == ("at_risk", "fast")
    answer(world, monitor_id, START + 14 * STEP, 40)
    assert stood(53) == ("met", None)
    assert read(world, slo).course.burning == "fast"
    assert [event.type for event in told(world)] == ["sla.at_risk"]


def test_nothing_was_down_is_not_less_than_a_second(world: World) -> None:
    slo = promise(world, monitor_id=world.monitor())
    stood = world.database.read_now(lambda connection: stand(connection, slo, START + DAY))
    monitor = world.database.read_now(lambda connection: slos.look(connection, slo, START)).monitor
    _, note = slo_words.recovered(slo, monitor, stood.account)
    assert note.startswith("Shop was not down in 24 hours.")


def test_what_is_told_goes_to_channels_and_is_told_once(world: World) -> None:
    hook = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/objectives"
    monitor_id = world.monitor(notifications=[])
    promise(world, monitor_id=monitor_id, notify=[hook])
    run(world, monitor_id, 30, down=range(5, 30))
    kinds = [event.type for event in told(world)]
    assert kinds == ["sla.at_risk", "sla.breached"]
    at_risk, breached = (json.loads(body) for body in owed(world))
    assert (at_risk["action"], at_risk["title"]) == ("notice", "SLO Shop 99.9 is at risk")
    assert at_risk["facts"]["note"].startswith("Shop was down for 1 minute in the last 1 hour: 16.66 times as fast as")
    assert (breached["action"], breached["title"]) == ("notice", "SLO Shop 99.9 is breached")
    allowed = "in 24 hours; 99.9 % allows 1 minute 26 seconds."
    assert breached["facts"]["note"] == f"Shop was down for 1 minute 26 seconds {allowed}"


def test_a_change_between_look_and_store_is_not_lost(world: World) -> None:
    monitor_id = world.monitor()
    slo = promise(world, monitor_id=monitor_id)
    seen = world.database.read_now(lambda connection: slos.look(connection, slo, START))
    key = world.key_of(monitor_id)
    world.write(lambda connection: rows.touch(connection, key, START))
    assert not world.write(lambda connection: slos.settle(connection, seen, START))
    assert read(world, slo).due_at == START


def test_a_look_that_is_not_stored_has_told_nothing(world: World) -> None:
    """Killed behind the look: the row is due still, and the next look tells it, once."""
    monitor_id = world.monitor()
    promise(world, monitor_id=monitor_id)
    fail(world, monitor_id, START, 30)
    now = START + 300 * SECOND
    (slo,) = world.database.read_now(lambda connection: rows.due(connection, now, 10))
    seen = world.database.read_now(lambda connection: slos.look(connection, slo, now))
    assert seen.judgement.news
    assert told(world) == []
    look(world, now)
    look(world, now + MINUTE)
    assert [event.type for event in told(world)] == ["sla.breached"]


def test_late_results_reveal_a_breach(world: World) -> None:
    """Nobody saw it in time: the history says so once the results are there, and the objective with it."""
    monitor_id = world.monitor()
    slo = promise(world, monitor_id=monitor_id)
    answer(world, monitor_id, START, 3)
    now = START + 10 * MINUTE
    world.sweep(now)
    look(world, now + 2 * SECOND)
    assert (world.state(monitor_id).health.value, read(world, slo).due_at) == ("unknown", None)
    late = [result(monitor_id, START + number * STEP, REFUSED) for number in range(6, 40)]
    world.ship(world.items(*late), now + MINUTE)
    assert read_late(world, now + 2 * MINUTE) == 1
    look(world, now + 2 * MINUTE)
    (event,) = told(world)
    assert (event.type, event.at) == ("sla.breached", now + 2 * MINUTE)
    stood = world.database.read_now(lambda connection: stand(connection, slo, now + 2 * MINUTE))
    assert stood.account.consumed == 340 * SECOND


def test_the_objective_of_a_configuration_follows_it(world: World) -> None:
    monitor_id = world.monitor(sla={"objective_pct": 99.9})
    (slo,) = world.database.read_now(lambda connection: rows.due(connection, START, 10))
    assert (slo.monitor_id, slo.of_config, slo.name, slo.kind.value) == (monitor_id, True, "Shop 99.9", "availability")
    world.edit(monitor_id, START + 1, sla={"objective_pct": 99, "window": "7d", "latency_threshold_ms": 300})
    changed = read(world, slo)
    assert (changed.id, changed.name, changed.kind.value, changed.window.value) == (slo.id, "Shop 99", "latency", "7d")
    world.edit(monitor_id, START + 2, sla=None)
    assert world.database.read_now(lambda connection: rows.get(connection, slo.team_id, slo.id)) is None


def test_a_deleted_monitor_takes_its_objectives_along_and_leaves_those_of_several(world: World) -> None:
    monitor_id = world.monitor(tags=["prod"], sla={"objective_pct": 99.9})
    world.monitor(tags=["prod"])
    alone, several = promise(world, monitor_id=monitor_id), promise(world, tags=["prod"])
    look(world, START)
    world.delete(monitor_id, START + HOUR)
    assert world.database.read_now(lambda connection: rows.get(connection, alone.team_id, alone.id)) is None
    assert read(world, several).due_at == START + HOUR
    stood = world.database.read_now(lambda connection: stand(connection, several, START + 2 * HOUR))
    sums = stood.account.sums
    assert sums.window == 3 * HOUR
    assert stood.account.basis == DAY + HOUR


def test_an_aggregate_weighs_seconds(world: World) -> None:
    first, second = (world.monitor(tags=["prod"], name=name) for name in ("A", "B"))
    slo = promise(world, tags=["prod"])
    answer(world, first, START, 40)
    fail(world, second, START, 40)
    stood = world.database.read_now(lambda connection: stand(connection, slo, START + 400 * SECOND))
    assert stood.account.consumed == 400 * SECOND
    assert stood.account.observed_pct == 50
    assert stood.account.budget == 2 * 86_400


def test_slow_rounds_spend_an_interval_each(world: World) -> None:
    monitor_id = world.monitor(interval_seconds=10)
    slo = promise(world, monitor_id=monitor_id, kind="latency", latency_threshold_ms=5, objective_pct=99)
    answer(world, monitor_id, START, 60)  # 12 ms each
    now = START + 600 * SECOND
    stood = world.database.read_now(lambda connection: stand(connection, slo, now))
    assert (stood.account.consumed, stood.account.budget) == (600 * SECOND, 864 * SECOND)
    faster = promise(world, monitor_id=monitor_id, kind="latency", latency_threshold_ms=15, objective_pct=99)
    assert world.database.read_now(lambda connection: stand(connection, faster, now)).account.consumed == 0
    look(world, now)
    assert [event.type for event in told(world)] == ["sla.at_risk"]


@asynccontextmanager
async def watching(world: World, now: Callable[[], int]) -> AsyncIterator[None]:
    watch = SloWatch(world.database, LocalBus(), now=now)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(watch.run(), name="objectives")
        yield
        task.cancel()


@pytest.mark.virtual_time
async def test_the_watch_tells_a_breach_while_the_engine_decides(tmp_path: Path, now: Callable[[], int]) -> None:
    """An engine with three regions, a target that is down for two minutes and a half, and a watch that is killed."""
    world = World.begin(tmp_path, WatchedDatabase)
    world.region("eu-west", now())
    monitor_id = world.monitor(now=now(), interval_seconds=30, regions=["local", "eu-west"], quorum="all")
    members = {"monitor_id": monitor_id, "alerting": {"fast": None, "slow": None, "ticket": None}}
    promise(world, now=now(), **members)
    begun = now() + 300 * SECOND
    scene = Scene(
        world, monitor_id, ["local", "eu-west"], 30 * SECOND, lambda _, at: begun <= at < begun + 150 * SECOND
    )
    async with scene.running():
        async with watching(world, now):
            await asyncio.sleep(350)
            assert told(world) == []
        await asyncio.sleep(5)
        async with watching(world, now):
            await asyncio.sleep(600)
    (event,) = told(world)
    history = [one for one in world.history(monitor_id, now()) if one[0] is State.DOWN]
    assert len(history) == 1
    assert 0 < event.at - (history[0][1] + 86_400) <= 30 * SECOND
    world.database.close()


@pytest.mark.virtual_time
@pytest.mark.parametrize("seed", [0, 3, *deep((1, 2, 4, 5, 6, 7))])
async def test_random_outages_are_told_as_other_arithmetic_has_them(
    tmp_path: Path, now: Callable[[], int], seed: int
) -> None:
    """What the engine has decided in the end, back-dated as it is, breaks the budget at the instant that is told."""
    random = Random(seed)
    world = World.begin(tmp_path, WatchedDatabase)
    objective = random.choice([99.9, 99.8, 99.5])
    monitor_id = world.monitor(now=now(), interval_seconds=30, sla={"objective_pct": objective, "window": "24h"})
    begun, edges = now(), [random.randrange(60, 600) for _ in range(14)]
    changes = [begun + sum(edges[: place + 1]) * SECOND for place in range(len(edges))]
    scene = Scene(world, monitor_id, ["local"], 30 * SECOND, lambda _, at: bisect_right(changes, at) % 2 == 1)
    async with scene.running(), watching(world, now):
        for _ in range(20):
            await asyncio.sleep(240)
            await scene.restart_engine()
    history = [Interval(start=start, end=end, state=state) for state, start, end in world.history(monitor_id, now())]
    allowed = 1 - Fraction(str(objective)) / 100
    expected = Oracle(History(tuple(history), now()), allowed, DAY, UTC, begun=begun).breaches()
    breaches = [event.at for event in told(world) if event.type == "sla.breached"]
    assert len(breaches) == len(expected)
    for at, (ended, _) in zip(breaches, expected, strict=True):
        assert 0 <= at - ended <= 30 * SECOND
    world.database.close()
