"""Looks beside the schedule, which somebody waits for or a doubt asks for: they make no check late."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.monitor import MonitorType, Retry
from statuspulse.domain.result import Observation, Result, ResultKind
from statuspulse.domain.schedule import Grid
from statuspulse.domain.times import MINUTE, from_datetime
from statuspulse.probe.check import Check
from statuspulse.probe.clock import Clock
from statuspulse.probe.plan import Plan, Slot
from statuspulse.probe.runner import Runner
from statuspulse.probe.wheel import Wheel
from statuspulse.protocol.conversion import spec_of
from statuspulse.protocol.documents import CHECK_IN_PROGRESS, Assignments, Job

# Their descriptors come out of those that the runner reserves.
_MOST_AT_ONCE = 16
_MOST_RECHECKS = 12
_REMEMBERED_FOR = 5 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A job by this probe's clock (ms)."""

    job: Job
    region: str
    not_before: int
    deadline_at: int

    @property
    def monitor_id(self) -> str:
        return self.job.monitor_id or ""

    @property
    def is_recheck(self) -> bool:
        return self.job.kind == "recheck"


@dataclass(frozen=True, slots=True)
class _Looking:
    """A job under way."""

    order: _Order
    task: asyncio.Task[Result]


class Jobs:
    """Runs jobs, each once. `report` takes their results with the id of the job.

    A monitor is looked at by one check at a time, and the schedule comes first: a job waits for the slot that runs, and
    one that is under way when a slot begins ends without a result and begins anew after it. A job that does not get its
    turn before its deadline is void. A recheck waits for a seat alone: whatever else looks at its monitor serves in its
    place.
    """

    def __init__(
        self,
        *,
        runner: Runner,
        wheel: Wheel,
        checks: Mapping[MonitorType, Check[Any]],
        clock: Clock,
        report: Callable[[Result, str], None],
    ) -> None:
        self._runner = runner
        self._wheel = wheel
        self._checks = checks
        self._clock = clock
        self._report = report
        self._tasks = asyncio.TaskGroup()
        self._orders: asyncio.Queue[_Order] = asyncio.Queue()
        self._known: dict[str, int] = {}
        self._looking: dict[str, _Looking] = {}
        self._freed = asyncio.Event()
        self._recheck_seats = asyncio.Semaphore(_MOST_RECHECKS)

    def take(self, answer: Assignments) -> None:
        """Takes what is offered; a job that is known is not run again."""
        now = self._clock.now()
        ahead_by = now - from_datetime(answer.server_time)
        while self._known and next(iter(self._known.values())) <= now:
            del self._known[next(iter(self._known))]
        for job in answer.jobs:
            if job.job_id not in self._known:
                self._known[job.job_id] = now + _REMEMBERED_FOR
                order = _Order(
                    job=job,
                    region=answer.region,
                    not_before=from_datetime(job.not_before) + ahead_by,
                    deadline_at=from_datetime(job.deadline_at) + ahead_by,
                )
                self._orders.put_nowait(order)

    async def run(self) -> None:
        """Works until it is cancelled; what is under way then has no result."""
        async with self._tasks:
            while True:
                order = await self._orders.get()
                self._tasks.create_task(self._carry_out(order), name=order.job.job_id)

    def give_way(self, monitor_id: str) -> None:
        """A slot of the monitor begins."""
        for looking in self._looking.values():
            if looking.order.monitor_id == monitor_id:
                looking.task.cancel()

    def place_freed(self) -> None:
        """A slot has ended."""
        self._freed.set()
        self._freed.clear()

    async def _carry_out(self, order: _Order) -> None:
        if order.is_recheck:
            await self._recheck(order)
        else:
            await self._answer(order)

    async def _recheck(self, order: _Order) -> None:
        """Nobody waits for it: where a slot serves, or the monitor is not checked here any more, nothing is told."""
        await self._until(order.not_before)
        next_at = self._wheel.due_at(order.monitor_id)
        if next_at is None or self._is_busy(order.monitor_id):
            return
        async with self._recheck_seats:
            plan = self._wheel.plan_of(order.monitor_id)
            is_served = self._is_busy(order.monitor_id) or self._wheel.due_at(order.monitor_id) != next_at
            if plan is None or is_served or self._clock.now() >= order.deadline_at:
                return
            result = await self._look(order, plan, ResultKind.RECHECK, next_at=next_at)
        if result is not None:
            self._report(result, order.job.job_id)

    async def _answer(self, order: _Order) -> None:
        try:
            plan = self._plan(order)
        except (ValueError, msgspec.ValidationError) as error:
            self._void(order, f"assertion_invalid: {error}")
            return
        await self._until(order.not_before)
        while await self._gets_turn(order):
            result = await self._look(order, plan, ResultKind.MANUAL, next_at=self._clock.now())
            if result is not None:
                self._report(replace(result, round=0), order.job.job_id)
                return
        self._void(order, f"{CHECK_IN_PROGRESS}: other checks were running all the time")

    async def _until(self, at: int) -> None:
        await asyncio.sleep(max(at - self._clock.now(), 0) / 1000)

    async def _gets_turn(self, order: _Order) -> bool:
        """Waits until the job may begin; False if that is not before its deadline."""
        while not self._is_free(order):
            rest = order.deadline_at - self._clock.now()
            if rest <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest / 1000):
                    await self._freed.wait()
        return self._clock.now() < order.deadline_at

    def _is_free(self, order: _Order) -> bool:
        if sum(not looking.order.is_recheck for looking in self._looking.values()) >= _MOST_AT_ONCE:
            return False
        return not order.monitor_id or not self._is_busy(order.monitor_id)

    def _is_busy(self, monitor_id: str) -> bool:
        """Whether something looks at the monitor, or a slot of it is due."""
        is_looked_at = any(looking.order.monitor_id == monitor_id for looking in self._looking.values())
        return is_looked_at or self._wheel.is_taken(monitor_id, self._clock.now())

    async def _look(self, order: _Order, plan: Plan, kind: ResultKind, *, next_at: int) -> Result | None:
        """The result; None if it had to give way. Further attempts have to fit in before `next_at`."""
        job_id = order.job.job_id
        slot = Slot(plan, self._clock.now(), kind, 0, next_at)
        task = self._tasks.create_task(self._runner.look(slot), name=f"{job_id}-look")
        self._looking[job_id] = _Looking(order, task)
        try:
            await asyncio.wait({task})
        finally:
            del self._looking[job_id]
            self.place_freed()
        return None if task.cancelled() else task.result()

    def _plan(self, order: _Order) -> Plan:
        """One attempt; a job stands on no grid. Raises ValueError or ValidationError for what cannot be run."""
        job = order.job
        return Plan(
            monitor_id=order.monitor_id,
            team_id="",
            region=order.region,
            config_version=job.config_version,
            grid=Grid(phase=0, offset=0, interval=MINUTE),
            spec=spec_of(job.type, job.spec),
            check=self._checks[MonitorType(job.type)],
            timeout_ms=job.timeout_ms,
            retry=Retry(count=0),
        )

    def _void(self, order: _Order, detail: str) -> None:
        now = self._clock.now()
        result = Result(
            monitor_id=order.monitor_id,
            region=order.region,
            scheduled_at=now,
            kind=ResultKind.MANUAL,
            round=0,
            lag_us=0,
            observed_at=now,
            attempt=0,
            config_version=order.job.config_version,
            observation=Observation(failure=Failure.of(FailureClass.PROBE_ERROR, detail)),
        )
        self._report(result, order.job.job_id)
