"""Rechecks that regions are asked for while a monitor is in doubt.

They live in memory alone: a lost one costs time and never truth, and after a restart the schedule alone decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from statuspulse.domain.doubt import LIFETIME
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.result import Result, ResultKind, Verdict
from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.engine.evaluation import Recheck
from statuspulse.engine.jobs import Jobs
from statuspulse.protocol.documents import Job
from statuspulse.storage.results import Placed

_PER_SECOND = 50
_BURST = 200


class Outcome(StrEnum):
    """What became of a recheck that a doubt asked for."""

    OK = "ok"
    FAILED = "failed"
    VOID = "void"
    SERVED = "served"  # by a slot that came first
    EXPIRED = "expired"
    LIMITED = "limited"  # not asked: the region has enough to do


_OF_VERDICTS = {Verdict.OK: Outcome.OK, Verdict.FAILED: Outcome.FAILED, Verdict.VOID: Outcome.VOID}


@dataclass(slots=True)
class _Allowance:
    """How many rechecks a region may be asked for: so many at once, and so many a second from then on."""

    left: float = _BURST
    at: int = 0

    def take(self, now: int) -> bool:
        self.left = min(_BURST, self.left + max(0, now - self.at) * _PER_SECOND / SECOND)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(frozen=True, slots=True)
class _Asked:
    job_id: str
    expires_at: int


@dataclass(slots=True)
class Rechecks:
    """At most one is asked for per monitor and region. Used on the event loop alone."""

    jobs: Jobs
    count: Callable[[Outcome], None]
    _asked: dict[tuple[int, int], _Asked] = field(default_factory=dict)
    _allowances: dict[int, _Allowance] = field(default_factory=dict)

    def follow(self, placed: Iterable[Placed], wanted: Iterable[Recheck], now: int) -> None:
        """After a commit: what has come ends what was asked for, and what is wanted is asked for."""
        if self._asked:
            for item in placed:
                self._end((item.monitor_key, item.region_key), _outcome(item.result))
        asked = [self._ask(recheck, now) for recheck in wanted]
        if any(asked):
            self.jobs.wake()

    def expire(self, now: int) -> None:
        """Lets go of what nobody has done in time."""
        for key in [key for key, asked in self._asked.items() if asked.expires_at <= now]:
            self._end(key, Outcome.EXPIRED)

    def _ask(self, recheck: Recheck, now: int) -> bool:
        watched, region_key = recheck.watched, recheck.region_key
        key = (watched.monitor.key, region_key)
        if key in self._asked:
            return False
        if not self._allowances.setdefault(region_key, _Allowance(at=now)).take(now):
            self.count(Outcome.LIMITED)
            return False
        job = Job(
            job_id=new_ulid("chk", now),
            kind="recheck",
            monitor_id=watched.monitor.id,
            config_version=watched.monitor.config_version,
            type=watched.type,
            spec={},
            timeout_ms=watched.rules.timeout,
            not_before=to_datetime(recheck.not_before),
            deadline_at=to_datetime(now + LIFETIME),
        )
        # Its result may come once it has been begun by the deadline.
        self._asked[key] = _Asked(job.job_id, now + LIFETIME + watched.rules.timeout)
        self.jobs.offer(watched.regions[region_key], job)
        return True

    def _end(self, key: tuple[int, int], outcome: Outcome) -> None:
        asked = self._asked.pop(key, None)
        if asked is not None:
            self.jobs.withdraw(asked.job_id)
            self.count(outcome)


def _outcome(result: Result) -> Outcome:
    return _OF_VERDICTS[result.verdict] if result.kind is ResultKind.RECHECK else Outcome.SERVED
