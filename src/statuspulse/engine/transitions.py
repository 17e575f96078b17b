"""A change of state with everything it means: history, intervals, incident and messages, in one transaction."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from statuspulse.domain.flapping import half_life, is_change
from statuspulse.domain.health import Decision, Health, begins_at, effective
from statuspulse.domain.result import Verdict
from statuspulse.domain.sketch import Sketch
from statuspulse.domain.times import MINUTE
from statuspulse.engine import availability, coverage, monitor_events, state_notices
from statuspulse.engine.evidence import failing_regions, observations, recall, told_observations
from statuspulse.engine.monitor_events import Change
from statuspulse.engine.watchlist import Watched
from statuspulse.storage import dependencies, events, results, states
from statuspulse.storage import transitions as history
from statuspulse.storage.states import MonitorState, Transition

_LATELY = 15 * MINUTE
# What is older weighs less than a tenth in the score.
_REMEMBERED_HALF_LIVES = 4


def apply(connection: Connection, watched: Watched, decision: Decision, now: int) -> None:
    """Stores the decided health and what follows from it."""
    recall(connection, watched)
    before = watched.state
    since = states.current_since(connection, watched.monitor.key)
    begun = begins_at(decision, before.health, since=since, interval=watched.rules.interval, now=now)
    begun = max(begun, before.votes_from, watched.monitor.created_at)
    cover = coverage.cover_of(connection, watched.monitor, now)
    after = replace(
        before,
        health=decision.health,
        state=effective(decision.health, paused=False, in_maintenance=cover is not None),
        since=now,
        seq=before.seq + 1,
        window_id=None if cover is None else cover.window_id,
        untold=False,
    )
    if decision.health is Health.UNKNOWN:
        after = replace(after, votes_from=now)
    if is_change(before.health, decision.health):
        after = replace(after, flapping=before.flapping.after_change(now, watched.rules.interval))
    watched.state = after
    incident_id = availability.follow(connection, watched, before, begun, now, cover=cover)
    is_covered = cover is not None and cover.switches.mutes
    state_notices.follow(
        connection, watched, before, begun=begun, incident_id=incident_id, is_covered=is_covered, now=now
    )
    after = watched.state
    states.save_state(connection, watched.monitor.key, after)
    if Health.DOWN in {before.health, decision.health}:
        dependencies.look_again(connection, watched.monitor.key, now)
    transition = Transition(
        state=after.state,
        previous_state=before.state,
        health=after.health,
        previous_health=before.health,
        changed_at=now,
        first_observed_at=begun,
        reason=decision.reason,
        evidence=observations(watched),
        incident_id=incident_id,
        window_id=after.window_id,
    )
    states.record(connection, watched.monitor.key, after.seq, transition)
    _tell(connection, watched, before, transition)
    if decision.health is Health.UNKNOWN:
        states.drop_standings(connection, watched.monitor.key)
        watched.standings.clear()
        watched.samples = []
        watched.is_doubted = False


def _tell(connection: Connection, watched: Watched, before: MonitorState, transition: Transition) -> None:
    monitor, now = watched.monitor, transition.changed_at
    change = Change(
        transition=transition,
        seq=watched.state.seq,
        previous_since=before.since,
        failing_regions=failing_regions(watched),
        observations=told_observations(watched),
        p95_us=_p95_us(connection, watched, now),
    )
    events.record(connection, monitor_events.state_changed(monitor, change, actor=None))
    flapping = watched.state.flapping
    if flapping.is_on and not before.flapping.is_on:
        since = now - _REMEMBERED_HALF_LIVES * half_life(watched.rules.interval)
        changes = history.changes_of_down(connection, monitor.key, since)
        started = monitor_events.flapping_started(
            monitor, now, score=flapping.score, transitions=len(changes), since=min(changes, default=now)
        )
        events.record(connection, started)


def _p95_us(connection: Connection, watched: Watched, now: int) -> float | None:
    """Of the good checks of the last quarter of an hour that are stored; None without any."""
    lately = Sketch()
    rows = results.verdicts_between(connection, [watched.monitor.key], list(watched.regions), now - _LATELY, now)
    for _, _, _, verdict, latency_us in rows:
        if verdict is Verdict.OK and latency_us is not None:
            lately.add(latency_us)
    return lately.percentile(95)
