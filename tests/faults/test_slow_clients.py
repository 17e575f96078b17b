"""Callers who send half of a call, or nothing, or never read a stream, cost honest ones nothing."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.faults.conftest import Record
from tests.faults.test_api_flood import _p99
from tests.system.server import TOKEN, Server, eventually, server

HALF_HEAD = b"GET /v1/monitors HTTP/1.1\r\nHost: a\r\n"
HALF_BODY = b"POST /v1/monitors HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nAuthorization: Bearer %s\r\n\r\n{"
STREAM = "GET /v1/events/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
_STREAMS_OF_A_TOKEN = 10
_SMALLEST_BUFFER = 4096
_KIB = 1024


@dataclass(frozen=True)
class Form:
    """How many of each kind come, and how long honest ones are watched; bounds of an idle machine in the long form."""

    halves: int
    silent: int
    streams: int
    edits: int
    head_seconds: float
    body_seconds: float
    answer_ms: float


SHORT = Form(50, 20, 10, edits=20, head_seconds=20, body_seconds=25, answer_ms=3000)
# Ten and fifteen seconds, from when a server has read what came that has six hundred edits to tell a hundred streams.
LONG = Form(500, 200, 100, edits=600, head_seconds=12, body_seconds=18, answer_ms=300)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(300)]),
    ],
)
def test_slow_callers_cost_honest_ones_nothing(form: Form, tmp_path: Path, record: Record) -> None:
    with _many_files(4 * form.halves + 1024), server(tmp_path) as served:
        served.start()
        monitor = served.call(
            "POST", "/monitors", {"name": "Shop", "type": "http", "url": "http://127.0.0.1:9/", "paused": True}
        ).json()["id"]
        before = _resident_kib(served)
        with _callers(served, form) as (heads, bodies):
            begun = time.monotonic()
            with ThreadPoolExecutor(2) as watchers:
                heads_cut = watchers.submit(_until_cut, heads, begun, form.head_seconds + 10)
                bodies_cut = watchers.submit(_until_cut, bodies, begun, form.body_seconds + 10)
                took, statuses = _edits(served, monitor, form.edits)
                heads_seconds, bodies_seconds = heads_cut.result(), bodies_cut.result()
            grown = _resident_kib(served) - before
    record(heads_seconds=heads_seconds, bodies_seconds=bodies_seconds, answer_p99_ms=_p99(took), grown_kib=grown)
    assert statuses == {200}
    assert _p99(took) <= form.answer_ms
    assert heads_seconds <= form.head_seconds
    assert bodies_seconds <= form.body_seconds
    # A connection costs some 20 KiB besides; what nobody reads is not kept for him.
    assert grown <= 256 * form.streams + 64 * (2 * form.halves + form.silent) + 32 * _KIB


def _edits(served: Server, monitor: str, count: int) -> tuple[list[float], set[int]]:
    """Changes, each an event for every stream; how long each took (ms), and what it was answered."""
    took, statuses = [], set()
    for number in range(count):
        begun = time.monotonic()
        answer = served.call("PATCH", f"/monitors/{monitor}", {"description": f"{number:04d}" * 450})
        took.append((time.monotonic() - begun) * 1000)
        statuses.add(answer.status_code)
    return took, statuses


@contextmanager
def _callers(served: Server, form: Form) -> Iterator[tuple[list[socket.socket], list[socket.socket]]]:
    """Everybody at once; those who sent half a head, and half a body."""
    address = urlsplit(served.url)
    opened: list[socket.socket] = []

    def open_with(sent: bytes, count: int, *, buffer: int | None = None) -> list[socket.socket]:
        made = []
        for _ in range(count):
            connection = socket.socket()
            opened.append(connection)
            if buffer is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            connection.settimeout(20)
            connection.connect((address.hostname, address.port))
            connection.sendall(sent)
            made.append(connection)
        return made

    try:
        for token in _tokens(served, -(-form.streams // _STREAMS_OF_A_TOKEN)):
            wanted = min(_STREAMS_OF_A_TOKEN, form.streams)
            open_with(STREAM.format(token=token).encode(), wanted, buffer=_SMALLEST_BUFFER)
        open_with(b"", form.silent)
        yield open_with(HALF_HEAD, form.halves), open_with(HALF_BODY % TOKEN.encode(), form.halves)
    finally:
        for connection in opened:
            connection.close()


def _tokens(served: Server, count: int) -> list[str]:
    body = {"name": "listener", "scopes": ["events:read"]}
    return [served.call("POST", "/tokens", body).json()["token"] for _ in range(count)]


def _until_cut(connections: list[socket.socket], begun: float, patience: float) -> float:
    """Seconds until the server has closed all of them."""
    left = set(connections)

    def all_are_cut() -> bool:
        for connection in list(left):
            connection.setblocking(False)
            try:
                if not connection.recv(65_536):
                    left.discard(connection)
            except BlockingIOError:
                continue
            except OSError:
                left.discard(connection)
        return not left

    eventually(all_are_cut, patience, lambda: f"{len(left)} are open")
    return round(time.monotonic() - begun, 1)


def _resident_kib(served: Server) -> int:
    lines = Path(f"/proc/{served.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS:")))


@contextmanager
def _many_files(wanted: int) -> Iterator[None]:
    """What this process and the server that it starts may have open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
