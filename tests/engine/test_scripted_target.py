"""The uptime of a target that keeps a log of its own outages: what we say equals that log, to the second."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from statuspulse.domain.times import SECOND
from tests.engine.test_hindsight import timeline
from tests.engine.world import REFUSED, START, World, result

INTERVAL = SECOND


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


def test_downtime_equals_the_log_of_the_target_to_the_second(world: World) -> None:
    chance = random.Random(17)
    outages: list[tuple[int, int]] = []
    at = START
    while len(outages) < 5:
        begun = at + chance.randrange(6_000, 20_000)
        at = begun + chance.randrange(4_000, 15_000)
        outages.append((begun, at))
    end = at + 10 * SECOND
    monitor = world.monitor(interval_seconds=1, timeout_ms=500)

    for slot in range(START, end, INTERVAL):
        is_down = any(begun <= slot < until for begun, until in outages)
        seen = result(monitor, slot, REFUSED if is_down else None)
        world.ship(world.items(seen), seen.observed_at + 200)

    told = timeline(world, monitor, end)
    assert told.sums(START, end).unknown == 0
    assert told.outages(START, end) == len(outages)
    for begun, until in outages:
        around = told.sums(begun - 3 * SECOND, until + 3 * SECOND)
        # A look every second can place each edge up to one second late, and never early.
        assert abs(around.down - (until - begun)) < INTERVAL
    logged = sum(until - begun for begun, until in outages)
    assert abs(told.sums(START, end).down - logged) < len(outages) * INTERVAL
