"""Pings on their way into the database: those that wait for the same commit share one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from statuspulse.bus.bus import Bus, Topic
from statuspulse.domain.throttle import Limit
from statuspulse.engine import heartbeats
from statuspulse.engine.heartbeats import Ping, Taken
from statuspulse.storage import heartbeats as rows
from statuspulse.storage.database import Database

# A transaction of so many takes some milliseconds; results of checks wait no longer than that.
_MOST_AT_ONCE = 100
_MOST_KEYS = 100_000


class Pings:
    """Takes pings in. Used on the event loop alone; there is no task, whoever waits does the work of all who wait.

    What is kept here of a key saves a look-up or spends its quota; what a ping means is read in its transaction.
    """

    def __init__(
        self, database: Database, bus: Bus, *, limit: Limit | None, mutes_flapping: bool, now: Callable[[], int]
    ) -> None:
        self._database = database
        self._bus = bus
        self._limit = limit
        self._mutes_flapping = mutes_flapping
        self._now = now
        self._turn = asyncio.Lock()
        self._waiting: list[tuple[Ping, asyncio.Future[Taken]]] = []
        self._full_at: dict[bytes, int] = {}

    async def is_key(self, digest: bytes) -> bool:
        """Whether a key with the digest led to a monitor when it was asked for last."""
        if digest in self._full_at:
            return True
        if not await self._database.read(lambda connection: rows.is_key(connection, digest)):
            return False
        if len(self._full_at) >= _MOST_KEYS:
            self._full_at.clear()
        self._full_at[digest] = 0
        return True

    def wait_seconds(self, digest: bytes) -> int:
        """Spends a ping of a known key; answers how long to wait where none is left."""
        if self._limit is None:
            return 0
        full_at, now_us = self._full_at.get(digest, 0), self._now() * 1000
        after = self._limit.spent(full_at, now_us)
        if after is None:
            return self._limit.left(full_at, now_us).seconds
        self._full_at[digest] = after
        return 0

    async def take(self, ping: Ping) -> Taken:
        """What became of the ping, once that is committed; raises DatabaseUnavailableError."""
        told: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._waiting.append((ping, told))
        async with self._turn:
            if not told.done():
                await self._commit()
        taken = await told
        if taken is Taken.UNKNOWN:
            self._full_at.pop(ping.digest, None)
        return taken

    async def _commit(self) -> None:
        """Commits the pings that have waited longest, and tells them."""
        batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
        pings, mutes = [ping for ping, _ in batch], self._mutes_flapping
        work = partial(heartbeats.take, pings=pings, now=self._now(), mutes_flapping=mutes)
        waiting = [told for _, told in batch if not told.done()]
        try:
            taken, transitions = await self._database.write(work)
        except Exception as error:  # noqa: BLE001 - told to everyone who waits for this commit
            for told in waiting:
                told.set_exception(error)
        else:
            for (_, told), one in zip(batch, taken, strict=True):
                if not told.done():
                    told.set_result(one)
            if transitions:
                self._bus.wake(Topic.OUTBOX)
        finally:
            for told in waiting:
                told.cancel()  # changes nothing of what is done; else this call was cancelled, as the process ends
