"""kill -9 between any two steps of an escalation: no page is lost, none comes twice, and acknowledging ends it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from tests.delivery.receiver import Receiver
from tests.system.server import Server, eventually, server

# Steps come so soon that the test is short, and so late that a server can be killed and started in between.
_DELAY_SECONDS = 4
_HOOKS = ("first", "second", "third")


def _prepare(served: Server) -> str:
    """An incident with three steps that are climbed twice; answers its id."""
    urls = [f"slack://hooks/T0A1B2C3D/B0X9Y8Z7W/{hook}" for hook in _HOOKS]
    monitor = {"name": "Shop", "type": "http", "url": "http://192.0.2.1/", "paused": True, "notifications": urls}
    shown = served.call("POST", "/monitors", monitor).json()["notifications"]
    steps = [
        {"delay_seconds": _DELAY_SECONDS * (place > 0), "targets": [{"type": "channel", "id": url.rpartition("#")[2]}]}
        for place, url in enumerate(shown)
    ]
    repeat = {"count": 1, "delay_seconds": _DELAY_SECONDS}
    policy = {"slug": "oncall", "name": "On call", "steps": steps, "repeat": repeat}
    assert served.call("POST", "/escalation-policies", policy).status_code == 201
    answer = served.call("POST", "/incidents", {"title": "Redis is full", "escalation_policy": "oncall"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _is_told(served: Server, slack: Receiver, steps: int) -> bool:
    """Whether so many steps were heard of, and it is written down: a kill from here on makes no copy."""
    pending = served.value("SELECT count(*) FROM outbox WHERE state = 'pending'")
    return len(slack.arrivals) >= steps and pending == 0


def _steps_taken(served: Server) -> int:
    return int(served.value("SELECT count(*) FROM outbox WHERE action = 'trigger'"))


@pytest.mark.parametrize(
    ("kills", "acknowledged_after"),
    [((0,), 2), pytest.param((0, 1, 2, 3), 5, marks=[pytest.mark.faults, pytest.mark.timeout(300)])],
)
def test_an_escalation_outlives_kills_and_ends_with_an_acknowledgement(
    tmp_path: Path, kills: tuple[int, ...], acknowledged_after: int
) -> None:
    with Receiver() as slack, server(tmp_path, SLACK_BASE_URL=slack.url) as served:
        served.start("--no-probe")
        incident_id = _prepare(served)
        for number in range(acknowledged_after):
            eventually(partial(_is_told, served, slack, number + 1), 60.0)
            if number in kills:
                served.kill()
                served.start("--no-probe")
        acknowledge = {"incident_id": incident_id, "state": "acknowledged"}
        assert served.call("POST", "/incidents", acknowledge).status_code == 200
        taken = _steps_taken(served)
        time.sleep(_DELAY_SECONDS + 1)
        assert _steps_taken(served) == taken
        eventually(partial(_is_told, served, slack, taken))
        heard = [arrival.path.rpartition("/")[2] for arrival in slack.arrivals]
        told = [hook for hook, text in zip(heard, slack.texts(), strict=True) if text.startswith("TRIGGERED")]
        assert told == [*_HOOKS, *_HOOKS][:taken]
        assert taken >= acknowledged_after
        assert served.value("SELECT count(*) FROM escalation_timers") == 0
        assert served.stop() == 0
        assert "Traceback" not in "".join(run.complained for run in served.runs)
