"""The control plane stands still: checks go on, and what they saw arrives when it moves again."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

import pytest

from tests.system.herd import INTERVAL, Herd, missing_slots, unseen_ms
from tests.system.server import eventually, now_ms, server
from tests.targets import HttpTarget

pytestmark = pytest.mark.alone

_STANDSTILL_MS = 5000


def _has_stood_long_enough(begun_at: int) -> bool:
    return now_ms() >= begun_at + _STANDSTILL_MS


def test_a_control_plane_that_stands_still_loses_no_check(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start()
        herd = Herd(served, target)
        herd.grow(20, with_hooks=False)
        herd.await_all_up()

        served.run.popen.send_signal(signal.SIGSTOP)
        try:
            begun_at = now_ms()
            eventually(partial(_has_stood_long_enough, begun_at))
            ended_at = now_ms()
        finally:
            served.run.popen.send_signal(signal.SIGCONT)
        eventually(lambda: all(seen[-1].scheduled_at > ended_at for seen in herd.results().values()))

        meanwhile = [arrival for arrival in target.arrivals if begun_at < arrival.wall_ms < ended_at]
        assert len(meanwhile) >= len(herd.ids) * (_STANDSTILL_MS // INTERVAL - 1)
        results = herd.results()
        assert {monitor_id: missing_slots(monitor_id, results[monitor_id]) for monitor_id in herd.ids} == {
            monitor_id: [] for monitor_id in herd.ids
        }
        assert [unseen_ms(seen) for seen in results.values()] == [0] * len(herd.ids)
        assert herd.transitions() == {monitor_id: ["up"] for monitor_id in herd.ids}
        assert served.stop() == 0
