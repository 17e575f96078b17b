"""The escalator on virtual time: a stop is made up for once, and what is due is not late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from statuspulse.bus.local import LocalBus
from statuspulse.catalog import escalation_policies
from statuspulse.catalog import incidents as catalog
from statuspulse.engine.escalator import Escalator
from statuspulse.metrics import Metrics
from statuspulse.storage.schema import outbox
from tests.engine.world import World
from tests.virtual_time import WatchedDatabase

INCIDENTS = 40
DELAY_SECONDS = 60


@asynccontextmanager
async def running(world: World, metrics: Metrics, now: Callable[[], int]) -> AsyncIterator[None]:
    escalator = Escalator(world.database, LocalBus(), metrics, now=now)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(escalator.run(), name="escalator")
        yield
        task.cancel()


def prepare(world: World, now: int) -> None:
    """As many incidents as there are timers, each told at once and once more a minute later."""
    own = {"type": "monitor_notifications"}
    policy = {
        "slug": "oncall",
        "name": "On call",
        "steps": [{"targets": [own]}, {"delay_seconds": DELAY_SECONDS, "targets": [own]}],
    }
    world.write(lambda connection: escalation_policies.create(connection, world.change_at(now), policy))
    for number in range(INCIDENTS):
        monitor_id = world.monitor(now=now, name=f"Shop {number}", escalation_policy="oncall")
        body = {"title": f"Incident {number}", "monitor_id": monitor_id}
        world.write(lambda connection, body=body: catalog.submit(connection, world.change_at(now), body))
    world.write(lambda connection: connection.execute(outbox.update().values(state="delivered")))


def told(world: World) -> list[int]:
    """How often each incident was told of."""
    query = select(func.count()).select_from(outbox).group_by(outbox.c.incident_id)
    return world.database.read_now(lambda connection: list(connection.scalars(query)))


def highest_lag(metrics: Metrics) -> float:
    """The bound (s) below which every timer was late."""
    samples = next(iter(metrics.escalation_lag.collect())).samples
    whole = next(one.value for one in samples if one.name.endswith("_count"))
    bounds = [float(one.labels["le"]) for one in samples if one.name.endswith("_bucket") and one.value == whole]
    assert whole == INCIDENTS
    return min(bounds)


@pytest.mark.virtual_time
async def test_what_falls_due_while_nobody_looks_happens_once(tmp_path: Path, now: Callable[[], int]) -> None:
    world = World.begin(tmp_path, WatchedDatabase)
    prepare(world, now())
    metrics = Metrics()
    async with running(world, metrics, now):
        await asyncio.sleep(30)
    assert told(world) == [1] * INCIDENTS
    await asyncio.sleep(90)
    async with running(world, metrics, now):
        await asyncio.sleep(2)
        assert told(world) == [2] * INCIDENTS
        await asyncio.sleep(300)
    assert told(world) == [2] * INCIDENTS
    world.database.close()


@pytest.mark.virtual_time
async def test_a_step_is_taken_within_a_second_of_its_time(tmp_path: Path, now: Callable[[], int]) -> None:
    world = World.begin(tmp_path, WatchedDatabase)
    prepare(world, now())
    metrics = Metrics()
    async with running(world, metrics, now):
        await asyncio.sleep(DELAY_SECONDS + 1)
    assert told(world) == [2] * INCIDENTS
    assert highest_lag(metrics) <= 1
    world.database.close()
