"""kill -9 while calls under keys are made: whoever repeats them after the start has each thing once."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.system.server import TOKEN, Server, eventually, server

_CALLERS = 6
_KILLS = 2
_ANSWERS_BEFORE = 20


@dataclass
class Callers:
    """Make monitors, each under a key of its own, until nobody answers any more."""

    served: Server
    round: int
    sent: set[str] = field(default_factory=set)
    answered: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(_CALLERS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        for thread in self._threads:
            thread.join(60)

    def _run(self, number: int) -> None:
        with requests.Session() as session, contextlib.suppress(requests.RequestException):
            count = 0
            while True:
                key = f"{self.round}-{number}-{count}"
                self.sent.add(key)
                self.answered[key] = create(session, self.served.url, key)
                count += 1


def create(session: requests.Session, url: str, key: str) -> str:
    body: dict[str, Any] = {"name": key, "type": "http", "url": "http://127.0.0.1:9/", "paused": True}
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
    answer = session.post(f"{url}/v1/monitors", json=body, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    created: str = answer.json()["id"]
    return created


def test_what_is_repeated_after_a_crash_was_done_once(tmp_path: Path) -> None:
    made: dict[str, str] = {}
    with server(tmp_path) as served:
        served.start("--no-probe")
        for number in range(_KILLS):
            callers = Callers(served, number)
            eventually(lambda: len(callers.answered) >= _ANSWERS_BEFORE)  # noqa: B023 - asked in this turn only
            served.kill()
            callers.end()
            served.start("--no-probe")
            with requests.Session() as session:
                repeated = {key: create(session, served.url, key) for key in callers.sent}
            assert callers.answered.items() <= repeated.items()
            made |= repeated
        assert served.value("SELECT count(*) FROM monitors") == len(made) == len(set(made.values()))
