"""A probe that keeps the protocol's promises: each result has a number, and stays until the server has it for good."""

from __future__ import annotations

import asyncio
from collections import deque
from copy import copy
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from statuspulse.domain.failure import Failure, FailureClass, MissReason
from statuspulse.domain.result import Gap, Observation, Result, ResultKind, Verdict
from statuspulse.domain.schedule import Grid, Strategy
from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.protocol.conversion import gap_item, item_of
from statuspulse.protocol.documents import Heartbeat, Item, Receipt, Results
from statuspulse.storage.probes import Probe
from tests.simulation.scenario import CALM_FROM, ProbeFaults, Target
from tests.virtual_time import START, virtual_now

if TYPE_CHECKING:
    from tests.simulation.plane import ControlPlane

REFUSED = Failure(FailureClass.CONNECT_REFUSED, "connection refused by 192.0.2.1:80")
BLIND = Failure(FailureClass.PROBE_BLIND, "no reference target answers")
_SHIPPED_AT_ONCE = 20


@dataclass(slots=True)
class Assigned:
    """A monitor as the probes know it; people change the version and whether it runs."""

    id: str
    target: Target
    version: int = 1
    paused: bool = False

    def grid(self, region: str) -> Grid:
        config: dict[str, Any] = self.target.config
        regions, strategy = config["regions"], Strategy(config["region_strategy"])
        return Grid.of(self.id, config["interval_seconds"] * SECOND, regions.index(region), len(regions), strategy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a check found, on the true clock: the log that everything else is held against."""

    probe: str
    seq: int
    monitor_id: str
    region: str
    scheduled_at: int
    observed_at: int
    kind: ResultKind
    verdict: Verdict


@dataclass(slots=True)
class SimulatedProbe:
    """Runs the slots of its region, numbers what it finds, and ships it in order until it is acknowledged."""

    row: Probe
    faults: ProbeFaults
    assigned: list[Assigned]
    plane: ControlPlane
    random: Random
    spool: deque[Item] = field(default_factory=deque)
    log: dict[int, Seen] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)
    _tasks: asyncio.TaskGroup = field(init=False)
    _filled: asyncio.Event = field(default_factory=asyncio.Event)
    _next_seq: int = 1
    _running: set[str] = field(default_factory=set)

    @property
    def region(self) -> str:
        return self.row.region

    def start(self, tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        self._tasks = tasks
        parts = [tasks.create_task(self._keep_slots(one)) for one in self.assigned]
        return [*parts, *(tasks.create_task(part()) for part in (self._ship, self._take_jobs, self._beat))]

    def _is(self, windows: tuple[Any, ...]) -> bool:
        return any(window.holds(virtual_now() - START) for window in windows)

    @property
    def _is_dead(self) -> bool:
        return self._is(self.faults.dead)

    @property
    def _is_cut(self) -> bool:
        return self._is_dead or self._is(self.faults.cut)

    def _said(self, at: int) -> int:
        """The instant on the probe's own clock."""
        return at + self.faults.skew(virtual_now() - START)

    async def _keep_slots(self, one: Assigned) -> None:
        grid, missed_from, missed = one.grid(self.region), 0, 0
        while True:
            slot = grid.next_slot(virtual_now())
            await asyncio.sleep((slot - virtual_now()) / SECOND)
            if self._is_dead:
                missed_from, missed = missed_from or slot, missed + 1
                continue
            if missed:
                self._note_gap(one, missed_from, slot - grid.spacing, missed)
                missed_from, missed = 0, 0
            if not one.paused and one.id not in self._running:
                self._tasks.create_task(self._look(one, slot, ResultKind.SCHEDULED))

    def _note_gap(self, one: Assigned, start: int, end: int, count: int) -> None:
        gap = Gap(
            monitor_id=one.id,
            region=self.region,
            from_at=self._said(start),
            to_at=self._said(end),
            count=count,
            reason=MissReason.PROBE_OFFLINE,
        )
        self._keep(gap_item(self._next_seq, gap))

    async def _look(self, one: Assigned, at: int, kind: ResultKind, job_id: str | None = None) -> None:
        self._running.add(one.id)
        fails, version = one.target.fails(self.region, at - START), one.version
        await asyncio.sleep(self.random.randint(200, 3000 if fails else 600) / SECOND)
        self._running.discard(one.id)
        if self._is_dead:
            return
        failure = BLIND if self._is(self.faults.blind) else REFUSED if fails else None
        result = Result(
            monitor_id=one.id,
            region=self.region,
            scheduled_at=self._said(at),
            kind=kind,
            round=one.grid(self.region).round_of(at),
            lag_us=0,
            observed_at=self._said(virtual_now()),
            attempt=1,
            config_version=version,
            observation=Observation(failure=failure, latency_us=200_000),
        )
        seq = self._next_seq
        self.log[seq] = Seen(
            probe=self.row.id,
            seq=seq,
            monitor_id=one.id,
            region=self.region,
            scheduled_at=at,
            observed_at=virtual_now(),
            kind=kind,
            verdict=result.verdict,
        )
        self._keep(item_of(seq, result, job_id))

    def _keep(self, item: Item) -> None:
        self._next_seq += 1
        self.spool.append(item)
        self._filled.set()
        while len(self.spool) > self.faults.spool_limit:
            self.dropped.add(self.spool.popleft().seq)

    async def _ship(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(self.random.randint(200, 300) / SECOND)
            if self._is_cut or self._is(self.faults.mute):
                await asyncio.sleep(1)
                continue
            if self._is(self.faults.slow):
                await asyncio.sleep(self.random.randint(2000, 15_000) / SECOND)
            receipt = await self._send(self._batch())
            if receipt is None:
                await asyncio.sleep(self.random.randint(1000, 3000) / SECOND)
                continue
            while self.spool and self.spool[0].seq <= receipt.committed_through:
                self.spool.popleft()
            if not self.spool:
                self._filled.clear()

    def _batch(self) -> Results:
        items = list(self.spool)[:_SHIPPED_AT_ONCE]
        dropped_through = items[0].seq - 1 if items[0].seq - 1 in self.dropped else None
        sent_at = to_datetime(self._said(virtual_now()))
        return Results(sent_at=sent_at, dropped_through=dropped_through, results=items)

    async def _send(self, batch: Results) -> Receipt | None:
        """One call over a network that loses requests and answers, and sometimes delivers a copy much later."""
        chances = self.plane.chances
        if self.plane.befalls(self.random, chances.repeated):
            self._tasks.create_task(self._send_copy(_copied(batch), self.random.randint(1, 20_000)))
        if self.plane.befalls(self.random, chances.request_lost):
            return None
        await asyncio.sleep(self.random.randint(20, 200) / SECOND)
        receipt = await self.plane.post_results(self.row, _copied(batch))
        return None if self.plane.befalls(self.random, chances.answer_lost) else receipt

    async def _send_copy(self, batch: Results, delay: int) -> None:
        await asyncio.sleep(delay / SECOND)
        await self.plane.post_results(self.row, batch)

    async def _take_jobs(self) -> None:
        """Once a second, while there are any: to look in vain would be a third of all that a run does."""
        while True:
            if self.plane.jobs.next_offer_at(self.region, self.row.id) is None:
                await self.plane.next_offer()
            await asyncio.sleep(1 - asyncio.get_running_loop().time() % 1)
            if self._is_cut:
                continue
            for job in self.plane.jobs.offered(self.region, self.row.id, virtual_now()):
                if self.plane.befalls(self.random, self.plane.chances.recheck_lost):
                    continue
                one = next(one for one in self.assigned if one.id == job.monitor_id)
                if one.id not in self._running and not one.paused:
                    self._tasks.create_task(self._look(one, virtual_now(), ResultKind.RECHECK, job.job_id))

    async def _beat(self) -> None:
        while True:
            if not self._is_cut:
                now = virtual_now()
                heartbeat = Heartbeat(clock=to_datetime(self._said(now)), boot_id="boot_1", version="1")
                self.plane.liveness.hear(self.row.id, self.region, heartbeat, now)
            await asyncio.sleep(5)


def _copied(batch: Results) -> Results:
    """As read from the wire anew: the server moves times in place."""
    return Results(
        sent_at=batch.sent_at, dropped_through=batch.dropped_through, results=[copy(item) for item in batch.results]
    )


def is_calm() -> bool:
    return virtual_now() - START >= CALM_FROM
