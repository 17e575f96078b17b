"""The incident that a monitor opens by itself when it goes down, and closes when it recovers."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.health import Health
from statuspulse.domain.incident import Move, ResolveReason, availability_key
from statuspulse.domain.message import Facts, Subject
from statuspulse.domain.monitor import Severity
from statuspulse.domain.paging import REOPEN_WINDOW, Step, after_change, after_flapping, may_reopen
from statuspulse.domain.times import SECOND, to_text
from statuspulse.engine import coverage
from statuspulse.engine.coverage import Cover
from statuspulse.engine.evidence import failing_regions, failure_text, observations, recall, told_observations
from statuspulse.engine.incidents import Opening, change, open_incident, tell_update
from statuspulse.engine.watchlist import Watched
from statuspulse.storage import incidents, states, teams
from statuspulse.storage.incidents import Incident
from statuspulse.storage.states import MonitorState


def follow(
    connection: Connection, watched: Watched, before: MonitorState, begun: int, now: int, *, cover: Cover | None
) -> str | None:
    """Opens, reopens or resolves the monitor's incident after a change of health; answers its id.

    While the monitor flaps its incident stays open, and people hear of the beginning and of the end of that alone. A
    maintenance window that suppresses alerts lets none begin: what is broken is told when it is over.
    """
    is_suppressed = cover is not None and cover.switches.mutes
    current = _current(connection, watched)
    step = after_change(
        watched.state.health,
        is_open=current is not None,
        begins_to_flap=watched.is_muted and not before.flapping.is_on,
        is_muted=watched.is_muted,
    )
    if step is Step.OPEN and is_suppressed:
        watched.state = replace(watched.state, untold=True)
        return None
    if step is Step.OPEN:
        return _open(connection, watched, begun, now).id
    if current is None:
        return None
    if step is Step.UPDATE and not is_suppressed:
        tell_update(connection, current, SYSTEM, _outage(watched, begun, flapping=True), now)
    elif step is Step.RESOLVE:
        ended = _downtime(connection, watched, begun) if before.health is Health.DOWN else None
        _resolve(connection, current, replace(_recovery(watched, begun), downtime_ms=ended), now)
    return current.id


def make_up_for(connection: Connection, watched: Watched, now: int) -> bool:
    """Opens the incident of an outage that a window has kept back; answers whether nothing keeps it back any more.

    The history has had the outage since it was decided; only people learn of it now.
    """
    if _is_suppressed(connection, watched, now):
        return False
    recall(connection, watched)
    if _current(connection, watched) is None:
        _open(connection, watched, states.current_since(connection, watched.monitor.key), now)
    watched.state = replace(watched.state, untold=False)
    states.save_state(connection, watched.monitor.key, watched.state)
    return True


def settle(connection: Connection, watched: Watched, now: int) -> None:
    """The monitor flaps no more: what it is now ends the incident, or is what people are told."""
    current = _current(connection, watched)
    if current is None or not watched.mutes_flapping:
        return
    recall(connection, watched)
    since = states.current_since(connection, watched.monitor.key)
    step = after_flapping(watched.state.health, is_open=True)
    if step is Step.RESOLVE:
        _resolve(connection, current, replace(_recovery(watched, since), flapping=False), now)
    elif step is Step.UPDATE and not _is_suppressed(connection, watched, now):
        tell_update(connection, current, SYSTEM, _outage(watched, since, flapping=False), now)


def _is_suppressed(connection: Connection, watched: Watched, now: int) -> bool:
    cover = coverage.cover_of(connection, watched.monitor, now)
    return cover is not None and cover.switches.mutes


def _open(connection: Connection, watched: Watched, begun: int, now: int) -> Incident:
    facts = _outage(watched, begun, flapping=True if watched.is_muted else None)
    monitor = watched.monitor
    config = monitor.config
    previous = incidents.last_resolved(connection, monitor.team_id, monitor.key, availability_key(monitor.id))
    if previous is not None and _may_reopen(connection, previous, now):
        return change(connection, previous, Move.REOPEN, SYSTEM, now, facts=facts)
    opening = Opening(
        team_id=monitor.team_id,
        monitor_key=monitor.key,
        monitor_id=monitor.id,
        dedup_key=availability_key(monitor.id),
        title=f"{monitor.name} is down",
        severity=Severity(config["severity"]),
        source="monitor",
        policy=config["escalation_policy"],
        triggered_at=now,
        detail={"first_observed_at": to_text(begun), "observations": observations(watched)},
        observations=told_observations(watched),
    )
    return open_incident(connection, opening, SYSTEM, now, facts=facts)


def _resolve(connection: Connection, incident: Incident, facts: Facts, now: int) -> None:
    change(connection, incident, Move.RESOLVE, SYSTEM, now, reason=ResolveReason.RECOVERED, facts=facts)


def _outage(watched: Watched, begun: int, *, flapping: bool | None) -> Facts:
    return Facts(
        subject=subject_of(watched),
        since=begun,
        reason=failure_text(watched),
        failing_regions=tuple(failing_regions(watched)),
        region_count=len(watched.regions),
        flapping=flapping,
    )


def _recovery(watched: Watched, begun: int) -> Facts:
    return Facts(subject=subject_of(watched), since=begun, region_count=len(watched.regions))


def subject_of(watched: Watched) -> Subject:
    """The monitor as messages name it."""
    monitor = watched.monitor
    return Subject(
        id=monitor.id,
        name=monitor.name,
        type=watched.type,
        target=monitor.target,
        runbook_url=monitor.config["runbook_url"],
    )


def _downtime(connection: Connection, watched: Watched, ended: int) -> int:
    return max(0, ended - states.current_since(connection, watched.monitor.key))


def _current(connection: Connection, watched: Watched) -> Incident | None:
    key = availability_key(watched.monitor.id)
    found = incidents.open_with_key(connection, watched.monitor.team_id, key, watched.monitor.key)
    return found[0] if found else None


def _may_reopen(connection: Connection, incident: Incident, now: int) -> bool:
    if incident.resolve_reason != ResolveReason.RECOVERED.value or incident.resolved_at is None:
        return False
    team = teams.get(connection, incident.team_id)
    window = REOPEN_WINDOW if team is None else team.settings.reopen_window_seconds * SECOND
    return may_reopen(incident.resolved_at, now, window)
