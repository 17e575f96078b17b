"""Holds the messages of a monitor back while what it depends on is down, and says when that ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain import hold as holds
from statuspulse.domain import waiting
from statuspulse.domain.actor import SYSTEM, Actor
from statuspulse.domain.configuration import rules_of
from statuspulse.domain.doubt import wavers
from statuspulse.domain.health import Health, Position
from statuspulse.domain.heartbeat import HEARTBEAT
from statuspulse.domain.hold import Hold, Obstacles, Proof
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.times import MINUTE, SECOND, to_text
from statuspulse.storage import dependencies, results, states, watch
from statuspulse.storage.incidents import Incident

# What is looked at seldom is not waited for that long: people are told that it was down when it was seen last.
_LONGEST_PATIENCE = 10 * MINUTE
_SHORTEST_PACE = 5 * SECOND
_GONE = Proof(is_there=True, pace=_SHORTEST_PACE, patience=_SHORTEST_PACE)
_FROM_MONITOR = "monitor"


def begin(
    connection: Connection, source: str, monitor_key: int | None, actor: Actor, since: int | None, now: int
) -> Hold | None:
    """The hold of an incident that is triggered now; what people trigger is told whatever is down.

    `since` is when the outage began, None where that matters no more.
    """
    if source != _FROM_MONITOR or actor != SYSTEM or monitor_key is None:
        return None
    return holds.held(_obstacles(connection, monitor_key, since), now, begins=True)


def interrupt(connection: Connection, incident: Incident, now: int) -> Hold | None:
    """The hold of an incident of which people have heard already."""
    if incident.source != _FROM_MONITOR or incident.monitor_key is None:
        return None
    return holds.held(_obstacles(connection, incident.monitor_key, None), now, begins=False)


def look(connection: Connection, monitor_key: int, hold: Hold, since: int | None, now: int) -> Hold | None:
    """What becomes of a hold now; None ends it."""
    return holds.looked(
        hold, _obstacles(connection, monitor_key, since), _proof(connection, monitor_key, hold.freed_at), now
    )


MAINTENANCE, QUIET_HOURS = "maintenance", "quiet_hours"


def document(incident: Incident) -> dict[str, Any] | None:
    """Why nobody is told for now, as timelines and answers tell of it; what ends first of several does not matter."""
    escalation = incident.escalation
    freeze, hold = escalation.freeze, escalation.hold
    if not incident.is_open:
        return None
    if freeze is not None:
        return _document(MAINTENANCE, freeze.since, freeze.until, window_id=freeze.window_id)
    if hold is not None:
        return _document(hold.cause.value, hold.since, hold.until, monitors=hold.monitors)
    quiet_until = waiting.quiet_until(escalation)
    if incident.state is not IncidentState.TRIGGERED or quiet_until is None:
        return None
    return _document(QUIET_HOURS, escalation.begun_at, quiet_until)


def _document(
    reason: str, since: int, until: int | None, *, monitors: Sequence[str] = (), window_id: str | None = None
) -> dict[str, Any]:
    return {
        "reason": reason,
        "monitor_ids": list(monitors),
        "maintenance_window_id": window_id,
        "since": to_text(since),
        "until": None if until is None else to_text(until),
    }


def _obstacles(connection: Connection, monitor_key: int, since: int | None) -> Obstacles:
    down: list[str] = []
    doubted: list[str] = []
    for key, monitor_id in dependencies.parents_of(connection, monitor_key).items():
        health = states.state_of(connection, key).health
        if health is Health.DOWN:
            down.append(monitor_id)
            continue
        is_new = health is Health.PENDING
        may_go_down = is_new or health in {Health.UP, Health.DEGRADED}
        if since is not None and may_go_down and _may_be_down(connection, key, since, is_new=is_new):
            doubted.append(monitor_id)
    return Obstacles(down=tuple(down), doubted=tuple(doubted))


def _may_be_down(connection: Connection, key: int, since: int, *, is_new: bool) -> bool:
    """Whether a region wavers over it, or nobody has looked at it since the outage of what depends on it began.

    Of what was never decided about, a region that fails is a part of the first decision.
    """
    standings = states.standings_of(connection, key).values()
    if any(wavers(one) or (is_new and one.position is Position.FAILING) for one in standings):
        return True
    monitor = watch.living(connection, key)
    if monitor is None or monitor.config["type"] == HEARTBEAT:
        return False
    regions = watch.region_keys(connection)
    last = results.last_slots(connection, [key], [regions[slug] for slug in monitor.config["regions"]])
    return not any(one.counted is not None and one.counted >= since for one in last.values())


def _proof(connection: Connection, monitor_key: int, freed_at: int | None) -> Proof:
    """As many fresh failures as an outage takes, and none of its regions about to change its mind."""
    monitor = watch.living(connection, monitor_key)
    if monitor is None:
        return _GONE
    if monitor.config["type"] == HEARTBEAT:
        # Silence does not come twice: the job is given its grace once more.
        grace = min(monitor.config["grace_seconds"] * SECOND, _LONGEST_PATIENCE)
        return Proof(is_there=False, pace=grace, patience=grace)
    rules = rules_of(monitor.config)
    return Proof(
        is_there=freed_at is not None and _fails_still(connection, monitor_key, freed_at, rules.failure_threshold),
        pace=max(_SHORTEST_PACE, min(rules.interval, MINUTE) // 2),
        patience=min(rules.longest_silence, _LONGEST_PATIENCE),
    )


def _fails_still(connection: Connection, monitor_key: int, freed_at: int, threshold: int) -> bool:
    standings = states.standings_of(connection, monitor_key).values()
    if any(one.position is Position.FAILING and one.ok_streak for one in standings):
        return False
    return results.failed_since(connection, monitor_key, freed_at) >= threshold
