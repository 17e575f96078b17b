"""What can be said of a monitor at this moment: what each region saw last, and since when nobody has looked.

The state in the database is what was decided. Whoever reads it must not claim more than was seen: results that are
overdue leave a hole that grows until the next one comes, and a state that nobody has confirmed for too long is
unknown, even where the engine itself could not store that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from statuspulse.domain.configuration import retry_of, rules_of
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.health import Health, Position, Rules, Standing, State, sight_lost_at
from statuspulse.domain.heartbeat import INBOUND, Beat
from statuspulse.domain.monitor import Retry
from statuspulse.domain.result import Verdict
from statuspulse.domain.schedule import latest_start
from statuspulse.domain.times import SECOND
from statuspulse.domain.uptime import Span
from statuspulse.engine import coverage, heartbeat_sight
from statuspulse.engine.coverage import NO_OUTLOOK, Outlook
from statuspulse.storage import heartbeats, late_sights, results, states, watch
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.results import Look
from statuspulse.storage.states import MonitorState

_SHIPPING = 2 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSight:
    """One region of a monitor: its newest result, and the newest that had a verdict."""

    key: int
    slug: str
    health: Health
    newest: Look | None
    counted: Look | None

    @property
    def is_blind(self) -> bool:
        """Whether its newest result says that its probe had no network of its own."""
        failure = None if self.newest is None else self.newest.failure
        return failure is not None and failure.kind is FailureClass.PROBE_BLIND


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A monitor as it can be shown. `holes` are the stretches up to now for which results are overdue.

    What its `outlook` says of maintenance stands in the rows, too, where it `is_carried_out`. A job that calls us has a
    `beat`, and in place of its regions the one under which its results are stored.
    """

    state: MonitorState
    stale: bool
    regions: tuple[RegionSight, ...]
    holes: tuple[Span, ...]
    outlook: Outlook = NO_OUTLOOK
    is_carried_out: bool = True
    beat: Beat | None = None

    @property
    def last_probe_at(self) -> int | None:
        """When the newest check of any region ended."""
        return max((region.newest.observed_at for region in self.regions if region.newest is not None), default=None)

    @property
    def failing_regions(self) -> list[str]:
        return [region.slug for region in self.regions if region.health is Health.DOWN]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the rows say of one region: `seen_at` (ms) is the newest slot that lets us see."""

    key: int
    slug: str
    standing: Standing
    newest: Look | None
    counted: Look | None
    seen_at: int | None


def sights_of(connection: Connection, found: Sequence[tuple[Monitor, MonitorState]], now: int) -> dict[int, Sight]:
    """The sight of some monitors by their keys, with a fixed number of queries."""
    slugs = watch.region_keys(connection)
    keys = [monitor.key for monitor, _ in found]
    newest = results.newest(connection, keys, list(slugs.values()))
    standings = states.standings_by_monitor(connection, keys)
    called = [monitor.key for monitor, _ in found if monitor.type == "heartbeat"]
    lines = heartbeats.lines(connection, called) if called else {}
    late = late_sights.by_region(connection, keys)
    outlooks = coverage.outlooks_of(connection, [monitor for monitor, _ in found], now)
    sights = {}
    for monitor, stored in found:
        outlook = outlooks.get(monitor.key, NO_OUTLOOK)
        state = coverage.shown(stored, outlook.cover, paused=monitor.paused)
        is_carried_out = stored.state is state.state
        if monitor.key in lines:
            look = newest.get((monitor.key, slugs[INBOUND]))
            beat = lines[monitor.key].beat
            sight = _called(connection, monitor, state, beat, (slugs[INBOUND], look), now)
            sights[monitor.key] = replace(sight, outlook=outlook, is_carried_out=is_carried_out)
            continue
        rules = rules_of(monitor.config)
        seen = []
        for slug in monitor.config["regions"]:
            key = slugs[slug]
            look = newest.get((monitor.key, key))
            counted = look
            if look is not None and look.verdict is Verdict.VOID:
                counted = results.newest_counted(connection, monitor.key, key, now - _horizon(rules))
            standing = standings.get(monitor.key, {}).get(key, Standing())
            seen_at = None if counted is None else counted.scheduled_at
            if (monitor.key, key) in late:
                seen_at = late[monitor.key, key].counted
            seen.append(_Seen(key=key, slug=slug, standing=standing, newest=look, counted=counted, seen_at=seen_at))
        sight = _sight(monitor, state, rules, seen, now)
        sights[monitor.key] = replace(sight, outlook=outlook, is_carried_out=is_carried_out)
    return sights


def _called(
    connection: Connection, monitor: Monitor, state: MonitorState, beat: Beat, seen: tuple[int, Look | None], now: int
) -> Sight:
    region_key, look = seen
    shown = heartbeat_sight.state_at(state, beat, now)
    listened_until = heartbeats.listened_until(connection)
    return Sight(
        state=shown,
        stale=not monitor.paused and shown.health is Health.UNKNOWN,
        regions=(RegionSight(key=region_key, slug=INBOUND, health=shown.health, newest=look, counted=look),),
        holes=heartbeat_sight.hole(monitor, state, region_key, listened_until, now),
        beat=beat,
    )


def _sight(monitor: Monitor, state: MonitorState, rules: Rules, seen: Sequence[_Seen], now: int) -> Sight:
    looked = [max(state.votes_from, one.counted.observed_at if one.counted else 0) for one in seen]
    confirmed_at = max(looked) if rules.rotates else sight_lost_at(looked, len(seen))
    forgotten = now - confirmed_at > rules.vote_lifetime + rules.longest_silence
    stale = not monitor.paused and (state.health is Health.UNKNOWN or forgotten)
    if stale and state.health is not Health.UNKNOWN:
        state = replace(state, health=Health.UNKNOWN, state=_unless_planned(state.state), since=confirmed_at)
    holes = (
        []
        if monitor.paused or monitor.resting
        else [_hole(monitor, state, rules, one, now) for one in _as_shared(seen, rules)]
    )
    return Sight(
        state=state,
        stale=stale,
        regions=tuple(
            RegionSight(
                key=one.key,
                slug=one.slug,
                health=_health(one, state.health, now - rules.vote_lifetime),
                newest=one.newest,
                counted=one.counted,
            )
            for one in seen
        ),
        holes=tuple(hole for hole in holes if hole is not None),
    )


def _as_shared(seen: Sequence[_Seen], rules: Rules) -> Sequence[_Seen]:
    """Where the regions take turns, each sees for all of them."""
    if not rules.rotates:
        return seen
    counted = max((one.counted for one in seen if one.counted), key=lambda look: look.scheduled_at, default=None)
    newest = max((one.newest for one in seen if one.newest), key=lambda look: look.scheduled_at, default=None)
    seen_at = max((one.seen_at for one in seen if one.seen_at is not None), default=None)
    return [replace(one, counted=counted, newest=newest, seen_at=seen_at) for one in seen]


def _unless_planned(state: State) -> State:
    return State.MAINTENANCE if state is State.MAINTENANCE else State.UNKNOWN


def _health(seen: _Seen, health: Health, oldest_vote: int) -> Health:
    """What one region says: its standing, as long as its last result may vote."""
    if seen.standing.position is Position.NONE:
        return Health.UNKNOWN if health is Health.UNKNOWN else Health.PENDING
    if seen.counted is None or seen.counted.scheduled_at < oldest_vote:
        return Health.UNKNOWN
    return Health.DOWN if seen.standing.position is Position.FAILING else Health.UP


def _hole(monitor: Monitor, state: MonitorState, rules: Rules, seen: _Seen, now: int) -> Span | None:
    """The time since the end of the region's sight, once the next result cannot be on its way any more."""
    if seen.seen_at is not None:
        begun = seen.seen_at + rules.interval
    elif seen.newest is not None:
        begun = now - _horizon(rules)
    else:
        begun = monitor.updated_at + rules.interval
    next_slot = begun
    if seen.counted is None or seen.counted.config_version < monitor.config_version:
        # An edit may have moved the slots: the next one lies within an interval after it.
        next_slot = max(begun, monitor.updated_at + rules.interval)
    begun = max(begun, state.votes_from)
    if now < comes_until(next_slot, rules, retry_of(monitor.config)) or begun >= now:
        return None
    return Span(region=seen.key, start=begun, end=now)


def _horizon(rules: Rules) -> int:
    """How far back (ms) a counted result is looked for: a region without one for so long holds no state up alone."""
    return 2 * (rules.longest_silence + rules.vote_lifetime)


def comes_until(slot: int, rules: Rules, retry: Retry) -> int:
    """Up to when (ms) the result of a slot may be on its way."""
    return slot + _longest_check(rules, retry) + _SHIPPING


def _longest_check(rules: Rules, retry: Retry) -> int:
    """How long after its slot a check may end: late start, and retries as far as they fit into the interval."""
    first = latest_start(rules.interval) + rules.timeout
    whole = first + retry.count * (retry.delay_ms + rules.timeout)
    return max(first, min(whole, rules.interval))
