"""The past of a seeded monitor: states that become intervals, and so uptime, and results."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from statuspulse.catalog.refusals import Detail, InvalidInputError, Path
from statuspulse.catalog.seed_file import ResultEntry, StateEntry, StatusEntry
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.health import Health, State
from statuspulse.domain.result import Observation, Result, ResultKind
from statuspulse.domain.schedule import Grid
from statuspulse.domain.times import SECOND
from statuspulse.engine import heartbeats, rollups
from statuspulse.storage import probes, results, states, watch
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.results import Placed


def tell(connection: Connection, monitor: Monitor, status: StatusEntry, now: int) -> None:
    """Stores the past of a new monitor; raises InvalidInputError with a path from the monitor on."""
    _check_states(status.states, monitor.created_at, now)
    for entry in status.states:
        states.cut_intervals(connection, monitor.key, entry.start, State(entry.state))
    if status.states:
        _settle(connection, monitor, status.states)
        heartbeats.expect(connection, monitor.key, now)
    placed = [_placed(connection, monitor, entry, place, now) for place, entry in enumerate(status.results)]
    results.insert(connection, placed)
    rollups.touch(connection, placed)


def _check_states(entries: list[StateEntry], created_at: int, now: int) -> None:
    """They follow each other without a hole; only the last one may have no end."""
    before = None
    for place, entry in enumerate(entries):
        path: Path = ("status", "states", place, "from")
        if entry.start < created_at or entry.start > now:
            raise _wrong(path, "must lie between created_at and now")
        if before is not None and before.end != entry.start:
            raise _wrong(path, 'must be the "to" of the state before')
        if entry.end is not None and not entry.start < entry.end <= now:
            raise _wrong(("status", "states", place, "to"), 'must lie between "from" and now')
        before = entry


def _settle(connection: Connection, monitor: Monitor, entries: list[StateEntry]) -> None:
    """What the last state says holds now; after its end nobody looked."""
    last = entries[-1]
    health, since = Health(last.state), last.start
    if last.end is not None:
        health, since = Health.UNKNOWN, last.end
        states.cut_intervals(connection, monitor.key, since, State.UNKNOWN)
    settled = replace(
        states.state_of(connection, monitor.key),
        health=health,
        state=State(health.value),
        since=since,
        seq=len(entries),
    )
    states.save_state(connection, monitor.key, settled)


def _placed(connection: Connection, monitor: Monitor, entry: ResultEntry, place: int, now: int) -> Placed:
    path: Path = ("status", "results", place)
    regions: list[str] = monitor.config["regions"]
    if entry.region not in regions:
        raise _wrong((*path, "region"), "is no region of the monitor")
    if entry.scheduled_at > now:
        raise _wrong((*path, "scheduled_at"), "lies in the future")
    if (entry.ok is True) != (entry.failure is None):
        raise _wrong((*path, "failure"), "belongs to every result that is not ok, and to no other")
    probe = probes.first_of_region(connection, entry.region)
    return Placed(
        monitor_key=monitor.key,
        region_key=watch.region_keys(connection)[entry.region],
        probe_key=0 if probe is None else probe.key,
        result=_result(monitor, entry, regions.index(entry.region)),
    )


def _result(monitor: Monitor, entry: ResultEntry, region_index: int) -> Result:
    interval = monitor.config["interval_seconds"] * SECOND
    grid = Grid.of(monitor.id, interval, region_index, len(monitor.config["regions"]))
    failure = None
    if entry.failure is not None:
        failure = Failure.of(FailureClass(entry.failure.kind), entry.failure.detail)
    latency_ms = entry.latency_ms or 0
    return Result(
        monitor_id=monitor.id,
        region=entry.region,
        scheduled_at=entry.scheduled_at,
        kind=ResultKind.SCHEDULED,
        round=grid.round_of(entry.scheduled_at),
        lag_us=0,
        observed_at=entry.scheduled_at + round(latency_ms),
        attempt=1,
        config_version=monitor.config_version,
        observation=Observation(
            failure=failure,
            latency_us=None if entry.latency_ms is None else round(entry.latency_ms * 1000),
            status_code=entry.status_code,
        ),
    )


def _wrong(path: Path, message: str) -> InvalidInputError:
    return InvalidInputError([Detail(code="parameter_conflict", path=path, message=message)])
