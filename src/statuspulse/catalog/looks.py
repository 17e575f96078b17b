"""Looking once, now: at a monitor, or at what might become one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection

from statuspulse.catalog import merging, monitor_input, references, secrets
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, existing
from statuspulse.catalog.secrets import Owner
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.heartbeat import HEARTBEAT
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.result import Result
from statuspulse.domain.specs.registry import spec_of
from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.engine import coverage
from statuspulse.engine.jobs import MOST_WAITING, Found, Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.protocol.conversion import spec_document
from statuspulse.protocol.documents import CHECK_IN_PROGRESS, Job
from statuspulse.storage import monitors
from statuspulse.storage.sealing import Keyring

# A job begins within this time, its check takes its time-out, and its result comes after that.
_BEGINS_WITHIN = 5 * SECOND
_ARRIVES_WITHIN_SECONDS = 2


class CheckInProgressError(Exception):
    """The monitor is being checked, and one look at a time is all that there is."""


class TooManyLooksError(Exception):
    """More people wait for looks than can be served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is looked at, and from where: a monitor, or a configuration that is stored nowhere.

    `in_maintenance` tells whether a window holds for it just then.
    """

    kind: Literal["run_now", "test"]
    monitor_id: str | None
    name: str
    config: Mapping[str, Any]
    config_version: int
    regions: tuple[str, ...]
    in_maintenance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a region has seen, or why it has not looked."""

    region: str
    found: Found | None
    reason: str = ""

    @property
    def result(self) -> Result | None:
        return None if self.found is None else self.found.result


def monitor(
    connection: Connection, keyring: Keyring, team_id: str, monitor_id: str, regions: Sequence[str] | None, now: int
) -> Subject:
    """A monitor as it is now, paused or not, its secrets in clear; raises MissingError and InvalidInputError."""
    stored = existing(monitors.get(connection, team_id, monitor_id))
    _refuse_heartbeat(stored.type)
    own: list[str] = stored.config["regions"]
    if problems := list(_foreign_regions(own, regions or ())):
        raise InvalidInputError(problems)
    return Subject(
        kind="run_now",
        monitor_id=stored.id,
        name=stored.name,
        config=secrets.opened(keyring, Owner(monitor_id=stored.id, team_id=stored.team_id), stored.config),
        config_version=stored.config_version,
        regions=tuple(own if regions is None else regions),
        in_maintenance=coverage.cover_of(connection, stored, now) is not None,
    )


def candidate(connection: Connection, instance: Instance, change: Change, sent: Mapping[str, Any]) -> Subject:
    """A configuration that would make a monitor; raises InvalidInputError. The database is left as it is."""
    document = merging.under_one_name(sent, sent.get("type"))
    given = monitor_input.parse(document, instance.policy, shortest_interval=instance.min_interval_seconds)
    _refuse_heartbeat(given.config["type"])
    with connection.begin_nested() as trial:
        config = references.resolve(connection, instance, change, given).config
        trial.rollback()
    return Subject(
        kind="test",
        monitor_id=None,
        name=config["name"],
        config=config,
        config_version=0,
        regions=tuple(config["regions"]),
    )


def _refuse_heartbeat(monitor_type: str) -> None:
    if monitor_type == HEARTBEAT:
        message = "is heartbeat: it calls us and cannot be asked; call its ping_url instead"
        raise InvalidInputError([Detail(code="parameter_conflict", path=("type",), message=message)])


async def look(jobs: Jobs, liveness: Liveness, subject: Subject, now: Callable[[], int]) -> list[Seen]:
    """Has every region look once, all at the same time; answers in the order of the regions.

    Raises CheckInProgressError and TooManyLooksError.
    """
    if subject.monitor_id is not None and jobs.is_asked(subject.monitor_id):
        raise CheckInProgressError
    if len(jobs) + len(subject.regions) > MOST_WAITING:
        raise TooManyLooksError
    begun_at = now()
    watching = {pulse.region for pulse in liveness.online(begun_at)}
    asked = {region: _job(subject, begun_at) for region in subject.regions if region in watching}
    try:
        waiting = {region: jobs.ask(region, job) for region, job in asked.items()}
        if waiting:
            await asyncio.wait(waiting.values(), timeout=_patience_seconds(subject))
    finally:
        for job in asked.values():
            jobs.withdraw(job.job_id)
    seen = [_seen(region, waiting.get(region)) for region in subject.regions]
    if all(_was_busy(one) for one in seen):
        raise CheckInProgressError
    return seen


def _job(subject: Subject, now: int) -> Job:
    return Job(
        job_id=new_ulid("chk", now),
        kind=subject.kind,
        monitor_id=subject.monitor_id,
        config_version=subject.config_version,
        type=subject.config["type"],
        spec=spec_document(spec_of(subject.config)),
        timeout_ms=subject.config["timeout_ms"],
        not_before=to_datetime(now),
        deadline_at=to_datetime(now + _BEGINS_WITHIN),
    )


def _patience_seconds(subject: Subject) -> float:
    longest: int = _BEGINS_WITHIN + subject.config["timeout_ms"]
    return longest / SECOND + _ARRIVES_WITHIN_SECONDS


def _seen(region: str, waiting: asyncio.Future[Found | None] | None) -> Seen:
    if waiting is None:
        return Seen(region=region, found=None, reason=f"probe_offline: no probe of region {region} is heard")
    if not waiting.done():
        return Seen(region=region, found=None, reason=f"probe_offline: no probe of region {region} answered in time")
    found = waiting.result()
    return Seen(region=region, found=found, reason="" if found else "restart: the server is stopping")


def _was_busy(seen: Seen) -> bool:
    failure = None if seen.result is None else seen.result.observation.failure
    return (
        failure is not None
        and failure.kind is FailureClass.PROBE_ERROR
        and failure.detail.startswith(CHECK_IN_PROGRESS)
    )


def _foreign_regions(own: Sequence[str], named: Sequence[str]) -> Iterator[Detail]:
    for place, slug in enumerate(named):
        if slug not in own:
            message = f"is no region of this monitor; it has {', '.join(own)}"
            yield Detail(
                code="reference_not_found", path=("regions", place), message=message, extra={"known": list(own)}
            )
