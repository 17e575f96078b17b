"""A look at ourselves that goes the way of all results: asked of a probe, run, shipped, committed by the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.engine.jobs import Found, Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.protocol.conversion import spec_document
from statuspulse.protocol.documents import Job

_TIMEOUT_MS = 2000
# The wheel of a probe turns ten times a second; a slot that waits so long in front of it waits for nothing.
_STANDSTILL_MS = 5000


class CanaryLook:
    """Has each of the regions look once at `url`; `regions` answers which those are just now."""

    def __init__(
        self,
        jobs: Jobs,
        liveness: Liveness,
        *,
        url: str,
        regions: Callable[[], list[str]],
        now: Callable[[], int],
    ) -> None:
        self._jobs = jobs
        self._liveness = liveness
        self._url = url
        self._regions = regions
        self._now = now

    async def fly(self, within_seconds: float) -> str | None:
        """None once one of the regions has looked, else the word for why none has."""
        regions = self._regions()
        if not regions:
            return "probe_offline"
        asked = {region: self._job(within_seconds) for region in regions}
        try:
            fault = None
            waiting = [self._jobs.ask(region, job) for region, job in asked.items()]
            for coming in asyncio.as_completed(waiting, timeout=within_seconds):
                fault = self._fault(await coming)
                if fault is None:
                    break
        except TimeoutError:
            return "probe_silent"
        finally:
            for job in asked.values():
                self._jobs.withdraw(job.job_id)
        return fault

    def _job(self, within_seconds: float) -> Job:
        now = self._now()
        return Job(
            job_id=new_ulid("chk", now),
            kind="test",
            monitor_id=None,
            config_version=0,
            type=MonitorType.HTTP.value,
            spec=spec_document(HttpSpec(url=self._url)),
            timeout_ms=_TIMEOUT_MS,
            not_before=to_datetime(now),
            deadline_at=to_datetime(now + round(within_seconds * SECOND)),
        )

    def _fault(self, found: Found | None) -> str | None:
        """What was found there does not matter, only that somebody was able to look."""
        if found is None:
            return "probe_silent"
        failure = found.result.observation.failure
        if failure is not None and failure.kind.is_void and failure.kind is not FailureClass.BLOCKED_BY_POLICY:
            return failure.kind.value
        pulse = self._liveness.pulse(found.probe_id)
        if pulse is not None and pulse.heartbeat.load.overdue_ms >= _STANDSTILL_MS:
            return "schedule_stands_still"
        return None
