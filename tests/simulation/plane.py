"""The control plane of a run: the real engine and housekeeping on a real SQLite file, a door as the API's, accidents.

The database works while the caller waits for it, so that nothing depends on how threads take turns. It writes without
`fsync`: what a power cut leaves is another test's subject.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, event

from statuspulse.bus.bus import Batch, Reply
from statuspulse.bus.local import LocalBus
from statuspulse.domain.times import SECOND, from_datetime
from statuspulse.engine.engine import Engine
from statuspulse.engine.housekeeping import Housekeeping
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.metrics import Metrics
from statuspulse.protocol.documents import Job, Receipt, Results
from statuspulse.protocol.true_times import correct
from statuspulse.storage.connect import Engines
from statuspulse.storage.database import About, Database, DatabaseUnavailableError, _Job, of_everything
from statuspulse.storage.probes import Probe
from tests.simulation.probe import is_calm
from tests.simulation.scenario import Chances
from tests.simulation.trace import Trace
from tests.virtual_time import START, virtual_now

T = TypeVar("T")
# What was committed: the work, as it was handed to the database, and its value.
Committed = Callable[[Callable[[Connection], Any], Any], None]


class Violation(BaseException):
    """An invariant does not hold."""


class Accidents:
    """What may happen to a write: refused with nothing stored, or stored and the engine killed before it knows."""

    def __init__(self, random: Random, chances: Chances) -> None:
        self._random = random
        self._chances = chances
        self.refused = 0

    def refuses(self) -> bool:
        if is_calm() or self._random.random() >= self._chances.write_refused:
            return False
        self.refused += 1
        return True

    def kills(self) -> bool:
        return not is_calm() and self._random.random() < self._chances.killed_after_commit


class SimulatedDatabase(Database):
    """The database of the product, one call after the other."""

    accidents: Accidents | None = None
    committed: Committed | None = None
    kill: Callable[[], None] | None = None

    def __init__(self, url: str) -> None:
        super().__init__(url)
        for engine in (self.engines.writer, self.engines.reader):
            event.listen(engine, "connect", _without_fsync)
        _share_compiled(self.engines)

    def submit(self, work: Callable[[Connection], T], *, about: About[T] = of_everything) -> Future[T]:
        """The writer's way to commit, gone by the caller: to wake a thread and wait for it is what a run would last."""
        outcome: Future[T] = Future()
        outcome.set_running_or_notify_cancel()
        self._commit(deque([_Job(work, outcome, about)]))
        return outcome

    async def write(self, work: Callable[[Connection], T], *, about: About[T] = of_everything) -> T:
        is_refused = self.accidents is not None and self.accidents.refuses()
        value = self.submit(_refusing(work) if is_refused else work, about=about).result(20)
        if self.committed is not None:
            self.committed(work, value)
        if self.accidents is not None and self.kill is not None and self.accidents.kills():
            self.kill()
            await asyncio.sleep(0)
        return value

    async def read(self, work: Callable[[Connection], T]) -> T:
        return self.look(work)

    def look(self, work: Callable[[Connection], T]) -> T:
        """A read on the connection that is kept: nothing ever holds a lock here."""
        assert self._near is not None
        return self._near.read(work)


_compiled: list[tuple[Dialect, Any]] = []


def _share_compiled(engines: Engines) -> None:
    """Statements are compiled once for a dialect and not for a run: all runs of a process have the first one's."""
    assert engines.near is not None
    ours = (engines.writer, engines.reader, engines.near)
    if not _compiled:
        _compiled.extend((engine.dialect, engine._compiled_cache) for engine in ours)
    for engine, (dialect, cache) in zip(ours, _compiled, strict=True):
        engine.dialect, engine._compiled_cache = dialect, cache


def _without_fsync(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _refusing(work: Callable[[Connection], T]) -> Callable[[Connection], T]:
    def refused(connection: Connection) -> T:
        work(connection)
        raise DatabaseUnavailableError("the disk is full")

    return refused


class ObservedBus(LocalBus):
    """Notices a batch that the engine sends back though the database served."""

    def __init__(self, accidents: Accidents) -> None:
        super().__init__()
        self._accidents = accidents

    async def batches(self) -> AsyncIterator[tuple[Batch, Reply]]:
        async for batch, reply in super().batches():
            refused = self._accidents.refused

            def checked(receipt: Receipt | None, reply: Reply = reply, refused: int = refused) -> None:
                if receipt is None and refused == self._accidents.refused:
                    raise Violation("the engine could not work with a batch")
                reply(receipt)

            yield batch, checked


class ObservedJobs(Jobs):
    """Says when there is one."""

    def __init__(self, bus: LocalBus, offered: Callable[[], None]) -> None:
        super().__init__(bus)
        self._offered = offered

    def offer(self, region: str, job: Job) -> None:
        super().offer(region, job)
        self._offered()


@dataclass(slots=True)
class ControlPlane:
    """The parts that a restart takes away (`jobs`, `liveness`, the engine's cache) and the file that it does not."""

    database: SimulatedDatabase
    chances: Chances
    accidents: Accidents
    trace: Trace
    jobs: Jobs = field(init=False)
    liveness: Liveness = field(init=False)
    _offer: asyncio.Event = field(default_factory=asyncio.Event)
    _bus: ObservedBus = field(init=False)
    _tasks: asyncio.TaskGroup = field(init=False)
    _parts: list[asyncio.Task[None]] = field(init=False)

    def start(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._boot()
        self.database.kill = self.restart

    def restart(self) -> None:
        """What was in memory is gone; who waited for an answer gets none."""
        self.stop()
        self.trace.tell(virtual_now(), "control plane restarts")
        self._boot()

    def stop(self) -> None:
        for part in self._parts:
            part.cancel()

    async def next_offer(self) -> None:
        """Until there is one more job for somebody."""
        await self._offer.wait()

    def befalls(self, random: Random, chance: float) -> bool:
        """Whether an accident of that chance happens now; none does in the calm."""
        return random.random() < chance and not is_calm()

    async def post_results(self, probe: Probe, results: Results) -> Receipt | None:
        """The door of `POST /agent/results`: puts times on our clock and hands the batch to the engine."""
        now = virtual_now()
        clock = self.liveness.compare_clocks(probe.id, from_datetime(results.sent_at), now)
        if any(era.skew for era in clock.eras):
            correct(results.results, clock, now)
        batch = Batch(
            probe_key=probe.key, probe_id=probe.id, region_key=probe.region_key, region=probe.region, results=results
        )
        receipt = await self._bus.publish(batch)
        first, last = results.results[0].seq, results.results[-1].seq
        answer = "no receipt" if receipt is None else f"through {receipt.committed_through}, {receipt.accepted} new"
        self.trace.tell(virtual_now(), f"{probe.region} ships {first}..{last}: {answer}")
        return receipt

    def _note_offer(self) -> None:
        self._offer.set()
        self._offer = asyncio.Event()

    def _boot(self) -> None:
        self._bus = ObservedBus(self.accidents)
        self.jobs, self.liveness = ObservedJobs(self._bus, self._note_offer), Liveness()
        loop = asyncio.get_running_loop()

        def now() -> int:
            return START + round(loop.time() * SECOND)  # as it is read in the thread of the writer, too

        engine = Engine(self.database, self._bus, self.jobs, self.liveness, Metrics(), mutes_flapping=True, now=now)
        housekeeping = Housekeeping(self.database, now=now)
        self._parts = [self._tasks.create_task(part.run()) for part in (engine, housekeeping)]
