"""Looks beside the schedule: which region has to run them, and who gets what comes of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from statuspulse.bus.bus import Bus, Topic
from statuspulse.domain.result import Result
from statuspulse.domain.times import SECOND, from_datetime
from statuspulse.protocol.documents import Job

# An answer with a job may be lost on its way to the probe.
_OFFERED_AGAIN_AFTER = 2 * SECOND
MOST_WAITING = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a job has found; stored already where it belongs to a monitor."""

    probe_id: str
    result: Result


@dataclass(slots=True)
class _Asked:
    """One job. The first probe of the region to ask for work gets it and keeps it. For some of them nobody waits."""

    region: str
    job: Job
    found: asyncio.Future[Found | None] | None
    offer_at: int
    probe_id: str | None = None

    def is_for(self, region: str, probe_id: str) -> bool:
        is_open = self.found is None or not self.found.done()
        return is_open and self.region == region and self.probe_id in {None, probe_id}


class Jobs:
    """The jobs that are to be run. They are kept in memory, since a lost one costs time and never truth.

    Used on the event loop alone.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._asked: dict[str, _Asked] = {}

    def __len__(self) -> int:
        """How many jobs somebody waits for."""
        return sum(asked.found is not None for asked in self._asked.values())

    def ask(self, region: str, job: Job) -> asyncio.Future[Found | None]:
        """Has a probe of the region run the job; None is what comes when nobody will any more.

        Whoever asks withdraws the job when he has the answer or waits no longer.
        """
        found: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._asked[job.job_id] = _Asked(region, job, found, from_datetime(job.not_before))
        self.wake()
        return found

    def offer(self, region: str, job: Job) -> None:
        """Has a probe of the region run a job whose result comes with all others; `wake` lets the probes know of it."""
        self._asked[job.job_id] = _Asked(region, job, None, from_datetime(job.not_before))

    def wake(self) -> None:
        """Lets probes that wait for work look at what there is."""
        self._bus.wake(Topic.CATALOG)

    def withdraw(self, job_id: str) -> None:
        self._asked.pop(job_id, None)

    def is_asked(self, monitor_id: str) -> bool:
        """Whether somebody waits for a look at the monitor."""
        return any(asked.job.monitor_id == monitor_id for asked in self._asked.values() if asked.found is not None)

    def offered(self, region: str, probe_id: str, now: int) -> list[Job]:
        """What the probe is to run, every two seconds again until the result is in or the deadline has passed."""
        due = [asked for asked in self._asked.values() if asked.is_for(region, probe_id) and asked.offer_at <= now]
        due = [asked for asked in due if now < from_datetime(asked.job.deadline_at)]
        for asked in due:
            asked.probe_id = probe_id
            asked.offer_at = now + _OFFERED_AGAIN_AFTER
        return [asked.job for asked in due]

    def next_offer_at(self, region: str, probe_id: str) -> int | None:
        """When a job will be due for the probe, unless another is asked; None if none will be."""
        return min(
            (
                asked.offer_at
                for asked in self._asked.values()
                if asked.is_for(region, probe_id) and asked.offer_at < from_datetime(asked.job.deadline_at)
            ),
            default=None,
        )

    def settle(self, job_id: str, region: str, found: Found) -> None:
        """Hands over a result; one that nobody waits for, or that another region sends, is nobody's."""
        asked = self._asked.get(job_id)
        if asked is None or asked.found is None or asked.region != region:
            return
        if not asked.found.done():
            asked.found.set_result(found)

    def close(self) -> None:
        """Sends away whoever waits."""
        for asked in self._asked.values():
            if asked.found is not None and not asked.found.done():
                asked.found.set_result(None)
