"""An event loop on virtual time: where nothing is ready, the clock jumps to the next timer instead of waiting.

It stands still while a database thread works. It cannot see what other processes and sockets will do, so tests of
`probe`, `delivery` and PostgreSQL keep real time. A test chooses it by the marker `virtual_time` and reads the clock
from the fixture `now`.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TypeVar, TypeVarTuple

from sqlalchemy import Connection

from statuspulse.domain.times import from_text
from statuspulse.storage.database import About, Database, of_everything

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
START = from_text("2026-11-23T06:20:00.000Z")
# A thread that works longer than this, in real time, hangs; and so does a loop without timers.
_PATIENCE_SECONDS = 20.0


class StuckError(Exception):
    """Nothing is ready, no timer is set, and no thread works: in virtual time nothing will ever happen again."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` is seconds since the start of the loop, and moves only when all is quiet."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._working = 0
        super().__init__(_QuietSelector(self))
        self._clock_resolution = 1e-6  # sums of floats over a simulated week

    def time(self) -> float:
        return self._elapsed

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Time does not pass inside: something is under way that the loop cannot see."""
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._working += 1
        # An asyncio future tells its callbacks in the loop, together with whoever awaits it.
        future.add_done_callback(self._worked)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - as later versions call it
        with self.standing_still():
            await super().shutdown_default_executor()

    def _worked(self, _future: object) -> None:
        self._working -= 1

    def pass_time(self, timeout: float | None) -> None:
        """Nothing is ready: on to the next timer."""
        if timeout is None:
            raise StuckError
        self._elapsed += timeout

    @property
    def is_worked_for(self) -> bool:
        return self._working > 0


class _QuietSelector(selectors.DefaultSelector):
    """Asks the real sockets without waiting; waits in real time only while a thread works."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self._loop.is_worked_for:
            ready = super().select(_PATIENCE_SECONDS)
            if not ready:
                raise StuckError
            return ready
        self._loop.pass_time(timeout)
        return []


class WatchedDatabase(Database):
    """A database whose writes make a loop on virtual time stand still until they are told."""

    async def write(self, work: Callable[[Connection], T], *, about: About[T] = of_everything) -> T:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualTimeLoop):
            return await super().write(work, about=about)
        with loop.standing_still():
            return await super().write(work, about=about)


def virtual_now() -> int:
    """Milliseconds since the epoch on the running loop."""
    return START + round(asyncio.get_running_loop().time() * 1000)


def loop_factories(*, virtual: bool) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualTimeLoop} if virtual else {"real": asyncio.new_event_loop}
