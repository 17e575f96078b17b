"""Looks that somebody waits for: run once, beside the schedule, and never in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from statuspulse.domain.times import from_datetime
from statuspulse.protocol.documents import CHECK_IN_PROGRESS, Assignments, Item
from tests.probe.control_plane import ControlPlane, a_job, a_monitor
from tests.probe.test_agent import probing
from tests.targets import HttpTarget, Mood, TcpTarget, until

# Its first check comes within a fifth of a second, and at an interval of a day none of the schedule does for long.
MONITOR = "mon_00000009"


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as made:
        yield made
    assert made.violations == []


@pytest.fixture
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        yield made


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def answered(plane: ControlPlane, job_id: str) -> Item:
    await until(lambda: plane.looks(job_id))
    return plane.looks(job_id)[0]


def asked(target: HttpTarget, path: str) -> int:
    return len([arrival for arrival in target.arrivals if arrival.path == path])


def test_an_answer_of_a_server_without_jobs_still_parses(plane: ControlPlane) -> None:
    answer = Assignments(
        version=1,
        base=None,
        region="local",
        probe_id="prb_2d4f6h8j",
        monitors=[],
        removed=[],
        policy=[],
        heartbeat_seconds=5,
        server_time=datetime.now(UTC),
        committed_through=0,
    )
    document = msgspec.to_builtins(answer)
    del document["jobs"]
    assert msgspec.convert(document, Assignments).jobs == []


async def test_a_test_is_run_and_told_under_the_id_of_its_job(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    async with probing(plane, tmp_path):
        await until(lambda: plane.heartbeats)
        plane.ask(a_job("chk_one", target.url + "/new"))
        look = await answered(plane, "chk_one")
    assert (look.kind, look.monitor_id, look.ok, look.status_code) == ("manual", "", True, 200)
    assert (look.attempt, look.round) == (1, 0)
    assert asked(target, "/new") == 1


async def test_a_job_that_is_offered_again_is_run_once(plane: ControlPlane, target: HttpTarget, tmp_path: Path) -> None:
    target.delay_seconds = 0.7
    async with probing(plane, tmp_path):
        await until(lambda: plane.heartbeats)
        begun = len(plane.calls("/v1/agent/assignments"))
        plane.ask(a_job("chk_one", target.url, timeout_ms=2000))
        await answered(plane, "chk_one")
        await until(lambda: len(plane.calls("/v1/agent/assignments")) >= begun + 3)
    assert len(plane.looks("chk_one")) == 1
    assert len(target.arrivals) == 1


async def test_a_failing_look_is_not_tried_again(plane: ControlPlane, target: HttpTarget, tmp_path: Path) -> None:
    target.mood = Mood.WRONG
    async with probing(plane, tmp_path):
        plane.ask(a_job("chk_one", target.url))
        look = await answered(plane, "chk_one")
    assert look.failure is not None
    assert (look.ok, look.failure.kind, look.attempt) == (False, "status_mismatch", 1)
    assert len(target.arrivals) == 1


async def test_what_this_probe_cannot_run_is_void(plane: ControlPlane, target: HttpTarget, tmp_path: Path) -> None:
    async with probing(plane, tmp_path):
        plane.ask(a_job("chk_one", target.url, type="quantum"), a_job("chk_two", target.url, spec={"uri": "x"}))
        looks = [await answered(plane, job_id) for job_id in ("chk_one", "chk_two")]
    assert [look.ok for look in looks] == [None, None]
    assert {look.failure.kind for look in looks if look.failure} == {"probe_error"}


async def test_a_monitor_that_is_not_assigned_can_be_looked_at(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    async with probing(plane, tmp_path):
        plane.ask(a_job("chk_one", target.url, kind="run_now", monitor_id=MONITOR, config_version=7))
        look = await answered(plane, "chk_one")
    assert (look.monitor_id, look.config_version, look.ok) == (MONITOR, 7, True)


async def test_a_job_does_not_store_the_assignments_anew(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(a_monitor(MONITOR, target.url))
    async with probing(plane, tmp_path):
        await until(lambda: plane.results)
        stored_at = (tmp_path / "probe" / "assignments").stat().st_mtime_ns
        plane.ask(a_job("chk_one", target.url))
        await answered(plane, "chk_one")
        seen = len(plane.results)
        await until(lambda: len(plane.results) >= seen + 2)
    assert (tmp_path / "probe" / "assignments").stat().st_mtime_ns == stored_at


async def test_a_look_waits_for_the_check_of_the_monitor_that_runs(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    target.delay_seconds = 0.4
    plane.assign(a_monitor(MONITOR, target.url + "/slot", interval_seconds=86_400, timeout_ms=2000))
    async with probing(plane, tmp_path):
        await until(lambda: asked(target, "/slot"))
        plane.ask(a_job("chk_one", target.url + "/now", kind="run_now", monitor_id=MONITOR, timeout_ms=2000))
        look = await answered(plane, "chk_one")
    first = next(item for item in plane.items if item.kind == "first")
    assert look.ok
    assert look.scheduled_at is not None
    assert first.observed_at is not None
    assert look.scheduled_at >= first.observed_at
    assert look.seq > first.seq


async def test_a_look_gives_way_to_the_schedule_and_begins_anew(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    """The target of the looks says nothing until a slot has come meanwhile."""
    plane.assign(a_monitor(MONITOR, target.url, interval_seconds=1, timeout_ms=900))
    with HttpTarget() as slow:
        async with probing(plane, tmp_path):
            await until(lambda: plane.results)
            for job_id in ("chk_1", "chk_2", "chk_3"):
                slow.mood, begun = Mood.SILENT, len(slow.arrivals)
                plane.ask(a_job(job_id, slow.url, kind="run_now", monitor_id=MONITOR, timeout_ms=9000))
                await _another_arrival(slow)
                await _another_arrival(target)
                slow.mood = Mood.HEALTHY
                assert (await answered(plane, job_id)).ok
                assert len(slow.arrivals) >= begun + 2
    looks = [item for item in plane.items if item.kind == "manual"]
    slots = [item for item in plane.results if item.kind == "scheduled"]
    assert len(looks) == 3
    for look in looks:
        assert not [slot for slot in slots if _overlap(look, slot)]
    assert all(slot.ok for slot in slots)
    assert plane.gaps == []


async def _another_arrival(target: HttpTarget) -> None:
    known = len(target.arrivals)
    await until(lambda: len(target.arrivals) > known)


def _overlap(look: Item, slot: Item) -> bool:
    """Whether both were looking at one time, by more than the rounding of their instants."""
    begun, ended = _span(look)
    slot_begun, slot_ended = _span(slot)
    return begun + 2 < slot_ended and slot_begun + 2 < ended


def _span(item: Item) -> tuple[float, float]:
    assert item.scheduled_at is not None
    assert item.observed_at is not None
    return from_datetime(item.scheduled_at) + item.lag_ms, from_datetime(item.observed_at)


async def test_a_look_that_gets_no_turn_before_its_deadline_is_void(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    target.mood = Mood.SILENT
    plane.assign(a_monitor(MONITOR, target.url + "/slot", interval_seconds=86_400, timeout_ms=4000))
    async with probing(plane, tmp_path):
        await until(lambda: asked(target, "/slot"))
        job = a_job("chk_one", target.url + "/now", kind="run_now", monitor_id=MONITOR, deadline_at=in_seconds(0.8))
        plane.ask(job)
        look = await answered(plane, "chk_one")
    assert look.failure is not None
    assert (look.ok, look.failure.kind) == (None, "probe_error")
    assert look.failure.detail.startswith(CHECK_IN_PROGRESS)
    assert asked(target, "/now") == 0


async def test_a_look_does_not_begin_before_its_time(plane: ControlPlane, target: HttpTarget, tmp_path: Path) -> None:
    async with probing(plane, tmp_path):
        await until(lambda: plane.heartbeats)
        not_before = in_seconds(0.6)
        plane.ask(a_job("chk_one", target.url, not_before=not_before))
        look = await answered(plane, "chk_one")
    assert look.scheduled_at is not None
    assert timedelta(milliseconds=-2) <= look.scheduled_at - not_before < timedelta(seconds=1)


async def test_times_of_a_job_are_of_the_servers_clock(plane: ControlPlane, target: HttpTarget, tmp_path: Path) -> None:
    plane.skew = timedelta(hours=-1)
    async with probing(plane, tmp_path):
        await until(lambda: plane.heartbeats)
        then = datetime.now(UTC) + plane.skew
        plane.ask(a_job("chk_one", target.url, not_before=then, deadline_at=then + timedelta(seconds=5)))
        look = await answered(plane, "chk_one")
    assert look.ok
    assert look.scheduled_at is not None
    assert abs(look.scheduled_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_many_looks_at_once_leave_the_schedule_in_time(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(a_monitor(MONITOR, target.url, interval_seconds=2, timeout_ms=1900))
    with TcpTarget(mood=Mood.HEALTHY) as other, HttpTarget(mood=Mood.SILENT) as silent:
        async with probing(plane, tmp_path):
            await until(lambda: plane.results)
            tcp = a_job("chk_tcp", "", type="tcp", spec={"host": "127.0.0.1", "port": other.port})
            plane.ask(*(a_job(f"chk_{number}", silent.url) for number in range(40)), tcp)
            for number in range(40):
                look = await answered(plane, f"chk_{number}")
                assert look.failure is not None
                # On a busy machine the time may have been lost by us, and then that is what is told.
                assert look.failure.kind in {"timeout", "self_stall"}
            assert (await answered(plane, "chk_tcp")).ok
            await until(lambda: len([item for item in plane.results if item.kind == "scheduled"]) >= 2)
    slots = [item for item in plane.results if item.kind == "scheduled"]
    assert all(slot.ok for slot in slots)
    assert plane.gaps == []


async def test_a_look_under_way_does_not_hold_up_the_end(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    target.mood = Mood.SILENT
    loop = asyncio.get_running_loop()
    async with probing(plane, tmp_path):
        plane.ask(a_job("chk_one", target.url, timeout_ms=30_000))
        await until(lambda: target.arrivals)
        begun = loop.time()
    assert loop.time() - begun < 1.5
    assert plane.looks("chk_one") == []
