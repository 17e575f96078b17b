"""Two hundred callers ask for more than can be answered; checks go on, and so does whoever acknowledges."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
import requests

from statuspulse.domain.times import to_text
from tests.faults.conftest import Record
from tests.faults.flood import flood, told
from tests.system.server import TOKEN, Server, eventually, now_ms, server
from tests.targets import HttpTarget

CONNECTIONS = 200
CHECKS_PER_SECOND = 200
ACKNOWLEDGER, READER, WRITER = "sk_live_acknowledger0001", "sk_live_floodreader00001", "sk_live_floodwriter00001"
FLOODERS = (READER, WRITER, "sk_live_nobodys00000001", "-")
_SCHEDULED = 0


@dataclass(frozen=True)
class Form:
    """Bounds are those of an idle machine in the long form; in the short one others may work."""

    seconds: float
    warm_up: float
    missed_share: float
    lag_ms: float
    answer_ms: float
    recovered_seconds: float
    refused_share: float


SHORT = Form(6, 2, missed_share=0.2, lag_ms=3000, answer_ms=8000, recovered_seconds=10, refused_share=0.3)
LONG = Form(60, 10, missed_share=0.01, lag_ms=500, answer_ms=1000, recovered_seconds=5, refused_share=0)


@dataclass
class Honest:
    """Somebody who acknowledges incidents and a probe that ships, each call as soon as the one before is answered."""

    served: Server
    probe_key: str
    took_ms: dict[str, list[float]] = field(default_factory=lambda: {"acknowledge": [], "ingest": []})
    refused: list[str] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        end = Event()
        threads = [Thread(target=self._work, args=(end, name)) for name in self.took_ms]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            end.set()
            for thread in threads:
                thread.join()

    def _work(self, end: Event, name: str) -> None:
        with requests.Session() as session:
            session.trust_env = False
            number = -1
            while not end.wait(0.05):
                number += 1
                begun = time.monotonic()
                answer = self._acknowledge(session, number) if name == "acknowledge" else self._ship(session)
                self.took_ms[name].append((time.monotonic() - begun) * 1000)
                if answer.status_code not in {200, 201}:
                    self.refused.append(f"{name} {answer.status_code}")

    def _acknowledge(self, session: requests.Session, number: int) -> requests.Response:
        """Each other call opens what the next one acknowledges."""
        opened = {"state": "triggered", "title": "Flood", "notify": False}
        moved = {"state": "acknowledged"} if number % 2 else opened
        return self._post(session, "incidents", {"dedup_key": f"flood-{number // 2}", **moved}, ACKNOWLEDGER)

    def _ship(self, session: requests.Session) -> requests.Response:
        body = {"sent_at": to_text(now_ms()), "results": []}
        return self._post(session, "agent/results", body, self.probe_key)

    def _post(self, session: requests.Session, path: str, body: object, token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return session.post(f"{self.served.url}/v1/{path}", json=body, headers=headers, timeout=30)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(SHORT, id="short", marks=pytest.mark.faults),
        pytest.param(LONG, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(300)]),
    ],
)
def test_a_flood_of_calls_makes_no_check_late_and_no_acknowledgement_wait(
    form: Form, tmp_path: Path, record: Record
) -> None:
    limits = {"RATE_LIMITS": "api=1500/60,writes=1500/60,incidents=0,ip=60/60"}
    with HttpTarget() as target, server(tmp_path, BOOTSTRAP_TOKEN="", **limits) as served:
        seeded = served.command("admin", "seed", "--file", "-", sent=_seed(target.url))
        assert seeded.returncode == 0, seeded.stderr
        served.start()
        probe = {"name": "shipper", "region": "far"}
        key = served.call("POST", "/probes", probe).json()["key"]
        port = urlsplit(served.url).port or 0
        eventually(lambda: served.value("SELECT count(*) FROM results") > CHECKS_PER_SECOND, 30)
        with flood(port, form.warm_up, CONNECTIONS, FLOODERS) as first:
            told(first, form.warm_up + 30)
        routes = _routes(served)
        honest = Honest(served, key)
        begin = now_ms()
        with flood(port, form.seconds, CONNECTIONS, FLOODERS) as callers:
            with honest.at_work():
                said = told(callers, form.seconds + 60)
            end = now_ms()
        recovered = _recovered(served, form.recovered_seconds)
        more = _routes(served) - routes
        lags = _lags(served, begin, end)
    due = CHECKS_PER_SECOND * (end - begin) // 1000
    missed_share = max(0.0, 1 - len(lags) / due)
    p99s = {name: _p99(took) for name, took in honest.took_ms.items()}
    record(**said, missed_share=round(missed_share, 4), lag_p99_ms=_p99(lags), **p99s, recovered_seconds=recovered)
    assert said["statuses"].keys() >= {"200", "401"}
    assert said["statuses"].keys() & {"429", "503"}
    assert not [status for status in said["statuses"] if status.startswith("5") and status != "503"]
    assert said["without_wait"] == 0
    assert len(honest.refused) <= form.refused_share * sum(map(len, honest.took_ms.values()))
    assert min(map(len, honest.took_ms.values())) >= form.seconds / 3
    assert missed_share <= form.missed_share
    assert _p99(lags) <= form.lag_ms
    assert max(p99s.values()) <= form.answer_ms
    assert recovered <= form.recovered_seconds
    assert more == set()


def _seed(url: str) -> bytes:
    monitor = {"type": "http", "interval_seconds": 1, "timeout_ms": 900, "retry": {"count": 0, "delay_ms": 1000}}
    return json.dumps(
        {
            "team": {"name": "Flooded", "slug": "flooded"},
            "tokens": [
                {"name": "admin", "token": TOKEN, "scopes": ["admin"]},
                {"name": "acknowledger", "token": ACKNOWLEDGER, "scopes": ["incidents:write"]},
                {"name": "reader", "token": READER, "scopes": ["read"]},
                {"name": "writer", "token": WRITER, "scopes": ["write"]},
            ],
            "monitors": [
                {"id": f"mon_{number:08d}", "name": f"Shop {number}", "url": f"{url}/{number}", **monitor}
                for number in range(CHECKS_PER_SECOND)
            ],
        }
    ).encode()


def _routes(served: Server) -> set[str]:
    """The routes that metrics tell of and nobody has described: what a caller invents is none."""
    told = set(re.findall(r'route="([^"]*)"', served.get_raw("/metrics").text))
    # Behind a flood whoever can wait is told to wait a moment longer.
    described = eventually(lambda: served.call("GET", "/openapi.json").json().get("paths"), 10)
    return told - set(described) - {"/metrics", "/docs", "/openapi.json", "/v1/openapi.json"}


def _recovered(served: Server, patience: float) -> float:
    """Seconds until a call takes no longer than it would on any other day."""
    begun = time.monotonic()

    def is_quick() -> bool:
        asked = time.monotonic()
        return served.call("GET", "/monitors?limit=10").status_code == 200 and time.monotonic() - asked < 0.2

    eventually(is_quick, patience + 5)
    return round(time.monotonic() - begun, 2)


def _lags(served: Server, begin: int, end: int) -> list[float]:
    """Lateness (ms) of the regular checks that were due in a window; the last of them are on their way."""
    query = "SELECT lag_us FROM results WHERE kind = ? AND scheduled_at >= ? AND scheduled_at < ?"
    due = CHECKS_PER_SECOND * (end - begin) // 1000

    def found() -> list[float]:
        return [row[0] / 1000 for row in served.rows(query, _SCHEDULED, begin, end)]

    with suppress(AssertionError):
        eventually(lambda: len(found()) >= due, 3)
    return found()


def _p99(samples: list[float]) -> float:
    """The nearest rank."""
    return round(sorted(samples)[-1 - len(samples) // 100], 1) if samples else float("inf")
