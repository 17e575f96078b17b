"""The whole probe: against a control plane and targets on loopback, stopped, killed and frozen."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic

import pytest

from statuspulse.domain.secret import Secret
from statuspulse.domain.times import DAY, from_datetime
from statuspulse.egress.policy import Policy
from statuspulse.probe.agent import ProbeSettings, run
from statuspulse.probe.claim import FolderInUseError
from statuspulse.probe.clock import ClockBehindError
from statuspulse.protocol.documents import AssignedMonitor, Item
from tests.probe.control_plane import KEY, ControlPlane, a_monitor
from tests.targets import HttpTarget, Mood, until
from tests.targets import wall_ms as wall


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as made:
        yield made
    assert made.violations == []
    assert [item.seq for item in made.items] == sorted({item.seq for item in made.items})


@pytest.fixture
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        yield made


def settings(plane: ControlPlane, folder: Path) -> ProbeSettings:
    return ProbeSettings(
        server_url=plane.url,
        key=Secret(KEY),
        data_dir=folder / "probe",
        policy=Policy(),
        version="1.2.3",
        boot_id="boot_1",
    )


@contextlib.asynccontextmanager
async def probing(plane: ControlPlane, folder: Path) -> AsyncIterator[None]:
    """A probe in this process that is stopped in the end, in time."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        probe = tasks.create_task(run(settings(plane, folder), wall=wall, monotonic=monotonic, stop=stop))
        try:
            yield
        finally:
            stop.set()
            async with asyncio.timeout(5):
                await asyncio.wait((probe,))


def identities(items: list[Item]) -> Counter[tuple[str, int]]:
    return Counter((item.monitor_id, from_datetime(item.scheduled_at)) for item in items if item.scheduled_at)


def observed(plane: ControlPlane, after: int, before: int) -> list[Item]:
    """What was seen in the meantime."""
    return [item for item in plane.results if item.observed_at and after < from_datetime(item.observed_at) < before]


def fleet(target: HttpTarget, count: int) -> list[AssignedMonitor]:
    return [a_monitor(f"mon_{number:08d}", target.url) for number in range(count)]


async def test_what_is_assigned_is_checked_and_told(plane: ControlPlane, target: HttpTarget, tmp_path: Path) -> None:
    plane.assign(*fleet(target, 20))
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.results) >= 60)
    assert [item.seq for item in plane.items] == list(range(1, len(plane.items) + 1))
    assert {item.kind for item in plane.results} == {"scheduled", "first"}
    assert max(identities(plane.results).values()) == 1
    assert all(item.ok and item.status_code == 200 and item.latency_ms for item in plane.results)
    scheduled = sorted(
        from_datetime(item.scheduled_at)
        for item in plane.results
        if item.monitor_id == "mon_00000003" and item.kind == "scheduled" and item.scheduled_at
    )
    assert {at % 1000 for at in scheduled} == {scheduled[0] % 1000}
    lags = sorted(item.lag_ms for item in plane.results)
    assert lags[len(lags) // 2] < 50


async def test_a_failure_is_told_within_a_moment_of_its_end(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    target.mood = Mood.WRONG
    plane.assign(a_monitor("mon_00000001", target.url))
    async with probing(plane, tmp_path):
        await until(lambda: plane.results)
        heard_at = wall()
    (first, *_) = plane.results
    assert first.observed_at is not None
    assert (first.ok, first.status_code) == (False, 503)
    assert first.failure is not None
    assert first.failure.kind == "status_mismatch"
    assert heard_at - from_datetime(first.observed_at) < 200


async def test_a_change_takes_effect_within_a_second(plane: ControlPlane, target: HttpTarget, tmp_path: Path) -> None:
    plane.assign(a_monitor("mon_00000001", target.url + "/old"))
    async with probing(plane, tmp_path):
        await until(lambda: plane.results)
        plane.assign(
            a_monitor("mon_00000001", target.url + "/new", config_version=2),
            a_monitor("mon_00000002", target.url + "/added"),
        )
        await until(lambda: any(arrival.path == "/new" for arrival in target.arrivals))
        await until(lambda: any(arrival.path == "/added" for arrival in target.arrivals))
        plane.remove("mon_00000001")
        await asyncio.sleep(0.3)
        seen = len([arrival for arrival in target.arrivals if arrival.path == "/new"])
        await asyncio.sleep(2)
        assert len([arrival for arrival in target.arrivals if arrival.path == "/new"]) == seen
        await until(lambda: len([item for item in plane.results if item.monitor_id == "mon_00000002"]) >= 3)
    assert {item.config_version for item in plane.results if item.monitor_id == "mon_00000001"} == {1, 2}


async def test_without_the_control_plane_results_are_kept_and_delivered_later(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(*fleet(target, 10))
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.results) >= 10)
        await asyncio.to_thread(plane.stop)
        away_from = wall()
        await asyncio.sleep(3)
        away_until = wall()
        await asyncio.to_thread(plane.start)
        begun = monotonic()
        await until(lambda: observed(plane, away_until, away_until + DAY))
        assert monotonic() - begun < 2
    during = observed(plane, away_from, away_until)
    assert len(during) >= 28
    assert [item.seq for item in plane.items] == list(range(1, len(plane.items) + 1))
    assert plane.gaps == []


async def test_a_restart_without_the_control_plane_goes_on_checking(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(*fleet(target, 5))
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.results) >= 10)
    await asyncio.to_thread(plane.stop)
    before = len(target.arrivals)
    async with probing(plane, tmp_path):
        await until(lambda: len(target.arrivals) >= before + 10)
    await asyncio.to_thread(plane.start)
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.results) >= before + 10)
    assert [item.seq for item in plane.items] == list(range(1, len(plane.items) + 1))
    assert max(identities(plane.results).values()) == 1


async def test_what_was_missed_by_a_restart_is_one_gap_per_monitor(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(*fleet(target, 5))
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.results) >= 10)
    await asyncio.sleep(3)
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.gaps) >= 5)
        await until(lambda: len(plane.results) >= 15)
    assert Counter(gap.monitor_id for gap in plane.gaps) == {f"mon_{number:08d}": 1 for number in range(5)}
    assert {gap.reason for gap in plane.gaps} == {"restart"}
    assert all(gap.count in {2, 3, 4} for gap in plane.gaps)
    assert not [item for item in plane.results if item.kind == "first" and item.seq > plane.gaps[0].seq]


async def test_a_stop_hands_over_everything_that_was_seen(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(*fleet(target, 20))
    async with probing(plane, tmp_path):
        await until(lambda: len(target.arrivals) >= 50)
    assert len(plane.results) == len(target.arrivals)


async def test_a_stop_waits_two_seconds_for_checks_and_no_longer(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    target.mood = Mood.SILENT
    monitor = a_monitor("mon_00000001", target.url, interval_seconds=60, timeout_ms=30_000)
    plane.assign(monitor)
    async with probing(plane, tmp_path):
        await until(lambda: target.arrivals)
        begun = monotonic()
    assert 1.9 < monotonic() - begun < 3.5
    assert plane.results == []


async def test_the_control_plane_can_make_the_policy_stricter(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.policy = ["loopback", "a-class-of-the-future"]
    plane.assign(a_monitor("mon_00000001", target.url))
    async with probing(plane, tmp_path):
        await until(lambda: plane.results)
    assert plane.results[0].ok is None
    assert plane.results[0].failure is not None
    assert plane.results[0].failure.kind == "blocked_by_policy"
    assert target.connections == 0


async def test_a_monitor_that_this_probe_does_not_understand_harms_no_other(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(
        a_monitor("mon_00000001", target.url, type="quantum"),
        a_monitor("mon_00000002", target.url, spec={"uri": target.url}),
        a_monitor("mon_00000003", target.url),
    )
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.results) >= 2)
    assert {item.monitor_id for item in plane.results} == {"mon_00000003"}


async def test_a_heartbeat_knows_the_load(plane: ControlPlane, target: HttpTarget, tmp_path: Path) -> None:
    target.mood = Mood.SILENT
    plane.assign(*(a_monitor(f"mon_{number:08d}", target.url, timeout_ms=900) for number in range(10)))
    async with probing(plane, tmp_path):
        await until(lambda: len(plane.heartbeats) >= 4)
    load = plane.heartbeats[-1][1].load
    assert load.in_flight >= 3
    assert 0 < load.lag_p99_ms < 500
    assert 0 < load.cpu_pct < 100


async def test_a_second_probe_in_the_same_directory_is_refused(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    async with probing(plane, tmp_path):
        await until(lambda: plane.heartbeats)
        with pytest.raises(FolderInUseError):
            await run(settings(plane, tmp_path), wall=wall, monotonic=monotonic, stop=asyncio.Event())


async def test_a_wall_clock_that_cannot_be_right_is_refused(plane: ControlPlane, tmp_path: Path) -> None:
    async with probing(plane, tmp_path):
        await until(lambda: plane.heartbeats)
    with pytest.raises(ClockBehindError):
        await run(
            settings(plane, tmp_path),
            wall=lambda: wall() - DAY - 60_000,
            monotonic=monotonic,
            stop=asyncio.Event(),
        )


async def test_a_wall_clock_that_jumps_makes_a_gap_and_no_failure(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    shift, stop = [0], asyncio.Event()
    plane.assign(*fleet(target, 3))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            run(settings(plane, tmp_path), wall=lambda: wall() + shift[0], monotonic=monotonic, stop=stop)
        )
        await until(lambda: len(plane.results) >= 6)
        shift[0] += 3_600_000
        await until(lambda: len(plane.gaps) >= 3)
        seen = len(plane.results)
        shift[0] -= 3_600_000
        await until(lambda: len(plane.results) >= seen + 9)
        stop.set()
    assert {gap.reason for gap in plane.gaps} == {"clock_step"}
    assert all(3599 <= (gap.count or 0) <= 3601 for gap in plane.gaps)
    assert max(identities(plane.results).values()) == 1
    assert all(item.ok for item in plane.results)


_PROBE = """
import asyncio, sys
from pathlib import Path
from time import monotonic
from statuspulse.domain.secret import Secret
from statuspulse.egress.policy import Policy
from statuspulse.probe.agent import ProbeSettings, run
from tests.probe.test_agent import KEY, wall

settings = ProbeSettings(
    server_url=sys.argv[1], key=Secret(KEY), data_dir=Path(sys.argv[2]), policy=Policy(), version="1", boot_id="b"
)
asyncio.run(run(settings, wall=wall, monotonic=monotonic, stop=asyncio.Event()))
"""


@contextlib.asynccontextmanager
async def probe_process(plane: ControlPlane, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A probe of its own, killed in the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROBE, plane.url, str(folder), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_after_a_kill_numbers_go_on_and_no_slot_comes_twice(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(*fleet(target, 30))
    for life in range(1, 5):
        async with probe_process(plane, tmp_path / "probe"):
            before = len(plane.results)
            await until(lambda: len(plane.results) >= before + 40)  # noqa: B023
            await asyncio.sleep(0.13 * life)
    assert [item.seq for item in plane.items] == list(range(1, len(plane.items) + 1))
    assert max(identities(plane.results).values()) == 1
    assert all(item.ok for item in plane.results)
    assert len([item for item in plane.results if item.kind == "first"]) <= 30
    assert {gap.reason for gap in plane.gaps} <= {"restart"}


async def test_a_kill_while_nobody_listens_loses_a_moment_at_most(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    plane.assign(*fleet(target, 30))
    async with probe_process(plane, tmp_path / "probe"):
        await until(lambda: len(plane.results) >= 40)
        await asyncio.to_thread(plane.stop)
        await asyncio.sleep(2)
        killed_at = wall()
    await asyncio.to_thread(plane.start)
    checked = len(target.arrivals)
    async with probe_process(plane, tmp_path / "probe"):
        await until(lambda: plane.gaps)
        await until(lambda: len(plane.results) >= checked)
    assert checked - len(observed(plane, 0, killed_at)) <= 20
    assert max(identities(plane.results).values()) == 1


async def test_a_frozen_probe_voids_what_was_in_flight_and_blames_itself(
    plane: ControlPlane, target: HttpTarget, tmp_path: Path
) -> None:
    target.delay_seconds = 0.3
    plane.assign(*fleet(target, 30))
    async with probe_process(plane, tmp_path / "probe") as process:
        await until(lambda: len(plane.results) >= 40)
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(3)
        process.send_signal(signal.SIGCONT)
        await until(lambda: len(plane.gaps) >= 30)
        seen = len(plane.results)
        await until(lambda: len(plane.results) >= seen + 60)
    assert not [item for item in plane.results if item.ok is False]
    void = [item for item in plane.results if item.ok is None]
    assert {item.failure.kind for item in void if item.failure} == {"self_stall"}
    assert 1 <= len(void) <= 30
    assert {gap.reason for gap in plane.gaps} == {"self_stall"}
    assert Counter(gap.monitor_id for gap in plane.gaps) == {f"mon_{number:08d}": 1 for number in range(30)}
    assert max(identities(plane.results).values()) == 1
