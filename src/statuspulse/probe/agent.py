"""Puts a probe together, runs it until it is told to stop, and takes it apart again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import structlog

from statuspulse.domain.failure import MissReason
from statuspulse.domain.result import Gap, Result, ResultKind, Verdict
from statuspulse.domain.secret import Secret
from statuspulse.domain.specs.dns import DnsSpec
from statuspulse.domain.times import MINUTE
from statuspulse.egress.addresses import AddressClass
from statuspulse.egress.endpoints import Endpoint
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from statuspulse.probe.anchors import Anchors
from statuspulse.probe.assignments import AssignedSet, Change
from statuspulse.probe.check import checks
from statuspulse.probe.claim import claimed
from statuspulse.probe.clock import Clock
from statuspulse.probe.docket import Deliver, Docket
from statuspulse.probe.handover import Handover
from statuspulse.probe.high_water import HighWater
from statuspulse.probe.jobs import Jobs
from statuspulse.probe.link import Link, Peer
from statuspulse.probe.load import LoadMeter
from statuspulse.probe.places import Places, places_for, widened_file_limit
from statuspulse.probe.plan import Plan, Slot
from statuspulse.probe.pulse import Pulse
from statuspulse.probe.records import gap_record, result_record
from statuspulse.probe.runner import Runner
from statuspulse.probe.spool import Bounds, Spool
from statuspulse.probe.ticker import Ticker
from statuspulse.probe.wheel import Line, Wheel
from statuspulse.protocol.documents import AssignedMonitor, Assignments

log = structlog.get_logger(__name__)

_ASSIGNMENTS = "assignments"
_FLUSH_SECONDS = 0.2
_DRAIN_SECONDS = 2.0
_FAREWELL_SECONDS = 1.0
# So many monitors are taken up before the loop gets a turn for the checks that are due.
_AT_ONCE = 200
# Extra checks of new monitors: so many together, the others after them at this distance, or a fleet would be a herd.
_EXTRA_CHECKS = 100
_EXTRA_APART_MS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """What a probe is told at its start; `policy` is its own, the control plane's can only make it stricter.

    `anchors` are whom it asks whether its own network works; with None failures count without a witness.
    """

    server_url: str
    key: Secret
    data_dir: Path
    policy: Policy
    version: str
    boot_id: str
    bounds: Bounds = field(default_factory=Bounds)
    anchors: tuple[Endpoint, ...] | None = None


def has_assignments(settings: ProbeSettings) -> bool:
    """Whether an earlier run has left something to check."""
    return (settings.data_dir / _ASSIGNMENTS).exists()


async def run(
    settings: ProbeSettings, *, wall: Callable[[], int], monotonic: Callable[[], float], stop: asyncio.Event
) -> None:
    """Checks until `stop` is set. `wall` is in ms; `monotonic` in seconds should go on while the machine sleeps.

    Raises ClockBehindError if the wall clock cannot be right, FolderInUseError if another probe has the data
    directory, OSError if it cannot be used.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as closing:
        closing.enter_context(await claimed(settings.data_dir))
        high_water = HighWater(settings.data_dir / "lived-until")
        closing.callback(high_water.close)
        clock = Clock(wall=wall, monotonic=monotonic, not_before=high_water.lived_until or 0)
        gate = Gate(settings.policy)
        closing.callback(gate.close)
        await _Agent(settings, clock, monotonic, high_water, gate, stop).run()


class _Agent:
    """The parts of a running probe."""

    def __init__(
        self,
        settings: ProbeSettings,
        clock: Clock,
        monotonic: Callable[[], float],
        high_water: HighWater,
        gate: Gate,
        stop: asyncio.Event,
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._clock = clock
        self._high_water = high_water
        self._gate = gate
        self._policy = settings.policy
        self._checks = checks(gate, clock.now)
        self._spool = Spool(settings.data_dir / "spool", settings.bounds)
        self._assigned = AssignedSet(settings.data_dir / _ASSIGNMENTS)
        pulse = Pulse(monotonic)
        self._runner = Runner(
            clock=clock,
            pulse=pulse,
            report=self._report,
            finished=self._finished,
        )
        capacity = places_for(widened_file_limit())
        places: Places[Line] = Places(capacity)
        self._wheel = Wheel(start=self._start, places=places, miss=self._miss)
        self._jobs = Jobs(
            runner=self._runner, wheel=self._wheel, checks=self._checks, clock=clock, report=self._report_job
        )
        self._ticker = Ticker(wheel=self._wheel, clock=clock, pulse=pulse, high_water=high_water)
        self._link = Link(
            client=HttpClient(gate),
            peer=Peer(
                server_url=settings.server_url,
                key=settings.key,
                version=settings.version,
                boot_id=settings.boot_id,
                capacity=capacity,
            ),
            spool=self._spool,
            assigned=self._assigned,
            now=clock.now,
            load=LoadMeter(
                wheel=self._wheel, runner=self._runner, pulse=pulse, now=clock.now, monotonic=monotonic
            ).take,
            adopt=self._adopt,
            blind=self._blind,
            is_stopping=stop.is_set,
        )
        self._handover = Handover(wheel=self._wheel, release=self._release)
        self._docket = self._docket_of(settings.anchors)

    async def run(self) -> None:
        lived_until = self._high_water.lived_until
        kept = self._assigned.loaded()
        if kept is not None:
            await self._take_up(kept, lived_until)
        async with asyncio.TaskGroup() as services:
            ongoing = [
                services.create_task(work, name=name)
                for name, work in (
                    ("spool", self._keep()),
                    ("assignments", self._link.follow()),
                    ("jobs", self._jobs.run()),
                    ("handover", self._handover.run()),
                    ("results", self._link.ship()),
                    ("heartbeat", self._link.beat()),
                )
            ]
            if self._docket is not None:
                ongoing.append(services.create_task(self._docket.run(), name="witnesses"))
            await self._check()
            for task in ongoing:
                task.cancel()
        await self._part()

    async def _check(self) -> None:
        async with self._runner:
            await self._ticker.run(self._stop)
            self._wheel.close()
            for slot in await self._runner.drain(_DRAIN_SECONDS):
                self._leave_unrun(slot)

    async def _part(self) -> None:
        """Leaves everything on disk, and with the control plane if it answers within a second."""
        if self._docket is not None:
            self._docket.close()
        await self._spool.flush(self._clock.now())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                await self._link.say_farewell()
        await self._spool.flush(self._clock.now())
        self._high_water.store(self._clock)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            await self._spool.flush(self._clock.now())

    async def _adopt(self, answer: Assignments) -> None:
        change = await self._assigned.adopt(answer)
        if change is not None:
            await self._take_up(change, None)
        self._jobs.take(answer)

    async def _take_up(self, change: Change, lived_until: int | None) -> None:
        """Sets the wheel to what is assigned; `lived_until` if that is known from before a restart."""
        policy = _stricter(self._settings.policy, change.policy)
        if policy != self._policy:
            self._policy = policy
            self._gate.guard.adopt(policy)
        named = {monitor.monitor_id for monitor in change.changed}
        plans = await asyncio.to_thread(self._plans, change)
        for monitor_id in [*change.removed, *(monitor_id for monitor_id, plan in plans if plan is None)]:
            slot = self._wheel.dismiss(monitor_id)
            if slot is not None:
                self._runner.cancel(slot)
            self._forget(monitor_id)
        self._handover.share(self._assigned.sharing)
        # What others have looked at so far needs no first look.
        is_taken_over = change.is_snapshot and not self._assigned.sharing.is_alone
        new = 0
        for number, (_, plan) in enumerate(plans, start=1):
            if plan is None:
                continue
            if lived_until is not None:
                self._wheel.resume(plan, lived_until, self._clock.now())
            elif plan.monitor_id not in self._wheel and (is_taken_over or plan.monitor_id not in named):
                now = self._clock.now()
                self._wheel.resume(plan, now, now)
            else:
                new += plan.monitor_id not in self._wheel
                extra_after = max(0, new - _EXTRA_CHECKS) * _EXTRA_APART_MS
                self._wheel.assign(plan, self._clock.now(), extra_after=extra_after)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        log.info("probe.assignments", monitors=len(self._wheel), version=self._assigned.version)

    def _release(self, monitor_id: str) -> None:
        """Another probe has the monitor; a check that runs may end."""
        self._wheel.dismiss(monitor_id)
        self._forget(monitor_id)

    def _forget(self, monitor_id: str) -> None:
        self._runner.forget(monitor_id)
        if self._docket is not None:
            self._docket.forget(monitor_id)

    def _plans(self, change: Change) -> list[tuple[str, Plan | None]]:
        """Of everything that is to be run from now on in another way; what is being handed over is, too."""
        assigned = self._assigned
        touched = {monitor.monitor_id: monitor for monitor in change.changed}
        if change.is_shared_anew:
            touched = {**assigned.monitors, **touched}
        return [
            (monitor_id, self._plan(monitor, change.region))
            for monitor_id, monitor in touched.items()
            if assigned.sharing.has(monitor_id) or monitor_id in self._wheel
        ]

    def _plan(self, monitor: AssignedMonitor, region: str) -> Plan | None:
        """None for what this probe cannot run: then nothing is seen, which is no verdict."""
        try:
            return Plan.of(monitor, region, self._checks)
        except (ValueError, msgspec.ValidationError) as error:
            log.warning("probe.monitor_not_understood", monitor_id=monitor.monitor_id, error=str(error))
            return None

    def _docket_of(self, anchors: tuple[Endpoint, ...] | None) -> Docket | None:
        if anchors is None:
            return None
        ask = Anchors(self._gate, anchors).ask
        return Docket(ask=ask, changed=self._link.beat_now, now=self._clock.now)

    def _blind(self) -> list[str]:
        return [] if self._docket is None else self._docket.blind

    def _report(self, result: Result) -> None:
        self._weigh(result, self._keep_result)

    def _weigh(self, result: Result, deliver: Deliver) -> None:
        """Passes a result on, a failure only once it is clear that it is not our own."""
        if self._docket is None:
            deliver(result)
            return
        if result.observation.failure is None:
            self._docket.note(result)
            deliver(result)
            return
        plan = self._wheel.plan_of(result.monitor_id)
        interval = MINUTE if plan is None else plan.grid.interval
        asks_own = plan is None or not isinstance(plan.spec, DnsSpec) or plan.spec.resolver is None
        self._docket.take(result, interval, deliver, asks_own_resolver=asks_own)

    def _keep_result(self, result: Result) -> None:
        self._spool.append(result.observed_at, lambda seq: result_record(seq, result))
        self._link.notice(is_urgent=result.verdict is Verdict.FAILED)

    def _report_job(self, result: Result, job_id: str) -> None:
        def keep(weighed: Result) -> None:
            self._spool.append(weighed.observed_at, lambda seq: result_record(seq, weighed, job_id))
            self._link.notice(is_urgent=True)

        self._weigh(result, keep)

    def _start(self, slot: Slot) -> None:
        self._jobs.give_way(slot.plan.monitor_id)
        self._runner.start(slot)

    def _finished(self, slot: Slot) -> None:
        self._wheel.finished(slot, self._clock.now_us())
        self._jobs.place_freed()

    def _miss(self, gap: Gap) -> None:
        self._spool.append(self._clock.now(), lambda seq: gap_record(seq, gap))
        self._link.notice(is_urgent=False)

    def _leave_unrun(self, slot: Slot) -> None:
        """A slot that the end of this run cut off."""
        if slot.kind is ResultKind.SCHEDULED:
            at = slot.scheduled_at
            self._miss(
                Gap(
                    monitor_id=slot.plan.monitor_id,
                    region=slot.plan.region,
                    from_at=at,
                    to_at=at,
                    count=1,
                    reason=MissReason.RESTART,
                )
            )


def _stricter(own: Policy, denied: list[str]) -> Policy:
    """The probe's policy with the classes that the site denies as well."""
    known = {str(address_class): address_class for address_class in AddressClass}
    return replace(own, probe_deny=own.probe_deny | {known[word] for word in denied if word in known})
