"""A change of state with everything it means: history, intervals, incident and messages, in one transaction."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from statuspulse.domain.flapping import is_change
from statuspulse.domain.health import Decision, Health, State, begins_at
from statuspulse.engine import availability
from statuspulse.engine.evidence import observations
from statuspulse.engine.watchlist import Watched
from statuspulse.storage import states
from statuspulse.storage.states import Transition


def apply(connection: Connection, watched: Watched, decision: Decision, now: int) -> None:
    """Stores the decided health and what follows from it."""
    before = watched.state
    since = states.current_since(connection, watched.monitor.key)
    begun = begins_at(decision, before.health, since=since, interval=watched.rules.interval, now=now)
    begun = max(begun, before.votes_from, watched.monitor.created_at)
    after = replace(before, health=decision.health, state=State(decision.health.value), since=now, seq=before.seq + 1)
    if decision.health is Health.UNKNOWN:
        after = replace(after, votes_from=now)
    if is_change(before.health, decision.health):
        after = replace(after, flapping=before.flapping.after_change(now, watched.rules.interval))
    watched.state = after
    incident_id = availability.follow(connection, watched, before, begun, now)
    states.save_state(connection, watched.monitor.key, after)
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
    )
    states.record(connection, watched.monitor.key, after.seq, transition)
    if decision.health is Health.UNKNOWN:
        states.drop_standings(connection, watched.monitor.key)
        watched.standings.clear()
        watched.samples = []
        watched.is_doubted = False
