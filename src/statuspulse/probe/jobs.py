"""Looks that somebody waits for, beside the schedule: they never make a check late (`API.md` D.10)."""

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


class Jobs:
    """Runs jobs, each once. `report` takes their results with the id of the job.

    A monitor is looked at by one check at a time, and the schedule comes first: a job waits for the slot that runs, and
    one that is under way when a slot begins ends without a result and begins anew after it. A job that does not get its
    turn before its deadline is void.
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
        self._looking: dict[str, tuple[str, asyncio.Task[Result]]] = {}
        self._freed = asyncio.Event()

    def take(self, answer: Assignments) -> None:
        """Takes what is offered; a job that is known is not run again."""
        now = self._clock.now()
        ahead_by = now - from_datetime(answer.server_time)
        self._known = {job_id: until for job_id, until in self._known.items() if until > now}
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
        for looked_at, task in self._looking.values():
            if looked_at == monitor_id:
                task.cancel()

    def place_freed(self) -> None:
        """A slot has ended."""
        self._freed.set()
        self._freed = asyncio.Event()

    async def _carry_out(self, order: _Order) -> None:
        try:
            plan = self._plan(order)
        except (ValueError, msgspec.ValidationError) as error:
            self._void(order, f"assertion_invalid: {error}")
            return
        await asyncio.sleep(max(order.not_before - self._clock.now(), 0) / 1000)
        while await self._gets_turn(order):
            result = await self._look(order, plan)
            if result is not None:
                self._report(result, order.job.job_id)
                return
        self._void(order, f"{CHECK_IN_PROGRESS}: other checks were running all the time")

    async def _gets_turn(self, order: _Order) -> bool:
        """Waits until the job may begin; False if that is not before its deadline."""
        while not self._is_free(order.monitor_id):
            rest = order.deadline_at - self._clock.now()
            if rest <= 0:
                return False
            freed = self._freed
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest / 1000):
                    await freed.wait()
        return self._clock.now() < order.deadline_at

    def _is_free(self, monitor_id: str) -> bool:
        if len(self._looking) >= _MOST_AT_ONCE:
            return False
        if not monitor_id:
            return True
        is_looked_at = any(looked_at == monitor_id for looked_at, _ in self._looking.values())
        return not is_looked_at and not self._wheel.is_taken(monitor_id, self._clock.now())

    async def _look(self, order: _Order, plan: Plan) -> Result | None:
        """The result; None if it had to give way."""
        now_us, job_id = self._clock.now_us(), order.job.job_id
        slot = Slot(plan, now_us // 1000, ResultKind.MANUAL, 0, now_us // 1000)
        task = self._tasks.create_task(self._runner.look(slot), name=f"{job_id}-look")
        self._looking[job_id] = (order.monitor_id, task)
        try:
            await asyncio.wait({task})
        finally:
            del self._looking[job_id]
            self.place_freed()
        return None if task.cancelled() else replace(task.result(), round=0)

    def _plan(self, order: _Order) -> Plan:
        """One attempt; a job stands on no grid. Raises ValueError or ValidationError for what cannot be run."""
        job = order.job
        return Plan(
            monitor_id=order.monitor_id,
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
