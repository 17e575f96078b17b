"""Rechecks on the probe: run as the monitor's slots are, and never in their way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.schedule import Grid, Strategy, first_check_delay
from statuspulse.domain.times import DAY, SECOND, from_datetime
from statuspulse.probe.plan import Plan
from statuspulse.protocol.documents import Job, RetryDocument
from tests.probe.control_plane import ControlPlane, a_job, a_monitor
from tests.probe.plans import ScriptedCheck
from tests.probe.test_agent import probing
from tests.probe.test_jobs import answered
from tests.probe.test_wheel import World
from tests.targets import HttpTarget, Mood, until

# Its first look comes at once.
MONITOR = "mon_00000066"


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as made:
        yield made
    assert made.violations == []


@pytest.fixture
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        yield made


def a_recheck(job_id: str, monitor_id: str = MONITOR) -> Job:
    return a_job(job_id, "", kind="recheck", monitor_id=monitor_id, spec={}, config_version=1)


def quick_ids(count: int) -> list[str]:
    """Monitors that are looked at once within a fifth of a second, and then, at a day's interval, not for long."""
    ids = (f"mon_{number:08d}" for number in range(10_000))
    return list(islice((one for one in ids if first_check_delay(one, DAY) < 200), count))


async def test_a_recheck_is_run_as_the_assignment_says_with_retry_and_evidence(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    retry = RetryDocument(count=1, delay_ms=100)
    plane.assign(a_monitor(MONITOR, target.url + "/own", interval_seconds=86_400, config_version=3, retry=retry))
    async with probing(plane, tmp_path):
        await until(lambda: plane.results)
        target.mood = Mood.WRONG
        plane.ask(a_recheck("chk_one"))
        found = await answered(plane, "chk_one")
        plane.ask(a_recheck("chk_two"))
        again = await answered(plane, "chk_two")
    assert found.failure is not None
    assert (found.kind, found.monitor_id, found.ok, found.failure.kind) == (
        "recheck",
        MONITOR,
        False,
        "status_mismatch",
    )
    assert (found.attempt, found.config_version) == (2, 3)
    # The first failure of a doubt shows what was seen, whatever made the check run.
    assert found.evidence is not None
    assert again.evidence is None
    assert [arrival.path for arrival in target.arrivals] == ["/own"] * 5


async def test_the_round_of_a_recheck_is_that_of_its_time(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(a_monitor(MONITOR, target.url, interval_seconds=86_400))
    async with probing(plane, tmp_path):
        await until(lambda: plane.results)
        plane.ask(a_recheck("chk_one"))
        found = await answered(plane, "chk_one")
    assert found.scheduled_at is not None
    assert found.round == Grid.of(MONITOR, DAY, 0, 1).round_of(from_datetime(found.scheduled_at))


async def test_a_slot_that_runs_serves_in_place_of_a_recheck(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    target.delay_seconds = 0.8
    plane.assign(a_monitor(MONITOR, target.url, interval_seconds=86_400, timeout_ms=3000))
    async with probing(plane, tmp_path):
        await until(lambda: target.arrivals)
        plane.ask(a_recheck("chk_one"))
        await until(lambda: plane.results)
        plane.ask(a_recheck("chk_two"))
        await answered(plane, "chk_two")
    assert plane.looks("chk_one") == []
    assert [item.kind for item in plane.results] == ["first", "recheck"]
    assert len(target.arrivals) == 2


async def test_a_recheck_gives_way_to_a_slot_that_begins_and_is_no_more(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(a_monitor(MONITOR, target.url, interval_seconds=2, timeout_ms=1900))
    async with probing(plane, tmp_path):
        await until(lambda: [item for item in plane.results if item.kind == "scheduled"])
        target.mood, begun = Mood.SILENT, len(target.arrivals)
        plane.ask(a_recheck("chk_one"))
        await until(lambda: len(target.arrivals) > begun)
        target.mood, seen = Mood.HEALTHY, len(plane.results)
        await until(lambda: len(plane.results) >= seen + 2)
    assert plane.looks("chk_one") == []
    assert all(item.ok for item in plane.results)
    assert plane.gaps == []


async def test_more_rechecks_than_there_are_seats_are_run_one_after_the_other(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    ids = quick_ids(30)
    plane.assign(*(a_monitor(monitor_id, target.url, interval_seconds=86_400) for monitor_id in ids))
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.results) == len(ids))
        target.delay_seconds = 0.2
        plane.ask(*(a_recheck(f"chk_{monitor_id}", monitor_id) for monitor_id in ids))
        for monitor_id in ids:
            assert (await answered(plane, f"chk_{monitor_id}")).ok
    begun = sorted(arrival.at for arrival in target.arrivals[len(ids) :])
    assert len(begun) == len(ids)
    assert all(later - earlier >= 0.15 for earlier, later in zip(begun, begun[12:], strict=False))


async def test_a_look_that_begins_while_a_recheck_waits_serves_in_its_place(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    ids = quick_ids(13)
    plane.assign(*(a_monitor(monitor_id, target.url, interval_seconds=86_400, timeout_ms=6000) for monitor_id in ids))
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.results) == len(ids))
        target.delay_seconds = 1.5
        plane.ask(*(a_recheck(f"chk_{monitor_id}", monitor_id) for monitor_id in ids))
        await until(lambda: len(target.arrivals) == len(ids) + 12)
        target.delay_seconds = 3
        plane.ask(a_job("chk_now", target.url + "/now", kind="run_now", monitor_id=ids[-1], timeout_ms=6000))
        assert (await answered(plane, "chk_now")).ok
        for monitor_id in ids[:-1]:
            await answered(plane, f"chk_{monitor_id}")
    assert len(target.arrivals) == len(ids) + 12 + 1
    assert plane.looks(f"chk_{ids[-1]}") == []


async def test_nothing_is_told_of_a_monitor_that_is_not_checked_here(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    async with probing(plane, tmp_path):
        plane.ask(a_recheck("chk_one", "mon_99999999"), a_job("chk_two", target.url))
        await answered(plane, "chk_two")
    assert plane.looks("chk_one") == []


# --- regions that take turns -----------------------------------------------------------------------------


def a_turn(region_index: int) -> Plan:
    assigned = a_monitor(
        MONITOR,
        "http://192.0.2.1/",
        interval_seconds=10,
        region_index=region_index,
        region_count=3,
        region_strategy="rotate",
    )
    return Plan.of(assigned, "local", {kind: ScriptedCheck() for kind in MonitorType})


def test_a_region_that_takes_turns_looks_every_third_round() -> None:
    grid = Grid.of(MONITOR, 10 * SECOND, 1, 3, Strategy.ROTATE)
    world = World()
    world.known(a_turn(1))
    begun = world.now
    world.pass_time(begun + 120 * SECOND)
    first = grid.next_slot(begun)
    assert world.slots == [first + 30 * SECOND * number for number in range(4)]
    assert world.gaps == []


def test_what_a_region_missed_of_its_turns_is_counted_by_them() -> None:
    grid = Grid.of(MONITOR, 10 * SECOND, 2, 3, Strategy.ROTATE)
    world = World()
    plan = a_turn(2)
    world.wheel.resume(plan, world.now - 100 * SECOND, world.now)
    [gap] = world.gaps
    first = grid.next_slot(world.now - 100 * SECOND)
    assert (gap.from_at, gap.to_at, gap.count) == (first, first + 30 * SECOND * (gap.count - 1), gap.count)
    assert gap.count in {3, 4}
    assert grid.next_slot(gap.to_at) > world.now
