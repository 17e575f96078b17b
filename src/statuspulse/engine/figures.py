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
from statuspulse.engine.known_pasts import FOREVER, KnownPast, KnownPasts, Seen, Told
from statuspulse.engine.sight import Sight
from statuspulse.engine.timelines import excluded_now
from statuspulse.storage import late, maintenance, results, rewrites, rollups, states, status
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.status import IncidentFigures, Incidents

WINDOWS: dict[str, int] = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY}
_LONGEST = max(WINDOWS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One monitor over the window [start, end); `sums` holds every window by its name."""

    window: str
    start: int
    end: int
    sums: Mapping[str, Sums]
    checks: Told
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
    pasts = _pasts(connection, team_id, keys, now, closed.pasts)
    told = _told(connection, pasts, edge(start, now), now, closed)
    found = {}
    for monitor, sight in shown:
        past = pasts[monitor.key]
        regions = tuple(region.key for region in sight.regions)
        timeline = past.timeline(regions, sight.holes, tuple(excluded_now(sight)))
        found[monitor.key] = Figures(
            window=window,
            start=start,
            end=now,
            sums={name: timeline.sums(now - length, now) for name, length in WINDOWS.items()},
            checks=told[monitor.key],
            incidents=past.incidents.between(start, now),
        )
    return found


def _pasts(
    connection: Connection, team_id: str, keys: Sequence[int], now: int, memory: KnownPasts
) -> dict[int, KnownPast]:
    """The past of each monitor, as far as any window reaches: remembered, or read for all that are not."""
    rewritten = rewrites.times(connection, keys)
    recalled = {key: memory.recall(key, rewritten.get(key, 0)) for key in keys}
    found = {key: past for key, past in recalled.items() if past is not None}
    fresh = [key for key, past in recalled.items() if past is None]
    if not fresh:
        return found
    begin = now - _LONGEST
    intervals = states.intervals_by_monitor(connection, fresh, begin, FOREVER)
    unseen = states.unseen_by_monitor(connection, fresh, begin, FOREVER)
    told = late.intervals_by_monitor(connection, fresh, begin, FOREVER)
    excluded = maintenance.excluded_by_monitor(connection, fresh, begin, FOREVER)
    incidents = status.incidents_since(connection, team_id, fresh, begin)
    for key in fresh:
        found[key] = KnownPast(
            rewrites=rewritten.get(key, 0),
            intervals=intervals.get(key, []),
            unseen=unseen.get(key, []),
            late=told.get(key, []),
            excluded=excluded.get(key, []),
            incidents=incidents.get(key, Incidents()),
        )
        memory.keep(key, found[key])
    return found


def _told(
    connection: Connection, pasts: Mapping[int, KnownPast], start: int, now: int, closed: ClosedChecks
) -> dict[int, Told]:
    """The checks of each monitor from an edge of the buckets up to now: remembered, or merged for all that are not."""
    regions = rollups.region_keys(connection)
    found: dict[int, Told] = {}
    for complete, keys in alike(connection, pasts).items():
        known = {key: pasts[key].windows.get(start) for key in keys}
        rest = next((seen.rest for seen in known.values() if seen is not None and seen.complete == complete), None)
        if rest is None:
            rest = cover(start, dict(complete))[1]
        counts = results.count_since(connection, keys, regions, rest)
        for key, seen in known.items():
            if seen is not None and seen.complete == complete and seen.results == counts.get(key, 0):
                found[key] = seen.told
        fresh = [key for key in keys if key not in found]
        if not fresh:
            continue
        checks = checks_since(connection, fresh, start, now, closed)
        # What a clock that is ahead has dated later than now belongs to the window only then.
        ahead = results.count_since(connection, fresh, regions, now)
        for key in fresh:
            told = found[key] = Told(checks[key])
            if key not in ahead:
                seen = Seen(start=start, complete=complete, rest=rest, results=counts.get(key, 0), told=told)
                closed.pasts.keep_window(pasts[key], seen)
    return found


def checks_since(
    connection: Connection, keys: Collection[int], start: int, end: int, closed: ClosedChecks
) -> dict[int, Checks]:
    """The checks of some monitors from an edge of the buckets up to the instant, each read where it is coarsest."""
    found: dict[int, Checks] = {}
    regions = rollups.region_keys(connection)
    rewritten = rewrites.times(connection, keys)
    for complete, group in alike(connection, keys).items():
        stretches, rest = cover(start, dict(complete))
        bases = [Basis(key, start, complete, rewritten.get(key, 0)) for key in group]
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
