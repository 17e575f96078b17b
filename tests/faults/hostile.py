"""Servers that do to their clients what a client must bear."""

from __future__ import annotations

import asyncio

from tests.targets import HOST, Target, reset

_OPEN = b"HTTP/1.1 200 OK\r\n"
_CHUNK = b"10000\r\n" + b"x" * 65536 + b"\r\n"
_COOKIES = b"".join(b"Set-Cookie: c%d=%d\r\n" % (number, number) for number in range(100_000))
_CHUNKED = _OPEN + b"Transfer-Encoding: chunked\r\n\r\n"
# What comes first, and what follows without end as fast as it is read.
_ENDLESS = {
    "endless-head": (_OPEN, b"X-More: " + b"y" * 1000 + b"\r\n"),
    "interim": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
    "endless-chunks": (_CHUNKED, _CHUNK),
    "extensions": (_CHUNKED + b"1;", b"e" * 65536),
}
# What comes bit by bit, and how many seconds lie between.
_SLOW = {
    "slow-head": ([bytes([byte]) for byte in _OPEN], 10.0),
    "slow-chunks": ([_CHUNKED, *[b"1\r\nx\r\n"] * 1000], 0.2),
}
MANNERS = (*_ENDLESS, *_SLOW, "silent", "reset", "cookies", "tls")


class HostileTarget(Target):
    """Does what the path of the request names; what is no HTTP, as a TLS handshake, gets silence."""

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readline()
        words = first.split(b" ")
        manner = words[1].decode()[1:].partition("/")[0] if first.startswith(b"GET ") else "silent"
        if manner in _ENDLESS:
            await self._repeat(writer, *_ENDLESS[manner])
        elif manner in _SLOW:
            await self._drip(writer, *_SLOW[manner])
        elif manner == "reset":
            writer.write(_OPEN + b"Content-Length: 100000\r\n\r\n" + b"x" * 1000)
            await writer.drain()
            reset(writer)
        elif manner == "cookies":
            writer.write(_OPEN + _COOKIES + b"Content-Length: 2\r\n\r\nok")
            await writer.drain()
        else:
            await self._stay_silent(reader)

    async def _drip(self, writer: asyncio.StreamWriter, parts: list[bytes], seconds: float) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(seconds)

    async def _repeat(self, writer: asyncio.StreamWriter, head: bytes, part: bytes) -> None:
        writer.write(head)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)


def hostile_url(target: HostileTarget, number: int) -> str:
    """One of the manners, and a TLS handshake that never comes to its end."""
    manner = MANNERS[number % len(MANNERS)]
    scheme = "https" if manner == "tls" else "http"
    return f"{scheme}://{HOST}:{target.port}/{manner}/{number}"
