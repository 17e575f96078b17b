"""With too much in work what can wait is turned away first, probes and incidents last."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from starlette.types import Message, Receive, Scope, Send

from statuspulse.api.dependencies import CheckOutcome
from statuspulse.api.overload import Overload, Rank, rank_of
from tests.api.server import WRITER, Api, running
from tests.targets import until

PLACES = 8
# How many calls may be in work before one of the rank is turned away.
LETS_IN = {
    "/v1/openapi.json": 2,
    "/v1/monitors/mon_00000000/results": 3,
    "/v1/monitors": 4,
    "/v1/incidents": 6,
    "/v1/agent/heartbeat": 8,
}


class Jam:
    """Calls that stay in work until they are let go: each asks for a check of readiness that waits."""

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._arrived = threading.Semaphore(0)
        self._callers = ThreadPoolExecutor(PLACES)
        self._calls: list[Future[requests.Response]] = []

    async def check(self) -> CheckOutcome:
        go = asyncio.Event()
        self._waiting.append((asyncio.get_running_loop(), go))
        self._arrived.release()
        await go.wait()
        return CheckOutcome(ok=True, value=None)

    def grow(self, api: Api) -> None:
        self._calls.append(self._callers.submit(requests.get, f"{api.url}/readyz", timeout=30))
        assert self._arrived.acquire(timeout=10)

    def end(self) -> list[int]:
        while self._waiting:
            loop, go = self._waiting.pop()
            loop.call_soon_threadsafe(go.set)
        statuses = [call.result().status_code for call in self._calls]
        self._callers.shutdown()
        return statuses


@contextmanager
def jammed(folder: Path) -> Iterator[tuple[Api, Jam]]:
    jam = Jam()
    with running(folder, places=PLACES, checks={"jam": jam.check}) as api:
        try:
            yield api, jam
        finally:
            jam.end()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statuspulse.api.resources.system._CHECK_SECONDS", 60.0)


def ask(api: Api, path: str) -> requests.Response:
    method, token = ("POST", api.probe_key) if path.startswith("/v1/agent") else ("GET", WRITER)
    return api.call(method, path, token=token)


def test_the_more_is_in_work_the_less_is_let_in(tmp_path: Path) -> None:
    with jammed(tmp_path) as (api, jam):
        for taken in range(PLACES + 1):
            for path, lets_in in LETS_IN.items():
                answer = ask(api, path)
                assert (answer.status_code == 503) == (taken >= lets_in), f"{path} with {taken} in work"
                if answer.status_code == 503:
                    assert answer.headers["Retry-After"] == "2"
                    assert answer.json()["error"]["code"] == "overloaded"
                    assert answer.json()["type"].endswith("#temporary-reduced-capacity")
            assert api.call("GET", "/healthz", token=None).status_code == 200
            if taken < PLACES:
                jam.grow(api)
        assert jam.end() == [200] * PLACES
        for path in LETS_IN:
            assert ask(api, path).status_code != 503


def test_bodies_that_come_slowly_take_no_places(tmp_path: Path) -> None:
    head = f"POST /v1/monitors HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {WRITER}\r\nContent-Length: 100\r\n\r\n{{"
    with running(tmp_path, places=PLACES) as api:
        address = urlsplit(api.url)
        slow = [socket.create_connection((address.hostname or "", address.port or 0)) for _ in range(4 * PLACES)]
        for connection in slow:
            connection.sendall(head.encode())
        for _ in range(5):
            assert api.call("GET", "/v1/openapi.json", token=None).status_code == 200
        for connection in slow:
            with closing(connection):
                connection.sendall(b" " * 99)
                assert b" 415 " in connection.recv(100)


def test_a_call_whose_body_ends_when_there_is_no_place_left_is_turned_away(tmp_path: Path) -> None:
    head = f"POST /v1/monitors HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {WRITER}\r\nContent-Length: 100\r\n\r\n{{"
    with jammed(tmp_path) as (api, jam):
        address = urlsplit(api.url)
        with closing(socket.create_connection((address.hostname or "", address.port or 0))) as slow:
            slow.sendall(head.encode())
            assert api.call("GET", "/v1/monitors").status_code == 200  # it was let in before
            for _ in range(LETS_IN["/v1/monitors"]):
                jam.grow(api)
            slow.sendall(b" " * 99)
            assert b" 503 " in slow.recv(100)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/v1/agent/results", Rank.PROBES),
        ("GET", "/v1/agent/assignments", None),
        ("POST", "/v1/monitors/mon_1/check", None),
        ("POST", "/v1/monitors/test", None),
        ("GET", "/v1/events/stream", None),
        ("GET", "/healthz", None),
        ("GET", "/metrics", Rank.PROBES),
        ("GET", "/ping/key", Rank.PROBES),
        ("PATCH", "/v1/incidents/inc_1", Rank.INCIDENTS),
        ("GET", "/v1/incidents/inc_1/timeline", Rank.HISTORY),
        ("GET", "/v1/status/mon_1", Rank.CONFIGURATION),
        ("PUT", "/v1/monitors/mon_1/config", Rank.CONFIGURATION),
        ("GET", "/v1/monitors/mon_1/results", Rank.HISTORY),
        ("GET", "/v1/openapi.yaml", Rank.PUBLIC),
        ("GET", "/", Rank.PUBLIC),
        ("GET", "/v1", Rank.PUBLIC),
    ],
)
def test_every_call_has_its_rank(method: str, path: str, expected: Rank | None) -> None:
    assert rank_of(method, path) is expected


@dataclass
class Crowd:
    """Calls that stay in work until they are let go, and what each was answered."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    working: int = 0
    statuses: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._overload = Overload(self._work, places=1000, is_read_only=lambda: False, public_url="")

    async def call(self, path: str) -> None:
        async def sent() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def taken(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])

        state = {"request_id": "req_1"}
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "state": state}
        await self._overload(scope, sent, taken)

    async def _work(self, _scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        self.working += 1
        await self.go.wait()
        self.working -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def test_what_can_wait_takes_turns_and_incidents_do_not() -> None:
    crowd = Crowd()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(40):
            tasks.create_task(crowd.call("/v1/monitors"))
        await until(lambda: crowd.working == 12)
        tasks.create_task(crowd.call("/v1/incidents"))
        await until(lambda: crowd.working == 13)
        tasks.create_task(crowd.call("/v1/openapi.json"))
        await until(lambda: crowd.working == 14)
        crowd.go.set()
    assert crowd.statuses == [200] * 42


@pytest.mark.virtual_time
async def test_who_has_no_turn_within_two_seconds_is_turned_away() -> None:
    crowd = Crowd()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(15):
            tasks.create_task(crowd.call("/v1/monitors"))
        await asyncio.sleep(1.9)
        assert crowd.statuses == []
        await asyncio.sleep(0.2)
        assert crowd.statuses == [503] * 3
        crowd.go.set()
    assert crowd.statuses[3:] == [200] * 12
