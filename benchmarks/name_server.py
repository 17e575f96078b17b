"""A name server that costs little: gives one address to every question over UDP on loopback, until stdin closes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import cast

from benchmarks.processes import first_line, module, running
from benchmarks.starter import starter_gone
from statuspulse.app import loop

NAME = "www.example.test"
_HEADER_BYTES = 12
# An answer that recursion was wanted for and is there: one question, one record of an answer (RFC 1035, 4.1.1).
_FLAGS_AND_COUNTS = bytes.fromhex("8180 0001 0001 0000 0000")
# The name of the question, A, IN, 60 s, 192.0.2.1 (RFC 1035, 4.1.3 and 4.1.4).
_RECORD = bytes.fromhex("c00c 0001 0001 0000003c 0004 c0000201")


@contextlib.contextmanager
def name_server() -> Iterator[int]:
    """The port of a name server in a process of its own."""
    with running(module("benchmarks.name_server")) as process:
        yield int(first_line(process))


def answer(query: bytes) -> bytes:
    """The answer to a query with one question; what follows the question, as EDNS does, is not looked at."""
    end = query.index(0, _HEADER_BYTES) + 5  # the root label, type and class
    return query[:2] + _FLAGS_AND_COUNTS + query[_HEADER_BYTES:end] + _RECORD


class _Talk(asyncio.DatagramProtocol):
    _transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)  # uvloop's is none by inheritance

    def datagram_received(self, query: bytes, address: tuple[str, int]) -> None:
        self._transport.sendto(answer(query), address)


async def _serve() -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Talk, ("127.0.0.1", 0))
    print(transport.get_extra_info("sockname")[1], flush=True)
    await starter_gone()
    transport.close()


if __name__ == "__main__":
    loop.run(_serve())
