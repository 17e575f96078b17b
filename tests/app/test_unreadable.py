"""What is no call that can be read is refused in the form of every other refusal, and the connection ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from statuspulse.app.connections import Bounds
from tests.app.test_connections import LONG, SLACK, Open, answer, serving

SMALL = Bounds(head_bytes=500)
CALL = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def told(connect: Open, *sent: bytes) -> tuple[int, dict[str, str], Any]:
    """Status, headers and document of what is answered before the connection is closed."""
    reader, writer = await connect()
    for piece in sent:
        writer.write(piece)
        await writer.drain()
    head, _, body = (await asyncio.wait_for(reader.read(), SLACK)).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert int(headers["content-length"]) == len(body)
    return int(first.split()[1]), headers, json.loads(body)


@pytest.mark.parametrize(
    ("sent", "status", "code", "word"),
    [
        (b"hello\r\n\r\n", 400, "invalid_request", "no HTTP/1.1 call"),
        (b"\x00\xff\x00", 400, "invalid_request", "no HTTP/1.1 call"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", 400, "invalid_request", "http://"),
        (b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request", "malformed"),
        (b"GET / HTTP/1.1\r\nHost a\r\n\r\n", 400, "invalid_request", "malformed"),
        (b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid_request", "malformed"),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed", "GET"),
        (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed", "capital"),
    ],
)
async def test_what_cannot_be_read_is_refused_in_the_envelope(sent: bytes, status: int, code: str, word: str) -> None:
    async with serving(LONG) as connect:
        given, headers, document = await told(connect, sent)
    assert (given, document["status"], document["error"]["code"]) == (status, status, code)
    assert word in document["message"]
    assert (headers["content-type"], headers["connection"]) == ("application/json", "close")
    assert headers["request-id"] == document["request_id"]
    assert ("allow" in headers) is (status == 405)


@pytest.mark.parametrize(
    "sent",
    [
        (b"GET /" + b"a" * 600 + b" HTTP/1.1\r\nHost: a\r\n\r\n",),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 600 + b"\r\n\r\n",),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX-Endless: " + b"a" * 600,),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 90 + b"\r\n",),
    ],
    ids=["address", "header", "endless", "many"],
)
async def test_a_head_that_is_too_long_is_refused(sent: tuple[bytes, ...]) -> None:
    async with serving(SMALL) as connect:
        status, _, document = await told(connect, *sent)
    assert (status, document["error"]["code"]) == (431, "head_too_large")
    assert "500 bytes" in document["message"]


async def test_many_calls_of_one_connection_are_no_long_head() -> None:
    async with serving(SMALL) as connect:
        reader, writer = await connect()
        for _ in range(40):
            writer.write(CALL[:10])
            await writer.drain()
            writer.write(CALL[10:])
            assert await answer(reader) == b"200 "
        body = b"x" * 2000
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + body)
        assert await answer(reader) == b"200 " + body


async def test_nothing_of_what_was_sent_is_repeated() -> None:
    async with serving(LONG) as connect:
        _, _, document = await told(connect, b"s3cret\r\n\r\n")
    assert "s3cret" not in json.dumps(document)
