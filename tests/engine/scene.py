"""An engine on virtual time and regions that look at a target: slots by the grid, jobs as they are offered.

Shipping a result takes 0.2 s and a job 0.1 s; a good check takes 0.2 s, a failed one with its retry 1.4 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from math import inf

from sqlalchemy import Connection

from statuspulse.bus.bus import Batch, Topic
from statuspulse.bus.local import LocalBus
from statuspulse.domain.result import Observation, Result, ResultKind
from statuspulse.domain.schedule import Grid, Strategy
from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.engine.engine import Engine
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.metrics import Metrics
from statuspulse.protocol.conversion import item_of
from statuspulse.protocol.documents import Heartbeat, Job, Results
from statuspulse.storage import probes
from statuspulse.storage.probes import Probe
from tests.engine.world import REFUSED, World
from tests.virtual_time import START, virtual_now

# Whether the target refuses the region at an instant (ms).
Target = Callable[[str, int], bool]


@dataclass
class Scene:
    """One monitor, its regions, and the parts of a control plane that decide about it."""

    world: World
    monitor: str
    regions: list[str]
    interval: int
    target: Target
    strategy: Strategy = Strategy.PARALLEL
    takes_jobs: bool = True
    deaf: set[str] = field(default_factory=set)
    bus: LocalBus = field(default_factory=LocalBus)
    liveness: Liveness = field(default_factory=Liveness)
    metrics: Metrics = field(default_factory=Metrics)
    looks: list[tuple[str, int, ResultKind]] = field(default_factory=list)
    _seqs: dict[str, int] = field(default_factory=dict)
    _rechecking: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.bus)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._engine = self._start_engine()
            parts = [self._engine]
            for place, slug in enumerate(self.regions):
                grid = Grid.of(self.monitor, self.interval, place, len(self.regions), self.strategy)
                probe = self.world.database.read_now(partial(_probe, slug=slug))
                parts += [
                    tasks.create_task(self._keep_slots(probe, grid)),
                    tasks.create_task(self._take_jobs(probe)),
                    tasks.create_task(self._beat(probe)),
                ]
            yield
            # Whoever looks just now ends with the engine, which would leave him without a receipt.
            for part in (*parts, *self._rechecking, self._engine):
                part.cancel()

    async def restart_engine(self) -> None:
        """What the engine and the jobs had in memory is gone."""
        self._engine.cancel()
        await asyncio.wait({self._engine})
        self.jobs = Jobs(self.bus)
        self._engine = self._start_engine()

    def rechecks(self, outcome: str) -> int:
        return int(self.metrics.rechecks.labels(outcome)._value.get())

    def _start_engine(self) -> asyncio.Task[None]:
        loop = asyncio.get_running_loop()
        engine = Engine(
            self.world.database,
            self.bus,
            self.jobs,
            self.liveness,
            self.metrics,
            mutes_flapping=True,
            now=lambda: START + round(loop.time() * SECOND),  # as it is read in the thread of the writer, too
        )
        return self._tasks.create_task(engine.run())

    async def _keep_slots(self, probe: Probe, grid: Grid) -> None:
        while True:
            slot = grid.next_slot(virtual_now())
            await _until(slot)
            if probe.region not in self.deaf:
                await self._look(probe, ResultKind.SCHEDULED)

    async def _take_jobs(self, probe: Probe) -> None:
        seen = self.bus.count(Topic.CATALOG)
        while True:
            if self.takes_jobs:
                for job in self.jobs.offered(probe.region, probe.id, virtual_now()):
                    look = self._tasks.create_task(self._recheck(probe, job))
                    self._rechecking.add(look)
                    look.add_done_callback(self._rechecking.discard)
            due_at = self.jobs.next_offer_at(probe.region, probe.id)
            rest = inf if due_at is None or not self.takes_jobs else max(due_at - virtual_now(), 1) / SECOND
            seen = await self.bus.wait(Topic.CATALOG, seen, min(rest, 3600))

    async def _recheck(self, probe: Probe, job: Job) -> None:
        assert (job.kind, job.monitor_id, job.spec) == ("recheck", self.monitor, {})
        await asyncio.sleep(0.1)
        if probe.region not in self.deaf:
            await self._look(probe, ResultKind.RECHECK, job.job_id)

    async def _look(self, probe: Probe, kind: ResultKind, job_id: str | None = None) -> None:
        begun = virtual_now()
        self.looks.append((probe.region, begun, kind))
        fails = self.target(probe.region, begun)
        await asyncio.sleep(1.4 if fails else 0.2)
        result = Result(
            monitor_id=self.monitor,
            region=probe.region,
            scheduled_at=begun,
            kind=kind,
            round=begun // self.interval,
            lag_us=0,
            observed_at=virtual_now(),
            attempt=2 if fails else 1,
            config_version=1,
            observation=Observation(failure=REFUSED if fails else None, latency_us=200_000),
        )
        await asyncio.sleep(0.2)
        await self._ship(probe, result, job_id)

    async def _ship(self, probe: Probe, result: Result, job_id: str | None) -> None:
        seq = self._seqs[probe.id] = self._seqs.get(probe.id, 0) + 1
        batch = Batch(
            probe_key=probe.key,
            probe_id=probe.id,
            region_key=probe.region_key,
            region=probe.region,
            results=Results(sent_at=to_datetime(virtual_now()), results=[item_of(seq, result, job_id)]),
        )
        receipt = await self.bus.publish(batch)
        assert receipt is not None
        assert (receipt.accepted, receipt.rejected) == (1, [])

    async def _beat(self, probe: Probe) -> None:
        while True:
            if probe.region not in self.deaf:
                now = virtual_now()
                heartbeat = Heartbeat(clock=to_datetime(now), boot_id="boot_1", version="1")
                self.liveness.hear(probe.id, probe.region, heartbeat, now)
            await asyncio.sleep(5)


async def _until(at: int) -> None:
    await asyncio.sleep(max(0, at - virtual_now()) / SECOND)


def _probe(connection: Connection, slug: str) -> Probe:
    probe = probes.first_of_region(connection, slug)
    assert probe is not None
    return probe
