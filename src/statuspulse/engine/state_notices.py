"""Tells whoever has a rule for it of a state that is no outage: degraded, or unknown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain import routing
from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.health import Health
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.message import Action, Facts, Message
from statuspulse.engine import receivers
from statuspulse.engine.availability import subject_of
from statuspulse.engine.evidence import failing_regions, failure_text
from statuspulse.engine.watchlist import Watched
from statuspulse.storage import incidents, outbox, teams
from statuspulse.storage.outbox import Debt
from statuspulse.storage.states import MonitorState

_NO_OUTAGE = frozenset({Health.DEGRADED, Health.UNKNOWN})


def follow(
    connection: Connection,
    watched: Watched,
    before: MonitorState,
    *,
    begun: int,
    incident_id: str | None,
    is_covered: bool,
    now: int,
) -> None:
    """After a change: what was not told yet of the state before is not told any more, and who was told hears of an end.

    While a monitor flaps, or a maintenance window has it muted, nobody hears of single changes. One change is one
    message to each channel.
    """
    state, earlier = watched.state, set[str]()
    if before.health in _NO_OUTAGE:
        earlier = set(outbox.withdraw(connection, _key(watched, before), now))
    if watched.is_muted or is_covered:
        return
    told = _told_of_the_end(connection, watched, incident_id, now)
    if state.health in _NO_OUTAGE:
        _tell(connection, watched, begun, told, now)
    elif state.health is Health.UP and earlier:
        routes = _routes(connection, watched, before, now)
        heard = receivers.enabled(connection, watched.monitor.team_id, sorted(earlier - _quiet(routes) - told))
        due = {channel_id: routing.told_from(routes, channel_id, now) for channel_id in heard}
        _owe(connection, watched, due, begun, now)


def _tell(connection: Connection, watched: Watched, begun: int, told: Collection[str], now: int) -> None:
    """A channel that several rules name hears by the one that is first in time."""
    due: dict[str, int] = {}
    for route in _routes(connection, watched, watched.state, now):
        for channel_id in route["notify"]:
            at = routing.first_time(route, now)
            due[channel_id] = min(at, due.get(channel_id, at))
    heard = [one for one in receivers.enabled(connection, watched.monitor.team_id, list(due)) if one not in told]
    _owe(connection, watched, {channel_id: due[channel_id] for channel_id in heard}, begun, now)


def _told_of_the_end(connection: Connection, watched: Watched, incident_id: str | None, now: int) -> set[str]:
    """Who hears of this change already, because it ended an incident."""
    team_id = watched.monitor.team_id
    incident = None if incident_id is None else incidents.get(connection, team_id, incident_id)
    if incident is None or incident.resolved_at != now:
        return set()
    return set(incident.escalation.heard) - set(incident.escalation.quiet)


def _quiet(routes: Sequence[Mapping[str, Any]]) -> set[str]:
    """Those whose rules want no word of the end."""
    loud = {channel_id for route in routes if route["send_resolved"] for channel_id in route["notify"]}
    return {channel_id for route in routes for channel_id in route["notify"]} - loud


def _routes(connection: Connection, watched: Watched, state: MonitorState, now: int) -> list[dict[str, Any]]:
    config, zone = watched.monitor.config, teams.zone_of(connection, watched.monitor.team_id)
    return routing.of_state(config, state.health.value, config["severity"], zone, now)


def _owe(connection: Connection, watched: Watched, due: Mapping[str, int], begun: int, now: int) -> None:
    """Each channel hears from its instant (ms) on."""
    monitor, health = watched.monitor, watched.state.health
    title = f"{monitor.name} is {health.value}" if health in _NO_OUTAGE else f"{monitor.name} is up again"
    notice = Message.without_incident(Action.NOTICE, title, at=now, actor=SYSTEM.label)
    facts = Facts(
        subject=subject_of(watched),
        since=begun,
        reason=failure_text(watched),
        failing_regions=tuple(failing_regions(watched)),
        region_count=len(watched.regions),
    )
    body = replace(notice, severity=monitor.config["severity"], state=health.value, facts=facts).document()
    event_id = new_ulid("evt", now)
    debts = [
        Debt(
            team_id=monitor.team_id,
            event_id=event_id,
            incident_id=None,
            destination=channel_id,
            action=Action.NOTICE.value,
            dedup_key=_key(watched, watched.state),
            body=body,
            due_at=due_at,
        )
        for channel_id, due_at in due.items()
    ]
    outbox.owe(connection, debts, now)


def _key(watched: Watched, state: MonitorState) -> str:
    """One stay in one state."""
    return f"{watched.monitor.id}/{state.health.value}/{state.seq}"
