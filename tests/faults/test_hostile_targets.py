"""A fifth of the targets does its worst, and the others are none the worse for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.conftest import Record
from tests.faults.fleet import duration_ms, fleet, kind_of, kinds, missed_slots, p99
from tests.faults.hostile import HostileTarget, hostile_url
from tests.probe.control_plane import ControlPlane, a_monitor
from tests.targets import HttpTarget


@dataclass(frozen=True)
class Form:
    honest: int
    hostile: int
    interval_seconds: int
    timeout_ms: int
    seconds: float
    # In the short form the machine may have other work.
    lag_ms: float
    late_end_ms: float
    missed_share: float


SHORT = Form(40, 20, 2, 1000, seconds=5, lag_ms=2000, late_end_ms=1000, missed_share=0.2)
LONG = Form(800, 200, 10, 5000, seconds=300, lag_ms=500, late_end_ms=250, missed_share=0.005)
# What our own host does to checks is no verdict on targets.
_HONEST = {"ok", "self_stall"}


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(600)]),
    ],
)
def test_a_hostile_fifth_harms_no_honest_target(form: Form, tmp_path: Path, record: Record) -> None:
    timing = {"interval_seconds": form.interval_seconds, "timeout_ms": form.timeout_ms}
    with (
        HttpTarget() as target,
        HostileTarget() as foe,
        ControlPlane() as plane,
        fleet(tmp_path, plane) as probes,
    ):
        plane.assign(
            *(
                a_monitor(f"mon_honest{number:05d}", f"{target.url}/{number}", **timing)
                for number in range(form.honest)
            ),
            *(a_monitor(f"mon_foe{number:05d}", hostile_url(foe, number), **timing) for number in range(form.hostile)),
        )
        probes.start()
        # Every manner is known by then, and with it what libcurl, the trust store and the caches need once.
        probes.watch(2 * form.interval_seconds)
        before_kib = probes.memory_kib()
        probes.watch(form.seconds)
        grown_kib = probes.memory_kib() - before_kib
        probes.stop()
        results = plane.results
    honest = [item for item in results if "honest" in item.monitor_id]
    hostile = [item for item in results if "foe" in item.monitor_id and item.failure is not None]
    lag_p99 = p99([item.lag_ms for item in honest if item.kind == "scheduled"])
    # What ended while this host itself stood still says nothing of deadlines.
    latest_end = max(duration_ms(item) for item in hostile if kind_of(item) != "self_stall") - form.timeout_ms
    missed = missed_slots(honest, form.interval_seconds * 1000) / len(honest)
    loop_lag = max(heartbeat.load.loop_lag_p99_ms for _, heartbeat in plane.heartbeats[2:])
    record(
        honest=dict(kinds(honest)),
        hostile=dict(kinds(hostile)),
        lag_p99_ms=lag_p99,
        end_after_timeout_ms=round(latest_end),
        missed_share=missed,
        grown_kib=grown_kib,
        loop_lag_p99_ms=loop_lag,
    )
    assert kinds(honest).keys() <= _HONEST
    assert {item.monitor_id for item in honest} == {f"mon_honest{number:05d}" for number in range(form.honest)}
    assert {"timeout", "tls_error", "protocol_error"} & kinds(hostile).keys()
    assert lag_p99 <= form.lag_ms
    assert latest_end <= form.late_end_ms
    assert missed <= form.missed_share
    assert grown_kib <= 64 << 10
    assert plane.violations == []
