"""Runs slots: attempts and retries of one check, and the result that comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Result
from statuspulse.egress.attempts import ATTEMPT
from statuspulse.probe.captures import Captures, with_attempts
from statuspulse.probe.clock import Clock
from statuspulse.probe.plan import Slot
from statuspulse.probe.pulse import Pulse

_EXPIRED = frozenset({FailureClass.TIMEOUT, FailureClass.CONNECT_TIMEOUT})


class Runner:
    """Starts a task for each slot. `report` takes the results, `finished` every slot that ended, each once.

    While it is entered as a context the tasks have an owner; what still runs at the end is waited for.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        pulse: Pulse,
        report: Callable[[Result], None],
        finished: Callable[[Slot], None],
    ) -> None:
        self._clock = clock
        self._pulse = pulse
        self._tasks = asyncio.TaskGroup()
        self._report = report
        self._running: dict[Slot, asyncio.Task[None]] = {}
        self._captures = Captures()
        self._finished = finished
        self.lags_us: list[int] = []

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.__aexit__(kind, error, trace)

    @property
    def in_flight(self) -> int:
        return len(self._running)

    def start(self, slot: Slot) -> None:
        self.lags_us.append(slot.lag_us)
        self._running[slot] = self._tasks.create_task(self._run(slot), name=slot.plan.monitor_id)

    async def look(self, slot: Slot) -> Result:
        """The result of a slot that runs in the caller's own task and takes no place."""
        attempt, seen = await self._look(slot)
        return self._result(slot, attempt, self._captures.kept(slot, seen))

    def cancel(self, slot: Slot) -> None:
        """Ends a slot without a result."""
        task = self._running.get(slot)
        if task is not None:
            task.cancel()
            # A task that is cancelled before its first step never comes to tell of its end itself.
            self._end(slot)

    def forget(self, monitor_id: str) -> None:
        """The monitor is not checked here any more."""
        self._captures.forget(monitor_id)

    async def drain(self, seconds: float) -> list[Slot]:
        """Waits for what runs and cancels what takes longer; gives back the slots that got no result."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=seconds)
        left = list(self._running)
        for slot in left:
            self.cancel(slot)
        return left

    async def _run(self, slot: Slot) -> None:
        try:
            attempt, seen = await self._look(slot)
            slot.seen_at = seen.ip
            self._report(self._result(slot, attempt, self._captures.kept(slot, seen)))
        finally:
            self._end(slot)

    def _end(self, slot: Slot) -> None:
        if self._running.pop(slot, None) is not None:
            self._finished(slot)

    async def _look(self, slot: Slot) -> tuple[int, Observation]:
        plan, pulse = slot.plan, self._pulse
        stalls = pulse.stalls
        attempt = 1
        earlier: list[Observation] = []
        while True:
            lost_seconds = pulse.lost_seconds
            seen = await plan.check.run(plan.spec, timeout_ms=plan.timeout_ms)
            if pulse.stood_still(stalls):
                return attempt, _stalled("the probe stood still during the check")
            if seen.failure is None or seen.failure.kind.is_void:
                return attempt, seen
            if attempt > plan.retry.count or not self._fits(slot):
                break
            await asyncio.sleep(plan.retry.delay_ms / 1000)
            earlier.append(seen)
            attempt += 1
            ATTEMPT.set(attempt)  # of this task: whatever is dialled by name from here on is the next address
        if _ran_out_of_time(seen.failure):
            lost_ms = int(pulse.lost_since(lost_seconds) * 1000)
            if lost_ms >= min(plan.timeout_ms // 10, 1000):
                return attempt, _stalled(f"the probe stood still for {lost_ms} ms of a check that ran out of time")
        return attempt, with_attempts(seen, earlier)

    def _fits(self, slot: Slot) -> bool:
        """Whether a retry with its whole time-out ends before the next slot."""
        retry = slot.plan.retry
        return self._clock.now() + retry.delay_ms + slot.plan.timeout_ms <= slot.next_at

    def _result(self, slot: Slot, attempt: int, seen: Observation) -> Result:
        plan = slot.plan
        return Result(
            monitor_id=plan.monitor_id,
            region=plan.region,
            scheduled_at=slot.scheduled_at,
            kind=slot.kind,
            round=plan.grid.round_of(slot.scheduled_at),
            lag_us=slot.lag_us,
            observed_at=self._clock.now(),
            attempt=attempt,
            config_version=plan.config_version,
            observation=seen,
        )


def _ran_out_of_time(failure: Failure) -> bool:
    return failure.kind in _EXPIRED or (failure.kind is FailureClass.DNS_ERROR and failure.detail.startswith("timeout"))


def _stalled(detail: str) -> Observation:
    return Observation(failure=Failure(FailureClass.SELF_STALL, detail))
