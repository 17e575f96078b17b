"""Late results: what they tell of time that nobody had seen, read from them some seconds after they came.

Live decisions are never touched: what is read here stands in a table of its own, and holds only where the history of
decisions is unknown. All of it follows from the stored results and that history alone, so that neither the order in
which results came nor a crash in between makes a difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import Connection

from statuspulse.domain.configuration import rules_of
from statuspulse.domain.health import Health, Rules, State
from statuspulse.domain.replay import replayed, warm_up
from statuspulse.domain.result import Verdict
from statuspulse.domain.timeline import PLANNED, Timeline
from statuspulse.domain.times import SECOND
from statuspulse.domain.uptime import Interval, Span
from statuspulse.engine.retention import RAW_KEPT
from statuspulse.engine.watchlist import Watchlist
from statuspulse.storage import late, slos, states, watch
from statuspulse.storage.late import Mark
from statuspulse.storage.results import Placed
from statuspulse.storage.watch import WatchedMonitor

# A probe that was away ships thousands of results: each monitor is read once for many of them.
_GATHER = 10 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the late results of a mark say: for each stretch [start, end) the intervals that are known of it now."""

    mark: Mark
    stretches: tuple[tuple[int, int, tuple[Interval, ...]], ...]


def mark(
    connection: Connection,
    watchlist: Watchlist,
    placed: Iterable[Placed],
    unseen: Iterable[tuple[int, Span]],
    now: int,
) -> None:
    """Remembers where late results lie, and holes that have some in them. Runs inside the writer's transaction."""
    spans = [
        (item.monitor_key, item.result.scheduled_at, item.result.scheduled_at)
        for item in placed
        if item.result.verdict is not Verdict.VOID
    ]
    spans += [
        (key, hole.start, hole.end)
        for key, hole in unseen
        if late.saw_something(connection, key, hole.region, (hole.start, hole.end))
    ]
    if not spans:
        return
    spans.sort()
    fresh = []
    for key, group in groupby(spans, key=lambda span: span[0]):
        found = list(group)
        rules = watchlist.by_key[key].rules
        fresh.append(
            Mark(
                monitor_key=key,
                start=min(start for _, start, _ in found),
                end=max(end for _, _, end in found) + rules.interval,
                due_at=now + _GATHER,
                settled_at=now + _GATHER + warm_up(rules),
            )
        )
    before = late.marks(connection, [one.monitor_key for one in fresh])
    late.save_marks(connection, [_joined(one, before.get(one.monitor_key)) for one in fresh])


def due(connection: Connection, now: int) -> Reading | None:
    """Reads what is due for the longest time; None when there is nothing. Changes nothing."""
    found = late.due(connection, now)
    if found is None:
        return None
    monitor = watch.living(connection, found.monitor_key)
    if monitor is None:
        return Reading(mark=found, stretches=())
    return Reading(mark=found, stretches=tuple(_read(connection, monitor, found, now)))


def store(connection: Connection, reading: Reading, now: int) -> None:
    """Puts the reading in place of earlier ones; more results that came meanwhile are left to the next reading."""
    key = reading.mark.monitor_key
    for start, end, intervals in reading.stretches:
        late.replace_between(connection, key, start, end, intervals)
    if reading.stretches:
        slos.touch(connection, key, now)
    current = late.marks(connection, [key]).get(key)
    if current is None:
        return
    if current != reading.mark:
        late.save_marks(connection, [replace(current, due_at=now + _GATHER)])
    elif current.settled_at > now:
        # Results that are still to come say more of the end of the stretch.
        late.save_marks(connection, [replace(current, due_at=current.settled_at)])
    else:
        late.remove_mark(connection, key)


def _joined(fresh: Mark, before: Mark | None) -> Mark:
    if before is None:
        return fresh
    return Mark(
        monitor_key=fresh.monitor_key,
        start=min(fresh.start, before.start),
        end=max(fresh.end, before.end),
        due_at=min(fresh.due_at, before.due_at),
        settled_at=max(fresh.settled_at, before.settled_at),
    )


def _read(
    connection: Connection, monitor: WatchedMonitor, found: Mark, now: int
) -> Iterator[tuple[int, int, tuple[Interval, ...]]]:
    rules = rules_of(monitor.config)
    keys = watch.region_keys(connection)
    regions = [keys[slug] for slug in monitor.config["regions"]]
    decided = _decided(connection, monitor.key, regions, now)
    margin = warm_up(rules)
    for stretch in _unknown(decided):
        if stretch.end + margin < found.start or stretch.start - margin >= found.end:
            continue
        health, since = _before(decided, stretch, rules)
        window = (since, stretch.end + margin)
        observed = late.observed_between(connection, monitor.key, regions, window, monitor.judged_from_version)
        told = Timeline(replayed(observed, regions, rules, health=health, since=since))
        yield stretch.start, stretch.end, tuple(told.within(stretch.start, stretch.end))


def _decided(connection: Connection, key: int, regions: Sequence[int], now: int) -> Timeline:
    """What was decided live, for as long as results are kept."""
    start = now - RAW_KEPT
    unseen = [span for span in states.unseen_between(connection, key, start, now) if span.region in regions]
    whole = Timeline.of(states.intervals_between(connection, key, start, now), unseen, len(regions), [])
    return Timeline(list(whole.within(start, now)))


def _unknown(decided: Timeline) -> Iterator[Interval]:
    """The unknown stretches, each whole: what lies side by side is one."""
    open_one: Interval | None = None
    for stretch in decided.stretches:
        if open_one is not None and (stretch.state is not State.UNKNOWN or stretch.start != open_one.end):
            yield open_one
            open_one = None
        if stretch.state is State.UNKNOWN:
            open_one = stretch if open_one is None else replace(open_one, end=stretch.end)
    if open_one is not None:
        yield open_one


def _before(decided: Timeline, stretch: Interval, rules: Rules) -> tuple[Health, int]:
    """(health, since) from which a stretch is replayed: some results before it, but none from before a pause."""
    since = stretch.start - warm_up(rules)
    health = Health.UNKNOWN
    for earlier in decided.within(since, stretch.start):
        if earlier.state in PLANNED:
            since, health = earlier.end, Health.UNKNOWN
        elif earlier.start <= since:
            health = Health(earlier.state.value)
    return health, since
