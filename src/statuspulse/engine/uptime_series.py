"""Uptime bucket by bucket: exact sums of what held, and beside them checks, latency and incidents."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import Connection

from statuspulse.domain.health import State
from statuspulse.domain.rollup import Bucket
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.uptime import Sums
from statuspulse.engine.closed_checks import Checks
from statuspulse.engine.series import checks_by_bucket
from statuspulse.engine.sight import Sight
from statuspulse.engine.timelines import timelines_of
from statuspulse.storage import status
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.status import IncidentFigures, Incidents

_WORST_FIRST = (State.DOWN, State.DEGRADED, State.UNKNOWN, State.MAINTENANCE, State.PAUSED, State.UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What held in [start, end). `worst` is None before creation, `checks` where only wider rollups are left."""

    start: int
    end: int
    worst: State | None
    sums: Sums
    checks: Bucket | None
    incidents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The whole window; `outages` are the times that it went down in it."""

    start: int
    end: int
    sums: Sums
    checks: Bucket | None
    incidents: IncidentFigures
    outages: int

    @property
    def coverage_pct(self) -> float | None:
        return self.sums.coverage_pct(self.end - self.start)

    @property
    def mean_time_between_failures(self) -> float | None:
        """Time (ms) that it worked for each outage; None without one."""
        return (self.sums.up + self.sums.degraded) / self.outages if self.outages else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UptimeSeries:
    """One monitor over a window, whole and in its periods, ascending."""

    monitor: Monitor
    totals: Totals
    periods: tuple[Period, ...]


def uptime_series(
    connection: Connection, team_id: str, shown: Sequence[tuple[Monitor, Sight]], edges: Sequence[int], now: int
) -> list[UptimeSeries]:
    """A series for each of some monitors of one team, in their order; `edges` ascend and end by now."""
    keys = [monitor.key for monitor, _ in shown]
    start, end = edges[0], edges[-1]
    timelines = timelines_of(connection, shown, start, end)
    checks = {key: tuple(_wholes(found)) for key, found in checks_by_bucket(connection, keys, edges, now).items()}
    whole = _totals_of_checks(connection, checks, (start, end), now)
    counts = _incidents_by_bucket(connection, team_id, keys, edges)
    incidents = status.incidents_since(connection, team_id, keys, start)
    return [
        UptimeSeries(
            monitor=monitor,
            totals=Totals(
                start=start,
                end=end,
                sums=timelines[monitor.key].sums(start, end),
                checks=whole[monitor.key],
                incidents=incidents.get(monitor.key, Incidents()).between(start, end),
                outages=timelines[monitor.key].outages(start, end),
            ),
            periods=tuple(_periods(timelines[monitor.key], edges, checks[monitor.key], counts[monitor.key])),
        )
        for monitor, _ in shown
    ]


def _periods(
    timeline: Timeline, edges: Sequence[int], checks: Sequence[Bucket | None], incidents: Sequence[int]
) -> Iterator[Period]:
    for (start, end), bucket, count in zip(pairwise(edges), checks, incidents, strict=True):
        sums = timeline.sums(start, end)
        yield Period(start=start, end=end, worst=_worst(sums), sums=sums, checks=bucket, incidents=count)


def _worst(sums: Sums) -> State | None:
    lasted = {
        State.DOWN: sums.down,
        State.DEGRADED: sums.degraded,
        State.UNKNOWN: sums.unknown,
        State.MAINTENANCE: sums.maintenance,
        State.PAUSED: sums.paused,
        State.UP: sums.up,
    }
    return next((state for state in _WORST_FIRST if lasted[state]), None)


def _wholes(found: Sequence[Checks | None]) -> Iterator[Bucket | None]:
    for checks in found:
        yield None if checks is None else checks.whole()


def _totals_of_checks(
    connection: Connection, checks: Mapping[int, Sequence[Bucket | None]], window: tuple[int, int], now: int
) -> dict[int, Bucket | None]:
    """The buckets together; where some are too narrow for the rollups that are left, the window as one bucket."""
    partial = [key for key, found in checks.items() if None in found]
    whole = {key: next(_wholes(found)) for key, found in checks_by_bucket(connection, partial, window, now).items()}
    for key, found in checks.items():
        if key not in whole:
            merged = Bucket()
            for bucket in found:
                if bucket is not None:
                    merged.merge(bucket)
            whole[key] = merged
    return whole


def _incidents_by_bucket(
    connection: Connection, team_id: str, keys: Collection[int], edges: Sequence[int]
) -> dict[int, list[int]]:
    """How many incidents were triggered in each bucket."""
    counts = {key: [0] * (len(edges) - 1) for key in keys}
    for key, at in status.triggered_between(connection, team_id, keys, edges[0], edges[-1]):
        counts[key][bisect_right(edges, at) - 1] += 1
    return counts
