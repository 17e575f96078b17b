"""From a decision to the receivers: sick ones among them cost the others nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from statuspulse.domain.times import from_text
from tests.faults.fleet import p99
from tests.system.server import eventually, now_ms, server
from tests.targets import Arrival, HttpTarget, Mood, http_answer

pytestmark = pytest.mark.alone

_CHANNELS = 50
_DEAD = 2
_HANGING = 1


class Sink(HttpTarget):
    """Notes when each message has come."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[tuple[str, str, int]] = []

    def _answer(self, arrival: Arrival) -> bytes:
        told = json.loads(arrival.body)
        self.came.append((arrival.path, told["type"], now_ms() - from_text(told["timestamp"])))
        return http_answer(204, b"")

    def count(self, kind: str) -> int:
        return sum(one == kind for _, one, _ in self.came)


@contextmanager
def _refusing() -> Iterator[str]:
    """An address that nobody listens at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize(
    ("outages", "bound_ms"),
    [pytest.param(2, 5000, id="short"), pytest.param(20, 1000, id="long", marks=[pytest.mark.faults])],
)
@pytest.mark.timeout(400)
def test_a_decision_reaches_every_healthy_receiver_beside_sick_ones(
    tmp_path: Path, outages: int, bound_ms: int
) -> None:
    healthy = _CHANNELS - _DEAD - _HANGING
    with (
        HttpTarget() as target,
        Sink() as sink,
        HttpTarget(mood=Mood.SILENT) as silent,
        _refusing() as dead,
        server(tmp_path, DELIVERY_ALLOW="127.0.0.0/8", FLAP_DAMPING="off") as served,
    ):
        urls = [f"{dead}/{number}" for number in range(_DEAD)] + [f"{silent.url}/hook"] * _HANGING
        urls += [f"{sink.url}/{number}" for number in range(healthy)]
        served.start()
        # A monitor names 20 channels at most; a policy reaches the others.
        found = [served.call("POST", "/channels", {"url": url}).json()["id"] for url in urls]
        targets = [{"type": "channel", "id": one} for one in found]
        steps = [{"targets": targets[place : place + 10]} for place in range(0, _CHANNELS, 10)]
        policy = {"slug": "all", "name": "All", "steps": steps}
        assert served.call("POST", "/escalation-policies", policy).status_code == 201
        settings = {"settings": {"reopen_window_seconds": 0}}
        team = served.get("/me")["team_id"]
        assert served.call("PATCH", f"/teams/{team}", settings).status_code == 200
        monitor_id = served.create(
            name="Shop", type="http", url=target.url, escalation_policy="all", failure_threshold=1, notifications=[]
        )
        eventually(lambda: served.status(monitor_id)["state"] == "up")
        for number in range(1, outages + 1):
            target.mood = Mood.WRONG
            eventually(partial(_has, sink, "incident.triggered", number * healthy), 60.0)
            target.mood = Mood.HEALTHY
            eventually(partial(_has, sink, "incident.resolved", number * healthy), 60.0)
        delays = [float(delay) for _, _, delay in sink.came]
        assert p99(delays) <= bound_ms, sorted(delays)[-5:]
        assert len(sink.came) == len({(path, kind) for path, kind, _ in sink.came}) * outages
        # The breaker opens after five failures, four of which may be under way at once.
        assert len(silent.arrivals) <= 2 * outages
        assert served.stop() == 0


def _has(sink: Sink, kind: str, count: int) -> bool:
    return sink.count(kind) >= count
