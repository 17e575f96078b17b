"""A job that calls the real process: silence is told, a kill -9 is nobody's fault, and no key turns up anywhere."""

from __future__ import annotations

from pathlib import Path

from tests.delivery.receiver import Receiver
from tests.system.server import Server, eventually, now_ms, server


def _state(served: Server, monitor_id: str) -> str:
    state: str = served.status(monitor_id)["state"]
    return state


def _path(served: Server, monitor_id: str) -> str:
    url: str = served.get(f"/monitors/{monitor_id}")["ping_url"]
    return "/ping/" + url.rpartition("/")[2]


def _heartbeat(served: Server, **members: object) -> str:
    body = {"name": "Backup", "type": "heartbeat", "grace_seconds": 1, **members}
    answer = served.call("POST", "/monitors", body)
    assert answer.status_code == 201, answer.text
    created: str = answer.json()["id"]
    return created


def test_silence_is_told_once_through_kills_and_the_time_of_a_kill_is_nobodys_fault(tmp_path: Path) -> None:
    with Receiver() as slack, server(tmp_path, SLACK_BASE_URL=slack.url) as served:
        served.start("--no-probe")
        hook = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/hook1"
        silent = _heartbeat(served, name="Silent", period_seconds=2, notifications=[hook])
        rare = _heartbeat(served, name="Rare", period_seconds=3600, grace_seconds=3600)
        failing = _heartbeat(served, name="Failing", period_seconds=3600)
        paths = {monitor_id: _path(served, monitor_id) for monitor_id in (silent, rare, failing)}
        for monitor_id in (silent, rare):
            answer = served.get_raw(paths[monitor_id])
            assert (answer.status_code, answer.text) == (200, "OK\n")
        assert served.get_raw(f"{paths[failing]}/7").status_code == 200
        pinged_at = now_ms()

        # What was answered is committed, and a deadline is a row: the kill takes neither away.
        served.kill()
        served.start("--no-probe")
        assert _state(served, failing) == "down"
        assert _state(served, rare) == "up"
        eventually(lambda: _state(served, silent) == "down")
        status = served.status(silent)
        assert status["heartbeat"]["failure"]["class"] == "heartbeat_missed"
        assert status["metrics"]["unknown_seconds"] > 0
        assert now_ms() - pinged_at > 3000
        eventually(lambda: len(slack.texts()) == 1)

        served.kill()
        served.start("--no-probe")
        assert served.get_raw(paths[silent]).status_code == 200
        eventually(lambda: _state(served, silent) == "up")
        eventually(lambda: len(slack.texts()) == 2)
        assert [text.split(":")[0] for text in slack.texts()] == ["DOWN", "UP"]
        rows = served.rows("SELECT state, count(*) FROM incidents GROUP BY state ORDER BY state")
        assert rows == [("resolved", 1), ("triggered", 1)]

        metrics = served.get_raw("/metrics").text
        assert served.stop() == 0
        printed = metrics + "".join(run.said + run.complained for run in served.runs)
        keys = [path.rpartition("/")[2] for path in paths.values()]
        assert [key for key in keys if key in printed] == []
        kept = [path for path in served.data_dir.rglob("*") if path.is_file()]
        assert [(path.name, key) for path in kept for key in keys if key.encode() in path.read_bytes()] == []
