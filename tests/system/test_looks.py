"""Looking once, now, against the real process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.system.server import Server, eventually, server
from tests.targets import HttpTarget, Mood


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path) as started:
        started.start()
        yield started


@pytest.fixture
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        yield made


def await_the_probe(served: Server, monitor_id: str) -> None:
    """Until the probe of the host is heard, nobody can look."""
    eventually(lambda: served.call("POST", f"/monitors/{monitor_id}/check").json()["results"][0]["ok"])


def test_a_look_is_seen_by_the_probe_of_the_host_and_kept(served: Server, target: HttpTarget) -> None:
    monitor = served.create(name="Shop", type="http", url=target.url, interval_seconds=60, paused=True)
    await_the_probe(served, monitor)
    tested = served.call("POST", "/monitors/test", {"name": "New", "type": "http", "url": target.url}).json()
    assert tested["results"][0]["ok"]
    assert served.value("SELECT count(*) FROM results WHERE kind = 3") == 1
    assert served.value("SELECT count(*) FROM monitors") == 1


def test_a_stop_answers_whoever_waits_for_a_look(served: Server, target: HttpTarget) -> None:
    members = {"type": "http", "url": target.url, "interval_seconds": 60, "timeout_ms": 30_000, "paused": True}
    monitor = served.create(name="Shop", **members)
    await_the_probe(served, monitor)
    target.mood = Mood.SILENT
    answers: list[requests.Response] = []

    def ask() -> None:
        answers.append(served.call("POST", f"/monitors/{monitor}/check"))

    waiting = threading.Thread(target=ask)
    waiting.start()
    eventually(lambda: len(target.arrivals) == 2)
    begun = time.monotonic()
    assert served.stop() == 0
    waiting.join(10)
    assert time.monotonic() - begun < 6
    assert answers[0].json()["results"][0]["failure"] == {
        "class": "missed",
        "detail": "restart: the server is stopping",
    }
