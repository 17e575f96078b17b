"""The bus of one process: a bounded queue and counted wake-ups."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from statuspulse.bus.bus import Batch, Reply, Topic
from statuspulse.protocol.documents import Receipt

_WAITING_BATCHES = 64
_COMMIT_WITHIN_SECONDS = 5.0


class LocalBus:
    """Lives on the event loop that uses it first; see `Bus` for what it promises."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[tuple[Batch, asyncio.Future[Receipt | None]]] = asyncio.Queue(_WAITING_BATCHES)
        self._counts = dict.fromkeys(Topic, 0)
        self._changed = {topic: asyncio.Event() for topic in Topic}

    async def publish(self, batch: Batch) -> Receipt | None:
        answer: asyncio.Future[Receipt | None] = self._bound().create_future()
        try:
            self._queue.put_nowait((batch, answer))
        except asyncio.QueueFull:
            return None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_COMMIT_WITHIN_SECONDS):
                return await asyncio.shield(answer)
        return None

    async def batches(self) -> AsyncIterator[tuple[Batch, Reply]]:
        self._bound()
        while True:
            batch, answer = await self._queue.get()
            yield batch, _reply(answer)

    def wake(self, topic: Topic) -> None:
        if self._loop is None:  # nobody can be waiting yet
            self._counts[topic] += 1
        else:
            self._loop.call_soon_threadsafe(self._count, topic)

    def count(self, topic: Topic) -> int:
        return self._counts[topic]

    async def wait(self, topic: Topic, seen: int, timeout: float) -> int:  # noqa: ASYNC109 - a poll that may end empty
        self._bound()
        if self._counts[topic] == seen:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._changed[topic].wait()
        return self._counts[topic]

    def _bound(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _count(self, topic: Topic) -> None:
        self._counts[topic] += 1
        self._changed[topic].set()
        self._changed[topic] = asyncio.Event()


def _reply(answer: asyncio.Future[Receipt | None]) -> Reply:
    def reply(receipt: Receipt | None) -> None:
        if not answer.done():
            answer.set_result(receipt)

    return reply
