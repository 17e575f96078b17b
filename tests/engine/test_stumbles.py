"""A result that the engine fails at is given up in the end, and nothing else with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from statuspulse.bus.local import LocalBus
from statuspulse.domain.health import Health
from statuspulse.domain.times import SECOND
from statuspulse.engine.engine import Engine
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.metrics import Metrics
from statuspulse.protocol.documents import Item, Receipt
from statuspulse.storage import positions
from tests.engine.world import START, World, result
from tests.virtual_time import WatchedDatabase

pytestmark = pytest.mark.virtual_time

NOW = START + 52 * SECOND


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path, WatchedDatabase)
    yield begun
    begun.database.close()


@asynccontextmanager
async def engine_of(world: World) -> AsyncIterator[LocalBus]:
    bus = LocalBus()
    engine = Engine(
        world.database,
        bus,
        Jobs(bus),
        Liveness(),
        Metrics(),
        mutes_flapping=True,
        now=lambda: NOW,
    )
    running = asyncio.create_task(engine.run())
    yield bus
    running.cancel()


def spoil(world: World, monitor: str) -> None:
    """The database refuses every result of the monitor, as it would where our statement is wrong."""

    def work(connection: Connection) -> None:
        connection.execute(
            text(
                "CREATE TRIGGER spoiled BEFORE INSERT ON results WHEN new.monitor_key = "
                f"(SELECT key FROM monitors WHERE id = '{monitor}') "
                "BEGIN SELECT RAISE(ABORT, 'spoiled'); END"
            )
        )

    world.write(work)


def _items(world: World, bad: str, good: str) -> list[Item]:
    return world.items(*(result(good if n % 2 == 0 else bad, START + 10 * n * SECOND) for n in range(6)))


async def test_what_fails_each_time_is_refused_and_all_the_rest_is_committed(world: World) -> None:
    good, bad = world.monitor(), world.monitor()
    spoil(world, bad)
    sent = _items(world, bad, good)
    receipts: list[Receipt] = []
    with capture_logs() as logs:
        async with engine_of(world) as bus:
            attempts = 0
            while sent:
                attempts += 1
                receipt = await bus.publish(world.batch(sent, NOW))
                if receipt is not None:
                    receipts.append(receipt)
                    sent = [item for item in sent if item.seq > receipt.committed_through]
    assert attempts == 3 * 3 + 3  # three batches that fail thrice, the last of them only the spoiled result
    assert [rejection.seq for receipt in receipts for rejection in receipt.rejected] == [2, 4, 6]
    assert sum(receipt.accepted for receipt in receipts) == 3
    assert world.state(good).health is Health.UP
    given_up = [line["seq"] for line in logs if line["event"] == "engine.result_given_up"]
    assert given_up == [2, 4, 6]


async def test_what_fails_by_chance_is_not_given_up(world: World) -> None:
    monitor = world.monitor()
    spoil(world, monitor)
    batch = world.batch(world.items(result(monitor, START)), NOW)
    async with engine_of(world) as bus:
        assert [await bus.publish(batch) for _ in range(3)] == [None] * 3
        world.write(lambda connection: connection.execute(text("DROP TRIGGER spoiled")))
        receipt = await bus.publish(batch)
    assert receipt is not None
    assert (receipt.accepted, receipt.rejected) == (1, [])
    assert world.database.read_now(lambda connection: positions.committed_through(connection, batch.probe_key)) == 1
