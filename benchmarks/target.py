"""A target that costs little: answers every request on many ports of loopback with a short 200, until stdin closes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from benchmarks.certificate import Certificate
from benchmarks.processes import first_line, module, running
from benchmarks.starter import starter_gone
from statuspulse.app import loop

# One address and port can be left by some 28,000 connections a minute; so many are enough for 5,000 checks a second.
_PORTS = 16
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"


@contextlib.contextmanager
def target(certificate: Certificate | None = None) -> Iterator[list[str]]:
    """The URLs of a target in a process of its own; they are of https if it has a certificate to show."""
    shown = () if certificate is None else ("--certificate", str(certificate.shown))
    with running(module("benchmarks.target", *shown)) as process:
        yield json.loads(first_line(process))


class _Talk(asyncio.Protocol):
    """A client that asks for little sends each request in one piece."""

    _transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, _data: bytes) -> None:
        self._transport.write(_ANSWER)


async def _serve(context: ssl.SSLContext | None) -> None:
    running_loop = asyncio.get_running_loop()
    scheme = "http" if context is None else "https"
    servers = [
        await running_loop.create_server(_Talk, "127.0.0.1", 0, backlog=1024, ssl=context) for _ in range(_PORTS)
    ]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    print(json.dumps([f"{scheme}://127.0.0.1:{port}/" for port in ports]), flush=True)
    await starter_gone()
    for server in servers:
        server.close()


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", type=Path)
    path = parser.parse_args().certificate
    loop.run(_serve(None if path is None else _context(path)))


if __name__ == "__main__":
    _main()
