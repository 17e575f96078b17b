"""One outage, to the millisecond: three regions every 30 s, thresholds of 2, majority."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from statuspulse.domain.result import ResultKind
from statuspulse.domain.schedule import Grid
from statuspulse.domain.times import SECOND
from tests.engine.scene import Scene, Target
from tests.engine.world import World
from tests.virtual_time import START, WatchedDatabase, virtual_now

pytestmark = pytest.mark.virtual_time

REGIONS = ["us-east", "eu-west", "ap-south"]
INTERVAL = 30 * SECOND


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path, WatchedDatabase)
    yield begun
    begun.database.close()


def a_scene(world: World, regions: list[str], target: Target) -> Scene:
    """`target` is told the instant in ms from the first slot of the first region after two minutes."""
    for slug in regions:
        world.region(slug, START)
    monitor = world.monitor(START, interval_seconds=30, regions=regions)
    begin = first_slot(monitor, regions)
    return Scene(world, monitor, regions, INTERVAL, lambda region, at: target(region, at - begin))


def first_slot(monitor: str, regions: list[str]) -> int:
    return Grid.of(monitor, INTERVAL, 0, len(regions)).next_slot(START + 120 * SECOND)


@asynccontextmanager
async def played(scene: Scene, seconds: float) -> AsyncIterator[int]:
    """The scene up to so many seconds after the instant 0 of the example, which it yields in ms."""
    zero = first_slot(scene.monitor, scene.regions)
    async with scene.running():
        await asyncio.sleep((zero - virtual_now()) / SECOND + seconds)
        yield zero


def told(scene: Scene, zero: int) -> list[tuple[str, float, float]]:
    """(health, decided, observed from) of every change after the first, in seconds of the example."""
    return [
        (row.health, (row.changed_at - zero) / SECOND, (row.first_observed_at - zero) / SECOND)
        for row in scene.world.transitions(scene.monitor)[1:]
    ]


def refused_to_two(region: str, at: int) -> bool:
    return region in ("us-east", "eu-west") and -SECOND <= at < 58 * SECOND


async def test_the_worked_example(world: World) -> None:
    scene = a_scene(world, REGIONS, refused_to_two)
    async with played(scene, 120) as zero:
        assert told(scene, zero) == [
            ("degraded", 8.1, 0.0),
            ("down", 11.6, 0.0),
            ("degraded", 65.7, 60.0),
            ("up", 70.4, 60.5),
        ]
        looks = [(slug, (at - zero) / SECOND) for slug, at, kind in scene.looks if kind is ResultKind.RECHECK]
    assert sorted(looks, key=lambda look: (look[1], look[0])) == [
        ("ap-south", 1.7),
        ("eu-west", 1.7),
        ("us-east", 6.5),
        ("ap-south", 60.5),
        ("eu-west", 60.5),
        ("us-east", 65.3),
    ]
    assert (scene.rechecks("failed"), scene.rechecks("ok")) == (2, 4)
    history = [(state, start - zero, end - zero) for state, start, end in world.history(scene.monitor, zero + 120_000)]
    assert history[-4:] == [
        ("up", history[-4][1], 0),
        ("down", 0, 60_000),
        ("degraded", 60_000, 60_500),
        ("up", 60_500, 120_000),
    ]
    [incident] = world.incidents()
    assert incident.resolved_at is not None
    assert (incident.triggered_at - zero, incident.resolved_at - zero) == (11_600, 65_700)


async def test_without_rechecks_the_same_outage_is_decided_half_a_minute_later(world: World) -> None:
    scene = a_scene(world, REGIONS, refused_to_two)
    scene.takes_jobs = False
    async with played(scene, 130) as zero:
        assert told(scene, zero)[:2] == [("degraded", 31.6, 0.0), ("down", 41.6, 0.0)]
        assert told(scene, zero)[2:] == [("degraded", 90.4, 60.0), ("up", 100.4, 70.0)]
    assert {kind for _, _, kind in scene.looks} == {ResultKind.SCHEDULED}
    assert (scene.rechecks("failed"), scene.rechecks("ok")) == (0, 0)


async def test_one_region_alone_decides_in_eight_seconds(world: World) -> None:
    scene = a_scene(world, ["us-east"], lambda _region, at: 0 <= at < 58 * SECOND)
    async with played(scene, 90) as zero:
        assert told(scene, zero) == [("down", 8.1, 0.0), ("up", 65.7, 60.0)]


async def test_a_lone_failure_costs_one_recheck_in_each_region_and_changes_nothing(world: World) -> None:
    scene = a_scene(world, REGIONS, lambda region, at: region == "us-east" and 0 <= at < SECOND)
    async with played(scene, 60) as zero:
        assert told(scene, zero) == []
        looks = [slug for slug, _, kind in scene.looks if kind is ResultKind.RECHECK]
    assert sorted(looks) == sorted(REGIONS)
    assert scene.rechecks("ok") == 3


async def test_a_doubt_survives_no_restart(world: World) -> None:
    scene = a_scene(world, ["us-east"], lambda _region, at: at >= 0)
    async with played(scene, 3) as zero:
        await scene.restart_engine()
        await asyncio.sleep(50)
        assert told(scene, zero) == [("down", 31.6, 0.0)]
        assert {kind for _, _, kind in scene.looks} == {ResultKind.SCHEDULED}


async def test_a_recheck_that_nobody_runs_expires_and_the_slot_serves(world: World) -> None:
    scene = a_scene(world, REGIONS, lambda region, at: region == "us-east" and at >= 0)
    async with played(scene, -10) as zero:
        scene.takes_jobs = False
        await asyncio.sleep(100)
        assert told(scene, zero) == [("degraded", 31.6, 0.0)]
    assert scene.rechecks("served") == 3
    assert len(scene.jobs.offered("us-east", "prb_any", virtual_now())) == 0


async def test_a_recheck_of_a_region_that_is_gone_expires(world: World) -> None:
    scene = a_scene(world, REGIONS, lambda region, at: region == "us-east" and at >= 0)
    async with played(scene, -1):
        scene.deaf.add("eu-west")
        await asyncio.sleep(40)
        assert scene.rechecks("expired") == 0
        await asyncio.sleep(5)
        assert scene.rechecks("expired") == 1


async def test_a_region_whose_probe_falls_silent_votes_no_more(world: World) -> None:
    """All regions that vote have to fail; the silent one could have held the decision up for 70 s."""
    for slug in REGIONS:
        world.region(slug, START)
    monitor = world.monitor(START, interval_seconds=30, regions=REGIONS, quorum="all")
    begin = first_slot(monitor, REGIONS)
    scene = Scene(world, monitor, REGIONS, INTERVAL, lambda _region, at: at >= begin)
    async with played(scene, -12) as zero:
        scene.deaf.add("ap-south")
        await asyncio.sleep(60)
        [degraded, down] = told(scene, zero)
    assert (degraded[0], down) == ("degraded", ("down", 11.6, 0.0))
