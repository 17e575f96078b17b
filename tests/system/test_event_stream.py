"""Streams of events from a real server: kills between two connections, and an end that waits for nobody."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.api.stream import streamed
from tests.system.server import TOKEN, Server, server

_MONITOR = {"type": "http", "url": "http://127.0.0.1:9/", "interval_seconds": 3600}
_STOP_SECONDS = 15.0


def _made(served: Server, count: int) -> list[str]:
    return [served.create(name=f"Shop {number}", **_MONITOR) for number in range(count)]


def _heard(served: Server, last_id: str, count: int) -> list[dict[str, Any]]:
    """The next events that tell of a new monitor."""
    with streamed(served.url, TOKEN, "?type=monitor.created", {"Last-Event-ID": last_id}) as stream:
        assert stream.next() == {"retry": "3000"}
        return [stream.event() for _ in range(count)]


def test_across_kills_a_reader_hears_every_event_once_and_in_order(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        served.start("--no-probe")
        with streamed(served.url, TOKEN, "?type=monitor.created") as stream:
            stream.next()
            made = _made(served, 5)
            first = [stream.event() for _ in range(3)]
            served.kill()
        served.start("--no-probe")
        made += _made(served, 20)
        then = _heard(served, first[-1]["id"], 15)
        served.kill()
        served.start("--no-probe")
        last = _heard(served, then[-1]["id"], 7)
        assert [event["data"]["monitor"]["id"] for event in (*first, *then, *last)] == made


def test_streams_hold_up_no_end_and_tickets_stand_in_no_log(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        served.start("--no-probe")
        ticket = served.call("POST", "/stream-tickets").json()["ticket"]
        address = urlsplit(served.url)
        with (
            streamed(served.url, None, f"?ticket={ticket}") as stream,
            socket.create_connection((address.hostname or "", address.port or 0)) as mute,
        ):
            mute.sendall(f"GET /v1/events/stream HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            stream.next()
            assert requests.get(f"{served.url}/v1/events/stream?ticket={ticket}", timeout=10).status_code == 401
            begun = time.monotonic()
            served.run.popen.send_signal(signal.SIGTERM)
            assert stream.next()["event"] == "bye"
            assert stream.has_ended
            assert served.ends() == 0
            assert time.monotonic() - begun < _STOP_SECONDS
        assert ticket not in served.run.complained + served.run.said
        assert "Traceback" not in served.run.complained
        assert "graceful" not in served.run.complained
