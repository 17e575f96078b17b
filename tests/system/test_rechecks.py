"""A first failure against the real process: a second look comes after seconds, not after an interval."""

from __future__ import annotations

from pathlib import Path

from tests.system.server import eventually, server
from tests.targets import HttpTarget, Mood


def test_a_failure_is_looked_at_again_after_five_seconds_and_not_after_a_day(tmp_path: Path) -> None:
    with server(tmp_path) as served, HttpTarget(mood=Mood.WRONG) as target:
        served.start()
        members = {"type": "http", "url": target.url, "interval_seconds": 86_400, "retry": {"count": 0}}
        monitor = served.create(name="Shop", **members)
        eventually(lambda: served.status(monitor)["state"] == "down", 30, told=lambda: served.status(monitor))
        kinds = served.rows("SELECT kind, verdict FROM results ORDER BY scheduled_at")
        first, second = (arrival.at for arrival in target.arrivals)
        metrics = served.get_raw("/metrics").text
    assert kinds == [(2, 1), (1, 1)]  # the first look at a new monitor and its recheck, both failed
    assert 4.9 < second - first < 12
    assert 'statuspulse_rechecks_total{outcome="failed"} 1.0' in metrics
