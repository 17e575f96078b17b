"""The runner: attempts, retries, places, and what our own standstill makes of a result."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic, time_ns

import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.monitor import Retry
from statuspulse.domain.result import Observation, Result, ResultKind, Verdict
from statuspulse.egress.attempts import ATTEMPT
from statuspulse.probe.clock import Clock
from statuspulse.probe.places import Places
from statuspulse.probe.plan import Plan, Slot
from statuspulse.probe.pulse import Pulse
from statuspulse.probe.runner import Runner
from tests.probe.plans import ScriptedCheck, a_plan
from tests.targets import until

OK = Observation(latency_us=1)
REFUSED = Observation(failure=Failure(FailureClass.CONNECT_REFUSED, "refused"))
TIMED_OUT = Observation(failure=Failure(FailureClass.TIMEOUT, "no answer"))
PLACES: Places[object] = Places(1)
BLOCKED = Observation(failure=Failure(FailureClass.BLOCKED_BY_POLICY, "denied"))


class Bench:
    """A runner whose results are collected; the loop's lag is what the test says."""

    def __init__(self) -> None:
        self.results: list[Result] = []
        self.ended: list[Slot] = []
        self.paused = 0.0
        self.clock = Clock(wall=lambda: time_ns() // 1_000_000, monotonic=monotonic)
        self.pulse = Pulse(lambda: monotonic() + self.paused)
        self.pulse.expect(3600)
        self.runner = Runner(
            clock=self.clock,
            pulse=self.pulse,
            report=self.results.append,
            finished=self.ended.append,
        )

    def slot(self, plan: Plan, *, next_in: int = 60_000, lag_us: int = 1500) -> Slot:
        now = self.clock.now()
        claim = PLACES.claim(plan.spec, None, plan.team_id)
        return Slot(plan, now, ResultKind.SCHEDULED, lag_us, now + next_in, claim)

    async def run(self, plan: Plan, *, next_in: int = 60_000) -> Result:
        async with self.runner:
            self.runner.start(self.slot(plan, next_in=next_in))
        return self.results[-1]

    def stand_still(self, seconds: float) -> None:
        """As if the loop had not run: the pulse was expected in the past."""
        self.pulse.expect(0)
        self.paused += seconds


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_slot_gives_one_result_with_everything_that_identifies_it(bench: Bench) -> None:
    plan = a_plan(config_version=7, check=ScriptedCheck([OK]))
    slot = bench.slot(plan)
    async with bench.runner:
        bench.runner.start(slot)
    (result,) = bench.results
    assert (result.monitor_id, result.region, result.scheduled_at) == (plan.monitor_id, "local", slot.scheduled_at)
    assert (result.kind, result.lag_us, result.attempt, result.config_version) == (ResultKind.SCHEDULED, 1500, 1, 7)
    assert result.round == plan.grid.round_of(slot.scheduled_at)
    assert slot.scheduled_at <= result.observed_at <= bench.clock.now()
    assert result.observation is OK
    assert bench.ended == [slot]


async def test_a_failure_is_tried_again_and_the_last_attempt_decides(bench: Bench) -> None:
    check = ScriptedCheck([REFUSED, OK])
    result = await bench.run(a_plan(check=check, retry=Retry(count=2, delay_ms=10)))
    assert (result.verdict, result.attempt, check.runs) == (Verdict.OK, 2, 2)


async def test_a_retry_waits_its_delay(bench: Bench) -> None:
    begun = monotonic()
    await bench.run(a_plan(check=ScriptedCheck([REFUSED]), retry=Retry(count=1, delay_ms=150)))
    assert monotonic() - begun >= 0.15


async def test_what_keeps_failing_fails_after_its_retries(bench: Bench) -> None:
    check = ScriptedCheck([REFUSED])
    result = await bench.run(a_plan(check=check, retry=Retry(count=2, delay_ms=1)))
    assert (result.verdict, result.attempt, check.runs) == (Verdict.FAILED, 3, 3)


async def test_a_retry_starts_only_if_its_whole_timeout_fits_before_the_next_slot(bench: Bench) -> None:
    check = ScriptedCheck([REFUSED])
    plan = a_plan(check=check, timeout_ms=1000, retry=Retry(count=1, delay_ms=100))
    await bench.run(plan, next_in=1050)
    assert check.runs == 1
    bench = Bench()
    await bench.run(plan, next_in=1500)
    assert check.runs == 3


async def test_every_attempt_knows_its_number_and_keeps_it_to_itself(bench: Bench) -> None:
    attempts: list[int] = []

    class Counting(ScriptedCheck):
        async def run(self, _spec: object, *, timeout_ms: int) -> Observation:
            attempts.append(ATTEMPT.get())
            return await super().run(_spec, timeout_ms=timeout_ms)

    plan = a_plan(check=Counting([REFUSED]), retry=Retry(count=2, delay_ms=1))
    await bench.run(plan)
    assert attempts == [1, 2, 3]
    assert ATTEMPT.get() == 1


async def test_the_first_failure_keeps_its_evidence_and_what_came_of_earlier_attempts(bench: Bench) -> None:
    shown = replace(REFUSED, evidence={"error": "refused"}, ip="127.0.0.1")
    plan = a_plan(check=ScriptedCheck([shown]), retry=Retry(count=1, delay_ms=1))
    async with bench.runner:
        bench.runner.start(bench.slot(plan))
        await until(lambda: len(bench.results) == 1)
        bench.runner.start(bench.slot(plan))
    first, second = (result.observation.evidence for result in bench.results)
    assert first == {
        "error": "refused",
        "attempts": [{"ip": "127.0.0.1", "class": "connect_refused", "detail": "refused"}],
    }
    assert second is None


async def test_a_void_result_is_not_tried_again(bench: Bench) -> None:
    check = ScriptedCheck([BLOCKED])
    result = await bench.run(a_plan(check=check, retry=Retry(count=3, delay_ms=1)))
    assert (result.verdict, check.runs) == (Verdict.VOID, 1)


async def test_a_check_that_ends_is_told_once_and_leaves_where_it_has_been(bench: Bench) -> None:
    slot = bench.slot(a_plan(check=ScriptedCheck([Observation(ip="127.0.0.9")])))
    async with bench.runner:
        bench.runner.start(slot)
        assert bench.runner.in_flight == 1
    assert bench.runner.in_flight == 0
    assert (bench.ended, slot.seen_at) == ([slot], "127.0.0.9")


async def test_a_cancelled_slot_ends_once_and_without_a_result(bench: Bench) -> None:
    gate = asyncio.Event()
    started, unstarted = (bench.slot(a_plan(check=ScriptedCheck(gate=gate))) for _ in range(2))
    async with bench.runner:
        bench.runner.start(started)
        await asyncio.sleep(0)
        bench.runner.cancel(started)
        bench.runner.start(unstarted)
        bench.runner.cancel(unstarted)
        bench.runner.cancel(unstarted)
        assert bench.runner.in_flight == 0
    assert bench.ended == [started, unstarted]
    assert bench.results == []


async def test_draining_waits_for_what_ends_soon_and_cancels_the_rest() -> None:
    bench, gate = Bench(), asyncio.Event()
    quick, endless = a_plan(check=ScriptedCheck([OK])), a_plan(check=ScriptedCheck(gate=gate))
    async with bench.runner:
        bench.runner.start(bench.slot(quick))
        stuck = bench.slot(endless)
        bench.runner.start(stuck)
        assert await bench.runner.drain(0.1) == [stuck]
    assert [result.verdict for result in bench.results] == [Verdict.OK]


@pytest.mark.parametrize("seen", [OK, REFUSED, TIMED_OUT])
async def test_a_standstill_of_two_seconds_voids_what_was_in_flight(bench: Bench, seen: Observation) -> None:
    gate = asyncio.Event()
    async with bench.runner:
        bench.runner.start(bench.slot(a_plan(check=ScriptedCheck([seen], gate=gate))))
        await asyncio.sleep(0)
        bench.stand_still(2.5)
        gate.set()
    (result,) = bench.results
    assert result.observation.failure is not None
    assert result.observation.failure.kind is FailureClass.SELF_STALL
    assert result.verdict is Verdict.VOID


async def test_a_standstill_that_was_told_during_the_check_voids_it_too(bench: Bench) -> None:
    gate = asyncio.Event()
    async with bench.runner:
        bench.runner.start(bench.slot(a_plan(check=ScriptedCheck([OK], gate=gate))))
        await asyncio.sleep(0)
        bench.stand_still(2.5)
        assert bench.pulse.beat()
        bench.pulse.expect(3600)
        gate.set()
    assert bench.results[0].verdict is Verdict.VOID


async def test_a_standstill_before_the_check_does_not_touch_it(bench: Bench) -> None:
    bench.stand_still(10)
    assert bench.pulse.beat()
    bench.pulse.expect(3600)
    assert (await bench.run(a_plan(check=ScriptedCheck([TIMED_OUT])))).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("seen", "pause", "verdict"),
    [
        (TIMED_OUT, 0.15, Verdict.VOID),
        (TIMED_OUT, 0.04, Verdict.FAILED),
        (REFUSED, 0.15, Verdict.FAILED),
        (OK, 0.15, Verdict.OK),
    ],
)
async def test_a_timeout_that_our_own_loop_helped_to_expire_is_void(
    bench: Bench, seen: Observation, pause: float, verdict: Verdict
) -> None:
    gate = asyncio.Event()
    async with bench.runner:
        bench.runner.start(bench.slot(a_plan(check=ScriptedCheck([seen], gate=gate), timeout_ms=1000)))
        await asyncio.sleep(0)
        bench.stand_still(pause)
        gate.set()
    assert bench.results[0].verdict is verdict
