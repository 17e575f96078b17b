"""A target that the operator's policy refuses, through the whole process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.system.server import Server, eventually, server
from tests.targets import HttpTarget


def test_a_policy_that_gets_stricter_refuses_what_is_watched_and_opens_no_incident(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start()
        quick = {"interval_seconds": 1, "failure_threshold": 1, "retry": {"count": 0}}
        by_address = served.create(name="By address", type="http", url=target.url, **quick)
        by_name = served.create(name="By name", type="tcp", host="localhost", port=target.port, **quick)
        eventually(lambda: {served.status(one)["state"] for one in (by_address, by_name)} == {"up"})
        assert served.stop() == 0

        served.settings["PROBE_DENY"] = "loopback"
        connections = target.connections
        served.start()
        for monitor in (by_address, by_name):
            _await_refusals(served, monitor)
            status = served.status(monitor)
            assert [region["failure"]["class"] for region in status["regions"]] == ["blocked_by_policy"]
            assert (status["metrics"]["checks_failed"], status["metrics"]["downtime_seconds"]) == (0, 0)
            assert status["metrics"]["unknown_seconds"] > 0
        assert target.connections == connections
        assert served.get("/incidents")["data"] == []
        again = served.call("POST", "/monitors", {"name": "New", "type": "http", "url": target.url})
        assert again.status_code == 422
        assert [(one["param"], one["code"]) for one in again.json()["error"]["details"]] == [("url", "url_blocked")]


def _await_refusals(served: Server, monitor_id: str) -> None:
    """Until there are several of them, none of which says that the target is up or down."""
    eventually(lambda: len(_refused(served, monitor_id)) > 2)
    assert {result["ok"] for result in _refused(served, monitor_id)} == {None}


def _refused(served: Server, monitor_id: str) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = served.get(f"/monitors/{monitor_id}/results")["data"]
    return [one for one in results if one["failure"] and one["failure"]["class"] == "blocked_by_policy"]
