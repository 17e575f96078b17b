"""What libraries have to say goes through our log lines, and not without end."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from statuspulse.app.log_lines import LEFT_OUT, Sparing

FLOOD = """
import asyncio, socket
from statuspulse.app import log_lines
from statuspulse.app.connections import Bounds
from statuspulse.app.web_server import WebServer, bound, listen

async def application(scope, receive, send):
    raise RuntimeError("nothing to see")

def flood(address):
    for request in [b"nonsense\\r\\n\\r\\n"] * 40 + [b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n"]:
        with socket.create_connection(address) as client:
            client.sendall(request)
            while client.recv(4096):
                pass

async def main():
    server = WebServer(application, Bounds())
    with bound("127.0.0.1", 0) as listening:
        listen(listening)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.run_on(listening))
            await asyncio.to_thread(flood, listening.getsockname())
            server.should_exit = True

log_lines.configure()
asyncio.run(main())
"""


def test_a_flood_of_malformed_requests_is_a_few_lines_of_json() -> None:
    ended = subprocess.run([sys.executable, "-c", FLOOD], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    *warned, last = lines
    assert {line["event"] for line in warned} == {"Invalid HTTP request received."}
    assert len(warned) == 5
    assert {(line["level"], line["logger"]) for line in warned} == {("warning", "uvicorn.error")}
    assert all(line["timestamp"].endswith("Z") for line in warned)
    assert (last["level"], "RuntimeError: nothing to see" in last["exception"]) == ("error", True)


def record(text: str, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("uvicorn.error", level, "there", 1, text, None, None)


@pytest.fixture
def clock() -> list[float]:
    """One number: what the clock shows."""
    return [0.0]


def test_what_was_left_out_is_told_with_the_next(clock: list[float]) -> None:
    sparing = Sparing(lambda: clock[0])
    passed = [sparing.filter(record("bad request")) for _ in range(105)]
    assert passed == [True] * 5 + [False] * 100
    assert sparing.filter(record("another matter"))
    clock[0] = 59.9
    assert not sparing.filter(record("bad request"))
    clock[0] = 60.0
    following = record("bad request")
    assert sparing.filter(following)
    assert getattr(following, LEFT_OUT) == 101
    clock[0] = 120.0
    again = record("bad request")
    assert sparing.filter(again)
    assert not hasattr(again, LEFT_OUT)


def test_an_error_is_never_left_out(clock: list[float]) -> None:
    sparing = Sparing(lambda: clock[0])
    assert all(sparing.filter(record("it broke", logging.ERROR)) for _ in range(100))


def test_texts_that_differ_each_time_do_not_pile_up(clock: list[float]) -> None:
    sparing = Sparing(lambda: clock[0])
    for number in range(1000):
        assert sparing.filter(record(f"request {number}"))
    assert len(sparing._seen) <= 200
