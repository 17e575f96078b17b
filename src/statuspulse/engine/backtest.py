"""A monitor's stored results under other rules, beside what did happen in that time. It reads, and changes nothing.

Results count as if all had come in time, and what people did to incidents is not replayed: simulated ones are
acknowledged by nobody. Rechecks are those that
were made; rules that would have asked for more of them are met a little later than they would have been live.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.configuration import rules_of
from statuspulse.domain.flapping import half_life
from statuspulse.domain.health import Health, Rules, State
from statuspulse.domain.replay import Observed, warm_up
from statuspulse.domain.result import Verdict
from statuspulse.domain.schedule import Grid, Strategy
from statuspulse.domain.simulation import Change, Look, Outage, Simulation, Stretch
from statuspulse.domain.slowness import Sample
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.uptime import Interval, Sums
from statuspulse.engine.calling import Called, Calling
from statuspulse.engine.retention import RAW_KEPT
from statuspulse.engine.sight import sights_of
from statuspulse.engine.timelines import timelines_of
from statuspulse.storage import replays, states, transitions, watch
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.replays import StoredVerdict
from statuspulse.storage.transitions import TransitionFilter

# About two seconds of one core.
MOST_RESULTS = 100_000
MOST_CHANGES = 500
# What the flapping was before is worth 1/256 after so many half-lives.
_HALF_LIVES = 8


class Cut(StrEnum):
    """Why a window begins later than was asked for."""

    CREATED = "created"
    EDITED = "edited"
    RETENTION = "beyond_retention"
    RESULTS = "too_many_results"


class NothingKeptError(Exception):
    """Of the window nothing can be replayed: it ends before the results that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is asked: a window [start, end), and the monitor's configuration as it would have been.

    Of all that was seen the newest `most_results` are replayed.
    """

    start: int
    end: int
    config: Mapping[str, Any]
    mutes_flapping: bool
    most_results: int = MOST_RESULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What happened in a window, or would have. Of the changes only the first are there; `change_count` counts all."""

    changes: tuple[Change, ...]
    change_count: int
    outages: tuple[Outage, ...]
    pages: int
    notifications: int
    sums: Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Both accounts of [start, end), which may begin later than was asked for: then `cut` says why."""

    monitor: Monitor
    start: int
    end: int
    cut: Cut | None
    results: int
    config: Mapping[str, Any]
    actual: Account
    simulated: Account

    def duration(self, outage: Outage) -> int:
        """How long (ms) it was open within the window."""
        return max(0, self._end(outage) - max(self.start, outage.opened_at))

    @property
    def longest_outage(self) -> Outage | None:
        """The longest of those that were opened in the window, as it happened."""
        opened = [one for one in self.actual.outages if one.opened_at >= self.start]
        return max(opened, key=self.duration, default=None)

    @property
    def longest_outage_delay(self) -> int | None:
        """How much later (ms) the longest outage would have been noticed, below 0 earlier; None where not at all."""
        longest = self.longest_outage
        if longest is None:
            return None
        during = (
            one.opened_at
            for one in self.simulated.outages
            if one.opened_at < self._end(longest) and self._end(one) > longest.opened_at
        )
        noticed_at = next(during, None)
        return None if noticed_at is None else noticed_at - longest.opened_at

    def _end(self, outage: Outage) -> int:
        return self.end if outage.resolved_at is None else min(outage.resolved_at, self.end)


@dataclass(frozen=True, slots=True)
class _Past:
    """What there is to replay from `since` on, `start` being where the window begins."""

    looks: list[Look]
    since: int
    start: int
    cut: Cut | None


def run(connection: Connection, monitor: Monitor, terms: Terms, now: int) -> Backtest:
    """Raises NothingKeptError."""
    rules, keys = rules_of(terms.config), watch.region_keys(connection)
    regions = tuple(keys[slug] for slug in terms.config["regions"])
    past = _past(connection, monitor, terms, regions, now)
    window = (past.start, terms.end)
    simulation = Simulation(rules=rules, regions=regions, mutes_flapping=terms.mutes_flapping)
    intervals = [
        replace(one, start=max(one.start, past.since))
        for one in states.intervals_between(connection, monitor.key, past.since, terms.end)
    ]
    _replay(simulation, past.looks, intervals, monitor.created_at)
    calling = Calling.of(connection, monitor, terms.config, (past.since, terms.end))
    return Backtest(
        monitor=monitor,
        start=past.start,
        end=terms.end,
        cut=past.cut,
        results=len(past.looks),
        config=terms.config,
        actual=_actual(connection, monitor, window, now),
        simulated=_simulated(simulation, intervals, window, calling),
    )


def _past(connection: Connection, monitor: Monitor, terms: Terms, regions: Sequence[int], now: int) -> _Past:
    """The results of the window and of some time before it, in which what went before it is forgotten."""
    before = rules_of(monitor.config)
    every = terms.config["interval_seconds"] // monitor.config["interval_seconds"]
    run_up = _run_up(rules_of(terms.config))
    oldest = max(monitor.created_at, now - RAW_KEPT)
    since, start = max(terms.start - run_up, oldest), max(terms.start, oldest)
    cut = None
    if start > terms.start:
        cut = Cut.CREATED if oldest == monitor.created_at else Cut.RETENTION
    limit = max(1, terms.most_results // len(regions))
    grid = Grid.of(monitor.id, before.interval, 0, len(monitor.config["regions"]), _strategy(monitor))
    looks: list[Look] = []
    for region in regions:
        found = list(replays.verdicts(connection, monitor.key, region, (since, terms.end), limit))
        foreign = next((one.at for one in found if one.config_version < monitor.judged_from_version), None)
        if len(found) == limit:
            # Of what could be read at least half is the window.
            first = found[-1].at
            settled = first + min(run_up, (terms.end - first) // 2)
            since, start, cut = max(since, first), max(start, settled), Cut.RESULTS if settled > start else cut
        if foreign is not None and foreign >= since:
            since, start, cut = foreign + 1, max(start, foreign + 1), Cut.EDITED if foreign >= start else cut
        looks += _looks(found, region, grid, every)
    if start >= terms.end:
        raise NothingKeptError
    return _Past([look for look in looks if look.seen.at >= since], since, start, cut)


def _run_up(rules: Rules) -> int:
    return max(warm_up(rules), _HALF_LIVES * half_life(rules.interval))


def _strategy(monitor: Monitor) -> Strategy:
    return Strategy(monitor.config["region_strategy"])


def _looks(found: Iterable[StoredVerdict], region: int, grid: Grid, every: int) -> Iterator[Look]:
    """Those of every so many turns, with the rechecks that were made in them."""
    for one in found:
        turn, rest = divmod(grid.round_of(one.at), every)
        if rest:
            continue
        sample = None
        if one.verdict is Verdict.OK and one.latency_us is not None:
            sample = Sample(round=turn, latency_us=one.latency_us)
        yield Look(Observed(one.at, region, one.verdict), one.observed_at, sample)


def _replay(simulation: Simulation, looks: Sequence[Look], intervals: Sequence[Interval], created_at: int) -> None:
    """Stretch by stretch between pauses, which people made whatever the rules were."""
    ordered = sorted(looks, key=_known_at)
    for number, stretch in enumerate(_stretches(intervals, created_at)):
        begin, end = (bisect_left(ordered, at, key=_known_at) for at in (stretch.start, stretch.end))
        if number or intervals[0].state is State.PAUSED:
            simulation.resume(stretch.start)
        simulation.run(stretch, ordered[begin:end])


def _known_at(look: Look) -> int:
    return look.known_at


def _stretches(intervals: Sequence[Interval], created_at: int) -> Iterator[Stretch]:
    """What lies between pauses; only the first may begin with what was decided before."""
    open_one: Stretch | None = None
    for place, interval in enumerate(intervals):
        if interval.state is State.PAUSED:
            if open_one is not None:
                yield replace(open_one, is_paused_after=True)
            open_one = None
        elif open_one is None:
            # What was seen first may hold in history from the beginning, but nothing was known then.
            is_new = place > 0 or interval.start == created_at
            health = Health.PENDING if is_new else _health(interval.state)
            open_one = Stretch(start=interval.start, end=interval.end, health=health, is_paused_after=False)
        else:
            open_one = replace(open_one, end=interval.end)
    if open_one is not None:
        yield open_one


def _health(state: State) -> Health:
    return Health.PENDING if state is State.MAINTENANCE else Health(state.value)


def _simulated(
    simulation: Simulation, intervals: Sequence[Interval], window: tuple[int, int], calling: Calling
) -> Account:
    start, end = window
    changes = [change for change in simulation.changes if start <= change.changed_at < end]
    found = [one for one in simulation.outages if (one.resolved_at or end) >= start]
    called = [[calling.call(one, end) for one in outage.rounds] for outage in found]
    outages = [_within(outage, rounds, window) for outage, rounds in zip(found, called, strict=True)]
    paused = [one for one in intervals if one.state is State.PAUSED]
    sums = Timeline(sorted([*simulation.history, *paused], key=lambda one: one.start)).sums(start, end)
    return Account(
        changes=tuple(changes[:MOST_CHANGES]),
        change_count=len(changes),
        outages=tuple(outages),
        pages=sum(len(one.paged_at) for one in outages),
        notifications=sum(start <= at < end for rounds in called for one in rounds for at in one.messages),
        sums=replace(sums, unknown=end - start - sums.measured - sums.paused),
    )


def _within(outage: Outage, called: Sequence[Called], window: tuple[int, int]) -> Outage:
    start, end = window
    first = [one.first_at for one in called if one.first_at is not None]
    return replace(outage, paged_at=tuple(at for at in first if start <= at < end))


def _actual(connection: Connection, monitor: Monitor, window: tuple[int, int], now: int) -> Account:
    start, end = window
    wanted = TransitionFilter(start=start, end=end)
    key = monitor.key
    recorded = transitions.listed(connection, key, wanted, after=None, descending=False, limit=MOST_CHANGES)
    sight = sights_of(connection, [(monitor, states.state_of(connection, key))], now)[key]
    outages = [
        Outage(opened_at=one.opened_at, paged_at=one.paged_at, resolved_at=one.resolved_at)
        for one in replays.alarms(connection, monitor.team_id, key, window)
    ]
    return Account(
        changes=tuple(
            Change(
                state=one.transition.state,
                previous_state=one.transition.previous_state,
                changed_at=one.transition.changed_at,
                first_observed_at=one.transition.first_observed_at,
                reason=one.transition.reason,
            )
            for one in recorded
        ),
        change_count=transitions.count(connection, key, wanted, MOST_RESULTS),
        outages=tuple(outages),
        pages=sum(len(one.paged_at) for one in outages),
        notifications=replays.notifications(connection, monitor.team_id, key, window),
        sums=timelines_of(connection, [(monitor, sight)], start, end)[key].sums(start, end),
    )
