"""Backtests: under the rules that were in force they tell what the engine did; under others, what it would have done."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statuspulse.domain.health import State
from statuspulse.domain.schedule import Strategy
from statuspulse.domain.times import HOUR, MINUTE, SECOND
from statuspulse.engine import backtest
from statuspulse.engine.backtest import Backtest, NothingKeptError, Terms
from statuspulse.storage import monitors
from tests.engine.scene import Scene
from tests.engine.world import REFUSED, START, World, result
from tests.virtual_time import WatchedDatabase, virtual_now

NAMES = ["local", "eu-west", "ap-south"]
# Shipping takes 0.2 s; silence and flapping end when a timer of the engine says so.
SOON = 1500


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path, WatchedDatabase)
    yield begun
    begun.database.close()


def backtested(
    world: World, monitor_id: str, end: int, *, start: int = START, mutes: bool = True, **changed: Any
) -> Backtest:
    def read(connection: Any) -> Backtest:
        monitor = monitors.get(connection, world.team_id, monitor_id)
        assert monitor is not None
        terms = Terms(start=start, end=end, config={**monitor.config, **changed}, mutes_flapping=mutes)
        return backtest.run(connection, monitor, terms, end)

    return world.database.read_now(read)


def told(account: backtest.Account) -> list[tuple[State, State, int, str]]:
    return [(one.previous_state, one.state, one.first_observed_at, one.reason.value) for one in account.changes]


def assert_same(found: Backtest) -> None:
    """Both accounts tell the same, apart from the time that a result takes to be shipped."""
    assert told(found.simulated) == told(found.actual)
    for simulated, actual in zip(found.simulated.changes, found.actual.changes, strict=True):
        assert 0 <= actual.changed_at - simulated.changed_at <= SOON
    assert found.simulated.pages == found.actual.pages
    assert found.simulated.notifications == found.actual.notifications
    assert [len(one.paged_at) for one in found.simulated.outages] == [len(one.paged_at) for one in found.actual.outages]
    assert [one.resolved_at is None for one in found.simulated.outages] == [
        one.resolved_at is None for one in found.actual.outages
    ]


class Weather:
    """A target that fails at random, and regions that fall silent."""

    def __init__(self, seed: int, minutes: int) -> None:
        chance = random.Random(seed)
        self._bad: dict[str, list[bool]] = {}
        everywhere = self._drawn(chance, minutes, (0.8, 0.2))
        for name in NAMES:
            alone = self._drawn(chance, minutes, (0.95, 0.05))
            self._bad[name] = [one or other for one, other in zip(everywhere, alone, strict=True)]

    @staticmethod
    def _drawn(chance: random.Random, minutes: int, weights: tuple[float, float]) -> list[bool]:
        found: list[bool] = []
        while len(found) < 4 * minutes:
            found += chance.choices((False, True), weights) * chance.choice((1, 2, 3, 5, 9))
        return found[: 4 * minutes]

    def fails(self, region: str, at: int) -> bool:
        place = (at - START) // (15 * SECOND)
        return self._bad[region][place % len(self._bad[region])]


@pytest.mark.virtual_time
@pytest.mark.parametrize("seed", range(6))
async def test_the_rules_that_were_in_force_tell_what_the_engine_did(world: World, seed: int) -> None:
    regions = NAMES[: 1 + seed % 3]
    for slug in regions[1:]:
        world.region(slug, START)
    members: dict[str, Any] = {
        "interval_seconds": (10, 30)[seed % 2],
        "timeout_ms": 4000,
        "failure_threshold": (2, 1, 3)[seed % 3],
        "recovery_threshold": 1 + seed % 2,
        "quorum": ("majority", "any", "all")[seed // 2 % 3],
        "region_strategy": "rotate" if seed == 5 else "parallel",
    }
    monitor = world.monitor(virtual_now(), regions=regions, **members)
    weather = Weather(seed, 180)
    interval = members["interval_seconds"] * SECOND
    strategy = Strategy(members["region_strategy"])
    scene = Scene(world, monitor, regions, interval, weather.fails, strategy)
    async with scene.running():
        await asyncio.sleep(3600)
        scene.deaf = set(regions)
        await asyncio.sleep(400)
        scene.deaf = set()
        await asyncio.sleep(1500)
        world.pause(monitor, virtual_now())
        await asyncio.sleep(300)
        world.resume(monitor, virtual_now())
        await asyncio.sleep(3600)
    end = virtual_now()
    found = backtested(world, monitor, end)
    assert found.simulated.change_count > 10
    assert {one.reason.value for one in found.actual.changes} >= {"sight_lost", "paused", "resumed", "probe_result"}
    assert_same(found)
