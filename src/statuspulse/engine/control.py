"""What people do to a monitor that is more than its configuration: pause, resume, delete."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from statuspulse.domain.actor import Actor
from statuspulse.domain.configuration import rules_of
from statuspulse.domain.flapping import CALM
from statuspulse.domain.health import Health, Reason, effective
from statuspulse.domain.incident import Move, ResolveReason
from statuspulse.domain.message import Facts
from statuspulse.engine import coverage, covering, heartbeats, monitor_events
from statuspulse.engine.incidents import change
from statuspulse.engine.monitor_events import Change
from statuspulse.storage import dependencies, events, incidents, maintenance, monitors, states, watch
from statuspulse.storage import heartbeats as rows
from statuspulse.storage.states import Transition

# What a message says of an end that is no recovery.
_WORDS = {
    ResolveReason.MONITOR_PAUSED: "the monitor was paused, whatever its state was",
    ResolveReason.MONITOR_DELETED: "the monitor was deleted, whatever its state was",
}


def pause(connection: Connection, team_id: str, monitor_key: int, actor: Actor, now: int) -> None:
    """Nothing is judged any more; what was open is resolved, and every streak ends."""
    covering.leave_holes(connection, monitors.living_of(connection, [monitor_key]), now)
    _turn(connection, monitor_key, Reason.PAUSED, actor, now, paused=True)
    _resolve_open(connection, team_id, monitor_key, actor, ResolveReason.MONITOR_PAUSED, now)


def resume(connection: Connection, monitor_key: int, actor: Actor, now: int) -> int:
    """Everything begins anew: pending until the first round. Answers for how long it was paused (ms)."""
    paused_at = states.state_of(connection, monitor_key).since
    _turn(connection, monitor_key, Reason.RESUMED, actor, now, paused=False)
    return now - paused_at


def remove(connection: Connection, team_id: str, monitor_key: int, actor: Actor, now: int) -> list[str]:
    """The monitor's time ends; its history stays. Answers the ids of the incidents that this has resolved."""
    resolved = _resolve_open(connection, team_id, monitor_key, actor, ResolveReason.MONITOR_DELETED, now)
    rows.remove(connection, monitor_key)
    states.drop_standings(connection, monitor_key)
    states.close_intervals(connection, monitor_key, now)
    maintenance.close_spans(connection, maintenance.open_spans(connection, [monitor_key]).get(monitor_key, ()), now)
    return resolved


def _turn(connection: Connection, monitor_key: int, reason: Reason, actor: Actor, now: int, *, paused: bool) -> None:
    before = states.state_of(connection, monitor_key)
    monitor = watch.living(connection, monitor_key)
    cover = None if monitor is None or paused else coverage.cover_of(connection, monitor, now)
    after = replace(
        before,
        health=Health.PENDING,
        state=effective(Health.PENDING, paused=paused, in_maintenance=cover is not None),
        since=now,
        seq=before.seq + 1,
        votes_from=now,
        flapping=CALM,
        window_id=None if cover is None else cover.window_id,
        untold=False,
    )
    states.save_state(connection, monitor_key, after)
    dependencies.look_again(connection, monitor_key, now)
    heartbeats.forget(connection, monitor_key)
    states.drop_standings(connection, monitor_key)
    transition = Transition(
        state=after.state,
        previous_state=before.state,
        health=after.health,
        previous_health=before.health,
        changed_at=now,
        first_observed_at=now,
        reason=reason,
        evidence=[],
        window_id=after.window_id,
    )
    states.record(connection, monitor_key, after.seq, transition)
    if monitor is None:
        return
    turned = Change(transition=transition, seq=after.seq, previous_since=before.since)
    events.record(connection, monitor_events.state_changed(monitor, turned, actor))
    if before.flapping.since is not None:
        score = before.flapping.score_at(now, rules_of(monitor.config).interval)
        ended = monitor_events.flapping_ended(monitor, now, score=score, since=before.flapping.since, actor=actor)
        events.record(connection, ended)


def _resolve_open(
    connection: Connection, team_id: str, monitor_key: int, actor: Actor, reason: ResolveReason, now: int
) -> list[str]:
    found = incidents.open_of_monitor(connection, team_id, monitor_key)
    for incident in found:
        change(connection, incident, Move.RESOLVE, actor, now, facts=Facts(reason=_WORDS[reason]), reason=reason)
    return [incident.id for incident in found]
