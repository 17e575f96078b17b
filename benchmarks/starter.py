"""The process that started this one: it holds the other end of our standard input for as long as it lives."""

from __future__ import annotations

import asyncio
import sys


async def starter_gone() -> None:
    """Returns when standard input closes."""
    gone = asyncio.Event()
    await asyncio.get_running_loop().connect_read_pipe(lambda: _Starter(gone), sys.stdin)
    await gone.wait()


class _Starter(asyncio.Protocol):
    def __init__(self, gone: asyncio.Event) -> None:
        self._gone = gone

    def connection_lost(self, _error: Exception | None) -> None:
        self._gone.set()
