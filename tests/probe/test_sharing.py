"""Several probes in a region: each runs what it wins, and hands over without a missed slot."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from statuspulse.domain.schedule import owner
from statuspulse.domain.times import SECOND, from_datetime
from statuspulse.probe.handover import HANDOVER_SECONDS, Handover
from statuspulse.probe.places import Places
from statuspulse.probe.sharing import Sharing
from statuspulse.probe.wheel import Line, Wheel
from tests.probe.control_plane import PROBE_ID, ControlPlane, a_monitor
from tests.probe.plans import a_plan
from tests.probe.test_agent import probing
from tests.targets import HttpTarget, until

PEER = "prb_7k9m1n3p"
BOTH = tuple(sorted((PROBE_ID, PEER)))
IDS = [f"mon_{number:08d}" for number in range(20)]
MINE = {monitor_id for monitor_id in IDS if owner(monitor_id, BOTH) == PROBE_ID}


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with HttpTarget() as target, ControlPlane() as made:
        made.assign(*(a_monitor(monitor_id, target.url) for monitor_id in IDS))
        yield made
    assert made.violations == []


def slots(plane: ControlPlane, monitor_id: str) -> list[int]:
    """When its regular checks were due, in order."""
    return sorted(
        from_datetime(item.scheduled_at)
        for item in plane.results
        if item.kind == "scheduled" and item.monitor_id == monitor_id and item.scheduled_at
    )


def seen(plane: ControlPlane, before: int = 0) -> set[str]:
    return {item.monitor_id for item in plane.items[before:]}


def test_the_owner_is_who_the_contract_says() -> None:
    shared = Sharing(probe_id=PROBE_ID, members=BOTH, epoch=1)
    assert shared.has("mon_9x2k4p7q")
    assert not Sharing(probe_id=PEER, members=BOTH, epoch=1).has("mon_9x2k4p7q")
    assert 5 < len(MINE) < 15


def test_without_members_everything_is_ours_and_with_others_alone_nothing() -> None:
    assert all(Sharing().has(monitor_id) for monitor_id in IDS)
    assert not any(Sharing(probe_id=PROBE_ID, members=(PEER,)).has(monitor_id) for monitor_id in IDS)


async def test_a_probe_runs_its_share_alone_and_takes_over_the_rest(plane: ControlPlane, tmp_path: Path) -> None:
    plane.share(*BOTH)
    async with probing(plane, tmp_path):
        await until(lambda: seen(plane) >= MINE)
        await until(lambda: len(plane.results) >= 3 * len(MINE))
        assert seen(plane) == MINE
        plane.share(PROBE_ID)
        await until(lambda: seen(plane) == set(IDS))
    # What the other one has looked at all the time needs no first look.
    assert {item.kind for item in plane.items if item.monitor_id not in MINE} == {"scheduled"}
    assert [item.kind for item in plane.items if item.kind == "gap"] == []


async def test_a_probe_that_has_lost_monitors_looks_at_them_until_the_other_does(
    plane: ControlPlane, tmp_path: Path
) -> None:
    async with probing(plane, tmp_path):
        await until(lambda: seen(plane) == set(IDS))
        plane.share(*BOTH)
        told_at = await told(plane)
        await until(lambda: seen(plane, settled(plane, told_at + int(HANDOVER_SECONDS * SECOND) + 500)) >= MINE)
    for monitor_id in IDS:
        due = slots(plane, monitor_id)
        assert due == list(range(due[0], due[-1] + 1, SECOND))
        if monitor_id not in MINE:
            assert HANDOVER_SECONDS * SECOND - 2 * SECOND < due[-1] - told_at < HANDOVER_SECONDS * SECOND + SECOND
    assert [item.kind for item in plane.items if item.kind == "gap"] == []


async def test_a_restart_goes_on_with_the_share_of_before(plane: ControlPlane, tmp_path: Path) -> None:
    plane.share(*BOTH)
    async with probing(plane, tmp_path):
        await until(lambda: seen(plane) == MINE)
    before = len(plane.items)
    plane.override = lambda arrival: b"" if "assignments" in arrival.path else None
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.items) >= before + 2 * len(MINE))
    assert seen(plane, before) == MINE


async def told(plane: ControlPlane) -> int:
    """When the probe has the newest set, by the clock of its results."""
    asked = f"epoch={plane.epoch}&"
    await until(lambda: any(asked in arrival.path for arrival in plane.calls("/v1/agent/assignments")))
    return next(arrival.wall_ms for arrival in plane.calls("/v1/agent/assignments") if asked in arrival.path)


def settled(plane: ControlPlane, at: int) -> int:
    """How many items there were before the first that was due from an instant on."""
    due = [None if item.scheduled_at is None else from_datetime(item.scheduled_at) for item in plane.items]
    return next((place for place, when in enumerate(due) if when is not None and when > at), len(due))


@pytest.mark.virtual_time
async def test_what_comes_back_in_time_is_kept() -> None:
    released: list[str] = []
    wheel = Wheel(start=lambda _slot: None, places=Places[Line](10), miss=lambda _gap: None)
    for monitor_id in IDS:
        wheel.assign(a_plan(monitor_id), 0)
    handover = Handover(wheel=wheel, release=released.append)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(handover.run())
        handover.share(Sharing(probe_id=PROBE_ID, members=(PEER,)))
        await asyncio.sleep(HANDOVER_SECONDS - 1)
        handover.share(Sharing(probe_id=PROBE_ID, members=BOTH, epoch=2))
        await asyncio.sleep(2)
        assert set(released) == set(IDS) - MINE
        handover.share(Sharing())
        await asyncio.sleep(60)
        assert set(released) == set(IDS) - MINE
        running.cancel()
