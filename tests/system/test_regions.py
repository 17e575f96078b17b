"""Probes in other regions as real processes: they join, share, hand over, take over, and say what is wrong."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from statuspulse.domain.times import HOUR, SECOND
from tests.system.far_probes import FarProbe, far_probes, key_file, slots
from tests.system.server import Server, eventually, now_ms, server
from tests.targets import HttpTarget

_PROJECT = Path(__file__).parents[2]
_OFFLINE_AFTER = 15 * SECOND
_COUNT = 12


def grow(served: Server, target: HttpTarget, region: str, count: int = _COUNT) -> list[str]:
    """Monitors that are checked every second from one region."""
    return [
        served.create(name=f"Shop {number}", type="http", url=f"{target.url}/{number}", regions=[region])
        for number in range(count)
    ]


def shares(served: Server, ids: list[str], since: int) -> set[str]:
    """Whoever has looked at a monitor last; empty while one was not looked at since then."""
    found = [slots(served, monitor_id, since) for monitor_id in ids]
    return {one[-1][1] for one in found} if all(found) else set()


def missed(served: Server, monitor_id: str) -> list[int]:
    """Slots between the first and the last without a result."""
    due = [at for at, _ in slots(served, monitor_id)]
    return sorted(set(range(due[0], due[-1], SECOND)) - set(due))


def assigned(probe: FarProbe) -> int:
    count: int = probe.shown()["assigned"]
    return count


def test_two_probes_share_a_region_and_one_hands_over_without_a_missed_slot(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start("--no-probe")
        with far_probes(served, "eu", "eu") as (one, two):
            ids = grow(served, target, "eu")
            both = {one.id, two.id}
            eventually(lambda: shares(served, ids, 0) == both)
            assert assigned(one) + assigned(two) == _COUNT
            assert served.call("PATCH", f"/probes/{two.id}", {"draining": True}).json()["status"] == "draining"
            drained_at = now_ms()
            # It looks on for five seconds, and the copies of slots that both have seen change nothing.
            eventually(lambda: shares(served, ids, drained_at + 7 * SECOND) == {one.id})
            assert (assigned(one), assigned(two)) == (_COUNT, 0)
            assert two.stop() == 0
            assert [missed(served, monitor_id) for monitor_id in ids] == [[]] * _COUNT
            doubled = "SELECT count(*) FROM results GROUP BY monitor_key, region_key, scheduled_at HAVING count(*) > 1"
            assert served.rows(doubled) == []
            assert served.value("SELECT count(*) FROM incidents") == 0


@pytest.mark.faults
@pytest.mark.timeout(180)
def test_a_killed_probe_is_replaced_within_fifteen_seconds(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start("--no-probe")
        with far_probes(served, "eu", "eu") as (one, two):
            ids = grow(served, target, "eu")
            eventually(lambda: shares(served, ids, 0) == {one.id, two.id})
            two.kill()
            killed_at = now_ms()
            eventually(lambda: assigned(one) == _COUNT, seconds=20)
            assert now_ms() - killed_at <= _OFFLINE_AFTER + SECOND
            since = now_ms()
            eventually(lambda: shares(served, ids, since) == {one.id}, seconds=5)
            two.start()
            eventually(lambda: shares(served, ids, now_ms() - 2 * SECOND) == {one.id, two.id})
            assert served.value("SELECT count(*) FROM incidents") == 0


def test_a_wrong_clock_moves_no_history(tmp_path: Path) -> None:
    """The probe's clock is an hour ahead from the start, and then an hour and a half."""
    clocks = tmp_path / "clocks"
    clocks.write_bytes(struct.pack("<qq", HOUR, 0))
    with HttpTarget() as target, server(tmp_path) as served:
        served.start("--no-probe")
        made = served.call("POST", "/probes", {"name": "late", "region": "eu"}).json()
        begun_at = now_ms()
        (monitor,) = grow(served, target, "eu", 1)
        command = [sys.executable, "-m", "tests.faults.probe", served.url, str(tmp_path / "late"), str(clocks)]
        probe = subprocess.Popen(command, cwd=_PROJECT, env={**os.environ, "PROBE_KEY": made["key"]})
        try:
            eventually(lambda: len(slots(served, monitor)) >= 4)
            assert abs(served.get(f"/probes/{made['id']}")["clock_skew_ms"] - HOUR) < 500
            set_at = now_ms()
            clocks.write_bytes(struct.pack("<qq", 3 * HOUR // 2, 0))
            eventually(lambda: len(slots(served, monitor, set_at + SECOND)) >= 4)
            assert served.status(monitor)["state"] == "up"
            first, last = begun_at - SECOND, now_ms() + SECOND
            times = served.rows(
                "SELECT min(scheduled_at), max(scheduled_at), min(scheduled_at + observed_after_ms), "
                "max(scheduled_at + observed_after_ms) FROM results"
            )
            assert all(first <= at <= last for at in times[0])
            gaps = served.rows("SELECT from_at, to_at FROM gap_records")
            assert all(first <= at <= last for gap in gaps for at in gap)
        finally:
            probe.terminate()
            assert probe.wait(20) == 0


def test_a_change_reaches_a_probe_elsewhere_within_a_second(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start("--no-probe")
        with far_probes(served, "eu"):
            (monitor,) = grow(served, target, "eu", 1)
            eventually(lambda: target.arrivals)
            edit = {"url": f"{target.url}/edited"}
            answer = served.call("PATCH", f"/monitors/{monitor}", edit)
            answered_at = now_ms()
            assert answer.status_code == 200
            eventually(lambda: target.arrivals[-1].path == "/edited")
            first = next(arrival for arrival in target.arrivals if arrival.path == "/edited")
            late = [one for one in target.arrivals if one.path == "/0" and one.wall_ms > answered_at + SECOND]
            # In force within a second, and then the next slot comes within an interval.
            assert first.wall_ms - answered_at < 2 * SECOND
            assert late == []


def test_a_lost_spool_goes_on_behind_what_is_committed(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start("--no-probe")
        with far_probes(served, "eu") as (probe,):
            (monitor,) = grow(served, target, "eu", 1)
            eventually(lambda: len(slots(served, monitor)) >= 3)
            probe.kill()
            for path in sorted((probe.folder / "data").rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()
            before = committed_through(served, probe)
            lost_at = now_ms()
            probe.start()
            eventually(lambda: len(slots(served, monitor, lost_at)) >= 2)
            assert before < committed_through(served, probe) < before + 60
            assert "probe.results_renumbered" in probe.log or committed_through(served, probe) > before


def committed_through(served: Server, probe: FarProbe) -> int:
    through: int = served.value("SELECT committed_through FROM probes WHERE id = ?", probe.id)
    return through


def test_what_hinders_the_start_is_said_in_one_line(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start("--no-probe")
        made = served.call("POST", "/probes", {"name": "x", "region": "eu"}).json()
        other = served.call("POST", f"/probes/{made['id']}/rotate-key", {"overlap_seconds": 0}).json()["key"]
        for url, key, said in (
            (served.url, made["key"], "does not know the probe's key (status 401)"),
            (target.url, other, "is no StatusPulse server"),
            ("http://127.0.0.1:1", other, "cannot be reached"),
            ("http://status.invalid", other, "in clear; use https"),
            ("http://192.0.2.7:8080", other, "in clear; use https"),
            ("https://nobody.invalid", other, "cannot be reached"),
            ("status.example.com", other, "http:// or https://"),
            (served.url, "sk_live_0000111122223333", "holds no probe key"),
            (served.url, other[:-1] + ("a" if other[-1] != "a" else "b"), "holds no probe key"),
        ):
            path = key_file(tmp_path, key)
            ended = served.command("probe", "--server", url, "--data-dir", str(tmp_path / "p"), "--key-file", str(path))
            assert (ended.returncode, ended.stdout) == (2, ""), url
            assert said in ended.stderr.splitlines()[-1]
            assert "Traceback" not in ended.stderr
            assert key not in ended.stderr


def test_a_probe_whose_key_was_taken_keeps_on_checking(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start("--no-probe")
        with far_probes(served, "eu", "eu") as (probe, _):
            grow(served, target, "eu", 4)
            eventually(lambda: len(target.arrivals) >= 8)
            served.call("POST", f"/probes/{probe.id}/rotate-key", {"overlap_seconds": 0})
            eventually(lambda: "status 401" in probe.log)
            before = len(target.arrivals)
            eventually(lambda: len(target.arrivals) >= before + 8)
            assert probe.popen.poll() is None
            assert probe.stop() == 0
