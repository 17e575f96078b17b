"""What people do to a monitor that is more than its configuration: pause, resume, delete."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from statuspulse.domain.actor import Actor
from statuspulse.domain.flapping import CALM
from statuspulse.domain.health import Health, Reason, effective
from statuspulse.domain.incident import Move, ResolveReason
from statuspulse.domain.message import Facts
from statuspulse.engine import heartbeats
from statuspulse.engine.incidents import change
from statuspulse.storage import heartbeats as rows
from statuspulse.storage import incidents, states
from statuspulse.storage.states import Transition


def pause(connection: Connection, team_id: str, monitor_key: int, actor: Actor, now: int) -> None:
    """Nothing is judged any more; what was open is resolved, and every streak ends."""
    _turn(connection, monitor_key, Reason.PAUSED, paused=True, now=now)
    _resolve_open(connection, team_id, monitor_key, actor, ResolveReason.MONITOR_PAUSED, now)


def resume(connection: Connection, monitor_key: int, now: int) -> None:
    """Everything begins anew: pending until the first round."""
    _turn(connection, monitor_key, Reason.RESUMED, paused=False, now=now)


def remove(connection: Connection, team_id: str, monitor_key: int, actor: Actor, now: int) -> None:
    """The monitor's time ends; its history stays."""
    _resolve_open(connection, team_id, monitor_key, actor, ResolveReason.MONITOR_DELETED, now)
    rows.remove(connection, monitor_key)
    states.drop_standings(connection, monitor_key)
    states.close_intervals(connection, monitor_key, now)


def _turn(connection: Connection, monitor_key: int, reason: Reason, *, paused: bool, now: int) -> None:
    before = states.state_of(connection, monitor_key)
    after = replace(
        before,
        health=Health.PENDING,
        state=effective(Health.PENDING, paused=paused),
        since=now,
        seq=before.seq + 1,
        votes_from=now,
        flapping=CALM,
    )
    states.save_state(connection, monitor_key, after)
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
    )
    states.record(connection, monitor_key, after.seq, transition)


def _resolve_open(
    connection: Connection, team_id: str, monitor_key: int, actor: Actor, reason: ResolveReason, now: int
) -> None:
    for incident in incidents.open_of_monitor(connection, team_id, monitor_key):
        change(connection, incident, Move.RESOLVE, actor, now, facts=Facts(), reason=reason)
