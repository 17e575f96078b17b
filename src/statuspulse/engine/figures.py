"""The figures of monitors over a window: uptime from intervals, latency and counts from rollups and the newest results.

Uptime is exact to the millisecond. Latency and counts begin at the nearest edge of the buckets (`domain.rollup.edge`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.domain.rollup import cover, edge
from statuspulse.domain.times import DAY, HOUR
from statuspulse.domain.uptime import Sums
from statuspulse.engine.closed_checks import Basis, Checks, ClosedChecks, Complete
from statuspulse.engine.sight import Sight
from statuspulse.engine.timelines import timelines_of
from statuspulse.storage import results, rollups, status
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.status import IncidentFigures

WINDOWS: dict[str, int] = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY}
_LONGEST = max(WINDOWS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One monitor over the window [start, end); `sums` holds every window by its name."""

    window: str
    start: int
    end: int
    sums: Mapping[str, Sums]
    checks: Checks
    incidents: IncidentFigures

    @property
    def in_window(self) -> Sums:
        return self.sums[self.window]

    @property
    def coverage_pct(self) -> float | None:
        return self.in_window.coverage_pct(self.end - self.start)


def figures_of(
    connection: Connection,
    team_id: str,
    shown: Sequence[tuple[Monitor, Sight]],
    window: str,
    now: int,
    closed: ClosedChecks,
) -> dict[int, Figures]:
    """The figures of some monitors of one team by their keys, for a window out of WINDOWS that ends now."""
    start = now - WINDOWS[window]
    keys = [monitor.key for monitor, _ in shown]
    timelines = timelines_of(connection, shown, now - _LONGEST, now)
    checks = checks_since(connection, keys, edge(start, now), now, closed)
    incidents = status.incident_figures(connection, team_id, keys, start, now)
    return {
        key: Figures(
            window=window,
            start=start,
            end=now,
            sums={name: timelines[key].sums(now - length, now) for name, length in WINDOWS.items()},
            checks=checks[key],
            incidents=incidents.get(key, IncidentFigures()),
        )
        for key in keys
    }


def checks_since(
    connection: Connection, keys: Collection[int], start: int, end: int, closed: ClosedChecks
) -> dict[int, Checks]:
    """The checks of some monitors from an edge of the buckets up to the instant, each read where it is coarsest."""
    found: dict[int, Checks] = {}
    regions = rollups.region_keys(connection)
    rewrites = rollups.rewrites(connection, keys)
    for complete, group in alike(connection, keys).items():
        stretches, rest = cover(start, dict(complete))
        bases = [Basis(key, start, complete, rewrites.get(key, 0)) for key in group]
        fresh = {basis: Checks() for basis in bases if not _recalled(closed, basis, found)}
        found |= {basis.monitor_key: checks for basis, checks in fresh.items()}
        for stretch in stretches if fresh else ():
            wanted = [basis.monitor_key for basis in fresh]
            for place, bucket in rollups.between(connection, wanted, regions, stretch):
                found[place.monitor_key].region(place.region_key).merge(bucket)
        for basis, checks in fresh.items():
            closed.keep(basis, checks)
        _add_raw(connection, group, regions, (rest, end), found)
    return found


def _recalled(closed: ClosedChecks, basis: Basis, into: dict[int, Checks]) -> bool:
    remembered = closed.recall(basis)
    if remembered is None:
        return False
    into[basis.monitor_key] = remembered
    return True


def alike(connection: Connection, keys: Collection[int]) -> dict[Complete, list[int]]:
    """The monitors by how far their rollups are complete: a sweep that is under way has taken some further."""
    marks = rollups.marks(connection)
    found: dict[Complete, list[int]] = {}
    for key in keys:
        found.setdefault(tuple((width, mark.reach(key)) for width, mark in marks.items()), []).append(key)
    return found


def _add_raw(
    connection: Connection,
    keys: Collection[int],
    regions: Collection[int],
    span: tuple[int, int],
    into: Mapping[int, Checks],
) -> None:
    for key, region_key, _, verdict, latency_us in results.verdicts_between(connection, keys, regions, *span):
        into[key].region(region_key).add(verdict, latency_us)
