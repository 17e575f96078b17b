"""The monitors under an objective with what held of them: timelines, what was bad, and how far that is certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from statuspulse.domain.budget import Member, member
from statuspulse.domain.configuration import retry_of, rules_of
from statuspulse.domain.health import Health, Position, Standing
from statuspulse.domain.heartbeat import HEARTBEAT, INBOUND
from statuspulse.domain.slo import Kind
from statuspulse.domain.slo_course import Pace
from statuspulse.domain.spending import Spending
from statuspulse.domain.timeline import PLANNED, Timeline
from statuspulse.domain.times import SECOND
from statuspulse.engine.heartbeat_watch import SETTLING
from statuspulse.engine.sight import RegionSight, Sight, comes_until, sights_of
from statuspulse.engine.slow_rounds import edges_since, slow_rounds
from statuspulse.engine.timelines import timelines_of
from statuspulse.storage import monitors, states, watch
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.slos import Slo
from statuspulse.storage.states import MonitorState

_SHORTEST_REST = SECOND
_LONGEST_REST = 15 * SECOND
# Looks at an objective over many monitors take longer, and so they are further apart.
_REST_PER_MEMBER = 10
_LOOKS_PER_INTERVAL = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The members in the order of their monitors, and how things may go on."""

    monitors: tuple[Monitor, ...]
    members: tuple[Member, ...]
    pace: Pace


def gather_beside_burns(connection: Connection, slo: Slo, now: int) -> Gathered:
    """What held in the period that holds now, and in the longest window of a burn rate where that began before it."""
    since = min([slo.terms.period_at(now).start, *(now - pair.long for pair in slo.terms.pairs)])
    edges = edges_since(since, now) if slo.kind is Kind.LATENCY else (since, now)
    return gather(connection, slo, since, edges, now)


def gather(connection: Connection, slo: Slo, since: int, edges: Sequence[int], now: int) -> Gathered:
    """What held since then. Of latency so much is known as the `edges` tell apart, which ascend and end by now."""
    found = monitors.of_slo(connection, slo.team_id, key=slo.monitor_key, tags=slo.tags, since=since)
    shown = [monitor for monitor, _ in found]
    moods = monitors.states(connection, [monitor.key for monitor in shown])
    living = [(monitor, moods[monitor.key]) for monitor, ended in found if ended is None]
    sights = sights_of(connection, living, now)
    regions = watch.region_keys(connection)
    for monitor, ended in found:
        if ended is not None:
            sights[monitor.key] = _closed(monitor, moods[monitor.key], regions)
    timelines = timelines_of(connection, [(monitor, sights[monitor.key]) for monitor in shown], since, now)
    members = []
    for monitor, ended in found:
        timeline, spending = timelines[monitor.key], None
        if slo.kind is Kind.LATENCY:
            limit_us = (slo.latency_threshold_ms or 0) * 1000
            spending = Spending(slow_rounds(connection, monitor, limit_us, edges, now))
        members.append(member(timeline, spending=spending, ended_at=ended))
    down = [monitor for monitor, state in living if state.health is Health.DOWN and not monitor.paused]
    return Gathered(
        monitors=tuple(shown),
        members=tuple(members),
        pace=_pace(slo, living, down, [timelines[monitor.key] for monitor, _ in living]),
    )


def certain(connection: Connection, gathered: Gathered, slo: Slo, now: int) -> Gathered:
    """The same without what a result that is still to come could take back: a recovery is told after it was seen."""
    if slo.kind is not Kind.AVAILABILITY:
        return gathered
    moods = monitors.states(connection, [monitor.key for monitor in gathered.monitors])
    down = [(one, moods[one.key]) for one in gathered.monitors if moods[one.key].health is Health.DOWN]
    sights = sights_of(connection, [(one, mood) for one, mood in down if _is_living(connection, one)], now)
    standings = states.standings_by_monitor(connection, list(sights))
    until = {
        one.key: _down_until(one, sights[one.key], standings.get(one.key, {}), now)
        for one, _ in down
        if one.key in sights
    }
    if not until:
        return gathered
    members = tuple(
        replace(one, spending=one.spending.until(until.get(monitor.key, now)))
        for monitor, one in zip(gathered.monitors, gathered.members, strict=True)
    )
    lag = max(0, now - min(until.values()))
    return replace(gathered, members=members, pace=replace(gathered.pace, lag=lag))


def _is_living(connection: Connection, monitor: Monitor) -> bool:
    return watch.living(connection, monitor.key) is not None


def _down_until(monitor: Monitor, sight: Sight, standings: Mapping[int, Standing], now: int) -> int:
    """Up to when it is surely down: before anybody can have seen it answer again."""
    if monitor.type == HEARTBEAT:
        return now - SETTLING
    rules, retry = rules_of(monitor.config), retry_of(monitor.config)
    answered = [
        standing.first_ok_at
        for standing in standings.values()
        if standing.position is Position.FAILING and standing.ok_streak and standing.first_ok_at is not None
    ]
    slots = [region.counted.scheduled_at for region in sight.regions if region.counted is not None]
    looks = [max(slots) + rules.interval] if rules.rotates and slots else [slot + rules.interval for slot in slots]
    to_come = [at for at in looks if now < comes_until(at, rules, retry)]
    return min([now, *answered, *to_come])


def _pace(
    slo: Slo,
    living: Sequence[tuple[Monitor, MonitorState]],
    down: Sequence[Monitor],
    timelines: Sequence[Timeline],
) -> Pace:
    planned = sum(1 for one in timelines if one.stretches and one.stretches[-1].state in PLANNED)
    of_latency = slo.kind is Kind.LATENCY
    spenders = len(living) - planned if of_latency else len(down)
    looking = [monitor for monitor, _ in living] if of_latency else down
    looks = 1 if of_latency else _LOOKS_PER_INTERVAL
    rest = min((_interval(monitor) // looks for monitor in looking), default=_SHORTEST_REST)
    rest = min(max(rest, _SHORTEST_REST), _LONGEST_REST)
    return Pace(spenders=max(0, spenders), planned=planned, rest=max(rest, len(living) * _REST_PER_MEMBER))


def _interval(monitor: Monitor) -> int:
    seconds: int = monitor.config.get("interval_seconds", 1)
    return seconds * SECOND


def _closed(monitor: Monitor, state: MonitorState, regions: Mapping[str, int]) -> Sight:
    """What there is to see of a monitor that was deleted: the regions that looked, and no hole up to now."""
    slugs = monitor.config["regions"] or [INBOUND]
    return Sight(
        state=state,
        stale=False,
        regions=tuple(
            RegionSight(key=regions[slug], slug=slug, health=Health.UNKNOWN, newest=None, counted=None)
            for slug in slugs
        ),
        holes=(),
    )
