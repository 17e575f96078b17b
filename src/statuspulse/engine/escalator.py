"""Looks for timers of incidents that are due and lets happen what they stand for, each in its transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

import structlog
from sqlalchemy import Connection

from statuspulse.bus.bus import Bus, Topic
from statuspulse.domain import escalation as ladders
from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.escalation import Climb, Escalation
from statuspulse.domain.health import Health
from statuspulse.domain.incident import IncidentState, Move, ResolveReason
from statuspulse.domain.message import Facts
from statuspulse.domain.times import SECOND
from statuspulse.engine import escalating, holds, notices, receivers
from statuspulse.engine.incidents import change
from statuspulse.metrics import Metrics
from statuspulse.storage import channels, incidents, states, timers
from statuspulse.storage.database import Database, DatabaseUnavailableError
from statuspulse.storage.incidents import Incident, IncidentChangedError

log = structlog.get_logger(__name__)

# Timers that others set are seen after so long at most; the first due one is waited for exactly.
_LOOK_EVERY_SECONDS = 0.5
_SHORTEST_REST_SECONDS = 0.01
# Incidents in one transaction: between two the writer belongs to others.
_STEP = 50


class Escalator:
    """Works until it is cancelled. Everything is in rows: what was due while nobody looked happens once, at once."""

    def __init__(self, database: Database, bus: Bus, metrics: Metrics, *, now: Callable[[], int]) -> None:
        self._database = database
        self._bus = bus
        self._metrics = metrics
        self._now = now

    async def run(self) -> None:
        while True:
            rest = await self._look()
            await asyncio.sleep(rest)

    async def _look(self) -> float:
        """Lets happen what is due; answers after how long to look again (s)."""
        try:
            due_at = await self._database.read(timers.next_due_at)
            if due_at is None or due_at > self._now():
                return self._rest(due_at)
            for lag in await self._database.write(partial(sweep, now=self._now())):
                self._metrics.escalation_lag.observe(lag / SECOND)
        except DatabaseUnavailableError as error:
            log.warning("escalator.database_unavailable", reason=str(error))
            return _LOOK_EVERY_SECONDS
        self._bus.wake(Topic.OUTBOX)
        return _SHORTEST_REST_SECONDS

    def _rest(self, due_at: int | None) -> float:
        until = _LOOK_EVERY_SECONDS if due_at is None else (due_at - self._now()) / SECOND
        return min(max(until, _SHORTEST_REST_SECONDS), _LOOK_EVERY_SECONDS)


def sweep(connection: Connection, now: int) -> Sequence[int]:
    """Lets happen what is due of some incidents; answers how late each was (ms). Runs in the writer's transaction."""
    found = timers.due(connection, now, _STEP)
    for due in found:
        # Somebody acknowledged it just now: what is due then is looked at anew.
        with suppress(IncidentChangedError), connection.begin_nested():
            incident = incidents.get(connection, due.team_id, due.incident_id)
            if incident is not None:
                _happen(connection, incident, now)
    return [now - due.due_at for due in found]


def _happen(connection: Connection, incident: Incident, now: int) -> None:
    """One incident: what ends it, or who has it, comes before who is told."""
    escalation = incident.escalation
    if incident.is_open and _is_due(escalation.auto_resolve_at, now):
        _end(connection, incident, now)
    elif incident.state is IncidentState.TRIGGERED:
        _tell_further(connection, incident, now)
    elif incident.state is IncidentState.ACKNOWLEDGED and _is_due(escalation.ack_expires_at, now):
        change(connection, incident, Move.UNACKNOWLEDGE, SYSTEM, now, facts=_facts(incident))


def _end(connection: Connection, incident: Incident, now: int) -> None:
    """An incident nobody ended is over, unless its monitor is down still: that would hide an outage."""
    ladder = incident.escalation.ladder
    if incident.monitor_key is not None and states.state_of(connection, incident.monitor_key).health is Health.DOWN:
        again = now + (SECOND if ladder is None or ladder.auto_resolve is None else ladder.auto_resolve)
        _put_off(connection, replace(incident, escalation=replace(incident.escalation, auto_resolve_at=again)))
        return
    change(connection, incident, Move.RESOLVE, SYSTEM, now, reason=ResolveReason.AUTO_TIMEOUT, facts=Facts())


def _tell_further(connection: Connection, incident: Incident, now: int) -> None:
    if incident.escalation.hold is not None:
        escalating.look_at_hold(connection, incident, incident.escalation.hold, now)
        return
    hold = holds.interrupt(connection, incident, now)
    if hold is not None:
        escalating.hold_back(connection, incident, hold, now)
        return
    escalation, routes = ladders.due_routes(incident.escalation, now)
    climb, reason = Climb(escalation.progress), "step_timeout"
    # A refusal brings the row forward, so that it may be due before the instant in the incident.
    missed = [] if escalation.reach_at is None else notices.missing(connection, incident, now)
    if missed or _is_due(escalation.reach_at, now):
        escalation = replace(escalation, reach_at=None)
    ladder = escalation.ladder
    if ladder is not None:
        reaches = escalating.reaching(connection, notices.about(incident), ladder, now)
        climb = ladders.climb(ladder, escalation.progress, now, reaches)
        if missed and not climb.taken:
            climb, reason = ladders.hasten(ladder, escalation.progress, now, reaches), "channel_failing"
    if climb.taken or routes:
        current = replace(incident, escalation=escalation)
        escalating.escalate(connection, current, climb, SYSTEM, now, reason=reason, routes=routes)
        return
    if missed or (climb.progress.exhausted and not escalation.told):
        escalation = _fall_back(connection, replace(incident, escalation=escalation), missed, now)
    _put_off(connection, replace(incident, escalation=replace(escalation, progress=climb.progress)))


def _fall_back(connection: Connection, incident: Incident, missed: Sequence[str], now: int) -> Escalation:
    """No step is left for what did not arrive: one message says what happened, and who could not be told of it."""
    escalation, team_id = incident.escalation, incident.team_id
    heard = [one for one in notices.fallback(connection, team_id) if one not in escalation.heard]
    if not heard:
        return escalation
    for channel_id in missed:
        channels.note_told(connection, team_id, channel_id, now)
    facts, names = _facts(incident), [receivers.channel_name(connection, team_id, one) for one in missed]
    if names:
        told = f"Could not be told: {', '.join(names)}."
        facts = replace(facts, note=told if facts.note is None else f"{facts.note}\n{told}")
    notices.tell(connection, incident, heard, SYSTEM, facts, now)
    return replace(escalation, heard=(*escalation.heard, *heard))


def _put_off(connection: Connection, incident: Incident) -> None:
    """No step is taken: the timers are set anew, and nobody sees another version."""
    incidents.save(connection, incident, read_version=incident.version)
    escalating.set_timers(connection, incident)


def _facts(incident: Incident) -> Facts:
    told = incident.escalation.facts
    return Facts() if told is None else Facts.of(told)


def _is_due(at: int | None, now: int) -> bool:
    return at is not None and at <= now
