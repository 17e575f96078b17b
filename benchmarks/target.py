"""A target that costs little: answers every request on a few ports of loopback with a short 200, until stdin closes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from typing import cast

from benchmarks.processes import first_line, running
from statuspulse.app import loop

# One address and port can be left by some 28,000 connections a minute; several keep far from that.
_PORTS = 4
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"


@contextlib.contextmanager
def target() -> Iterator[list[str]]:
    """The URLs of a target in a process of its own."""
    with running(["benchmarks.target"]) as process:
        yield json.loads(first_line(process))


class _Talk(asyncio.Protocol):
    """A client that asks for little sends each request in one piece."""

    _transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, _data: bytes) -> None:
        self._transport.write(_ANSWER)


class _Starter(asyncio.Protocol):
    """The other end of our standard input."""

    def __init__(self, gone: asyncio.Event) -> None:
        self._gone = gone

    def connection_lost(self, _error: Exception | None) -> None:
        self._gone.set()


async def _serve() -> None:
    running_loop = asyncio.get_running_loop()
    servers = [await running_loop.create_server(_Talk, "127.0.0.1", 0, backlog=1024) for _ in range(_PORTS)]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    print(json.dumps([f"http://127.0.0.1:{port}/" for port in ports]), flush=True)
    gone = asyncio.Event()
    await running_loop.connect_read_pipe(lambda: _Starter(gone), sys.stdin)
    await gone.wait()
    for server in servers:
        server.close()


if __name__ == "__main__":
    loop.run(_serve())
