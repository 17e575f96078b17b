"""Few places and a host that answers nobody: its own checks wait, all others run (`RELIABILITY.md` 5)."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.conftest import Record
from tests.faults.fleet import fleet, kinds, missed_slots, p99
from tests.faults.names import NamesTarget
from tests.probe.control_plane import ControlPlane, a_monitor
from tests.targets import HttpTarget, Mood

_HONEST = 20
# 42 places of which a quarter is for one destination.
_FILES = 256
_QUARTER = 10
SECONDS = pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(5, id="short"),
        pytest.param(60, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(200)]),
    ],
)


@SECONDS
def test_a_host_that_wants_more_than_its_places_misses_only_its_own_slots(
    seconds: int, tmp_path: Path, record: Record
) -> None:
    with (
        HttpTarget() as target,
        HttpTarget(mood=Mood.SILENT) as silent,
        ControlPlane() as plane,
        fleet(tmp_path, plane) as probes,
    ):
        plane.assign(
            *(
                a_monitor(f"mon_mute{number:04d}", silent.url, interval_seconds=2, timeout_ms=1500)
                for number in range(60)
            ),
            *(a_monitor(f"mon_good{number:04d}", target.url, interval_seconds=2) for number in range(_HONEST)),
        )
        probes.start(files=_FILES)
        probes.watch(seconds + 3)
        probes.stop()
    good = [item for item in plane.results if "good" in item.monitor_id]
    mute = [item for item in plane.results if "mute" in item.monitor_id]
    missed = Counter(item.monitor_id[:8] for item in plane.gaps if item.reason == "overload")
    most = max(heartbeat.load.in_flight for _, heartbeat in plane.heartbeats)
    lag_p99 = p99([item.lag_ms for item in good])
    record(missed=dict(missed), mute=dict(kinds(mute)), most_in_flight=most, lag_p99_ms=lag_p99)
    assert kinds(good).keys() <= {"ok", "self_stall"}
    assert missed_slots(good, 2000) <= len(good) // 5
    assert missed.keys() == {"mon_mute"}
    assert kinds(mute).keys() <= {"timeout", "self_stall"}
    assert kinds(mute)["timeout"] >= _QUARTER * seconds // 3
    assert most <= _QUARTER + _HONEST
    assert lag_p99 <= 2000


@SECONDS
def test_a_team_whose_targets_are_all_silent_makes_no_other_team_miss_a_slot(
    seconds: int, tmp_path: Path, record: Record
) -> None:
    with (
        HttpTarget() as target,
        ExitStack() as stack,
        ControlPlane() as plane,
        fleet(tmp_path, plane) as probes,
    ):
        # So many destinations that only the bound of the team holds: a hundred monitors want some 75 places.
        silent = [stack.enter_context(HttpTarget(mood=Mood.SILENT)) for _ in range(8)]
        plane.assign(
            *(
                a_monitor(
                    f"mon_mute{number:04d}",
                    silent[number % 8].url,
                    interval_seconds=2,
                    timeout_ms=1500,
                    team_id="team_mute0000",
                )
                for number in range(100)
            ),
            *(
                a_monitor(f"mon_good{number:04d}", target.url, interval_seconds=4, team_id="team_good0000")
                for number in range(_HONEST)
            ),
        )
        probes.start(files=_FILES)
        probes.watch(seconds + 3)
        probes.stop()
    good = [item for item in plane.results if "good" in item.monitor_id]
    missed = Counter(item.monitor_id[:8] for item in plane.gaps if item.reason == "overload")
    lag_p99 = p99([item.lag_ms for item in good])
    record(missed=dict(missed), good=dict(kinds(good)), lag_p99_ms=lag_p99)
    assert missed.keys() == {"mon_mute"}
    assert kinds(good).keys() <= {"ok", "self_stall"}
    assert missed_slots(good, 4000) <= len(good) // 5
    assert lag_p99 <= 2000


@SECONDS
def test_a_silent_ingress_of_many_names_is_found_down_and_not_missed(
    seconds: int, tmp_path: Path, record: Record
) -> None:
    with (
        HttpTarget(mood=Mood.SILENT) as ingress,
        NamesTarget() as names,
        ControlPlane() as plane,
        fleet(tmp_path, plane, names.address) as probes,
    ):
        plane.assign(
            *(
                a_monitor(
                    f"mon_{number:08d}",
                    f"http://good-{number}.test:{ingress.port}/",
                    interval_seconds=5,
                    timeout_ms=2000,
                )
                for number in range(300)
            )
        )
        probes.start()
        probes.watch(seconds + 7)
        probes.stop()
    most = max(heartbeat.load.in_flight for _, heartbeat in plane.heartbeats)
    record(seen=dict(kinds(plane.results)), most_in_flight=most)
    assert len({item.monitor_id for item in plane.results if item.ok is False}) == 300
    assert not [item for item in plane.gaps if item.reason == "overload"]
