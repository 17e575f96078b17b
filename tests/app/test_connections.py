"""Callers who send too slowly, or nothing, are cut off, and nobody else notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from statuspulse.app.connections import Bounds, usual_bounds
from statuspulse.app.web_server import WebServer, bound, listen

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
BODY = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234"
SHORT = Bounds(head_seconds=0.3, body_seconds=0.5)
LONG = Bounds(head_seconds=60, body_seconds=60)
# A busy machine may come late with its timers.
SLACK = 5.0

Open = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the body after the moment that the query asks for."""
    request = Request(scope, receive)
    body = await request.body()
    await asyncio.sleep(float(request.query_params.get("wait", "0")))
    await PlainTextResponse(body)(scope, receive, send)


@asynccontextmanager
async def serving(bounds: Bounds, app: ASGIApp = echo) -> AsyncIterator[Open]:
    listening = bound("127.0.0.1", 0)
    listen(listening)
    host, port = listening.getsockname()
    server = WebServer(app, bounds)
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(host, port)
        writers.append(writer)
        return reader, writer

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run_on(listening))
        try:
            yield connect
        finally:
            for writer in writers:
                writer.close()
            server.should_exit = True


async def ended(reader: asyncio.StreamReader) -> bool:
    """Waits until the other side has closed without a word."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head.split()[1] + b" " + await reader.readexactly(int(length.split()[1]))


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [(b"", SHORT.head_seconds), (HEAD, SHORT.head_seconds), (BODY, SHORT.body_seconds)],
    ids=["silent", "half a head", "half a body"],
)
async def test_who_sends_no_whole_call_in_time_is_cut_off(sent: bytes, seconds: float) -> None:
    async with serving(SHORT) as connect:
        reader, writer = await connect()
        writer.write(sent)
        begun = time.monotonic()
        assert await asyncio.wait_for(ended(reader), seconds + SLACK)
        assert time.monotonic() - begun >= seconds - 0.1


@pytest.mark.parametrize("sent", [HEAD, BODY], ids=["head", "body"])
async def test_a_byte_now_and_then_gains_no_time(sent: bytes) -> None:
    async with serving(SHORT) as connect:
        reader, writer = await connect()
        writer.write(sent)
        closed = asyncio.ensure_future(ended(reader))
        for _ in range(4 if sent is BODY else 100):
            writer.write(b"x")
            if (await asyncio.wait([closed], timeout=0.1))[0]:
                break
        assert await asyncio.wait_for(closed, SLACK)


async def test_an_answer_may_take_longer_than_a_call_may() -> None:
    async with serving(SHORT) as connect:
        reader, writer = await connect()
        writer.write(b"GET /?wait=0.8 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await answer(reader) == b"200 "


async def test_every_call_of_a_connection_has_its_own_time() -> None:
    async with serving(Bounds(head_seconds=1.0, body_seconds=1.0)) as connect:
        reader, writer = await connect()
        for _ in range(4):
            writer.write(BODY[:20])
            await asyncio.sleep(0.4)
            writer.write(BODY[20:] + b"56789")
            assert await answer(reader) == b"200 0123456789"


async def test_the_beginning_of_the_next_call_in_one_piece_with_the_last_is_timed_too() -> None:
    async with serving(SHORT) as connect:
        reader, writer = await connect()
        writer.write(HEAD + b"\r\n" + HEAD)
        assert await answer(reader) == b"200 "
        assert await asyncio.wait_for(ended(reader), SLACK)


async def test_many_slow_callers_hinder_nobody() -> None:
    async with serving(LONG) as connect:
        for sent in [b"", HEAD, BODY] * 60:
            _, writer = await connect()
            writer.write(sent)
        reader, writer = await connect()
        for _ in range(20):
            writer.write(BODY + b"56789")
            assert await answer(reader) == b"200 0123456789"


async def test_a_connection_that_would_take_the_last_descriptors_is_turned_away() -> None:
    async with serving(Bounds(descriptors=0)) as connect:
        reader, _ = await connect()
        told = await reader.read()
        assert told.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 2\r\n" in told


def test_some_descriptors_are_kept_for_other_work(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1024))
    assert usual_bounds() == Bounds(descriptors=224)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert usual_bounds().descriptors is None


class Flood:
    """Sends as long as anyone is there to take it."""

    def __init__(self) -> None:
        self.is_over = asyncio.Event()

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not await self._is_alone(receive):
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
        self.is_over.set()

    async def _is_alone(self, receive: Receive) -> bool:
        try:
            async with asyncio.timeout(0):
                return bool((await receive())["type"] == "http.disconnect")
        except TimeoutError:
            return False


async def test_who_takes_nothing_of_what_he_is_sent_is_cut_off() -> None:
    flood = Flood()
    async with serving(Bounds(write_seconds=0.3), flood) as connect:
        _, writer = await connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(HEAD + b"\r\n")
        begun = time.monotonic()
        await asyncio.wait_for(flood.is_over.wait(), SLACK)
        assert time.monotonic() - begun >= 0.2


async def test_who_takes_something_now_and_then_is_not() -> None:
    flood = Flood()
    async with serving(Bounds(write_seconds=1.2), flood) as connect:
        reader, writer = await connect()
        writer.write(HEAD + b"\r\n")
        begun = time.monotonic()
        while time.monotonic() - begun < 2.5:
            assert await reader.readexactly(300_000)
            await asyncio.sleep(0.05)
        assert not flood.is_over.is_set()


def test_an_idle_connection_outlives_the_minute_for_which_proxies_keep_theirs() -> None:
    assert WebServer(echo, LONG).config.timeout_keep_alive > 60
