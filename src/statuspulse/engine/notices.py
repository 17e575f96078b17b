"""Writes down what is owed to whom when an incident changes, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.domain import routing
from statuspulse.domain.actor import Actor
from statuspulse.domain.escalation import REACH, Escalation, Place
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.message import Action, Facts, Message
from statuspulse.engine import receivers
from statuspulse.engine.receivers import About
from statuspulse.storage import outbox, teams
from statuspulse.storage.incidents import Incident
from statuspulse.storage.outbox import Debt, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The channels that are told of one event, each once; the quiet ones hear nothing of the end."""

    loud: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()

    @property
    def everyone(self) -> tuple[str, ...]:
        return (*self.loud, *self.quiet)


def about(incident: Incident) -> About:
    return About(team_id=incident.team_id, monitor_key=incident.monitor_key, severity=incident.severity.value)


def audience(
    connection: Connection,
    whom: About,
    escalation: Escalation,
    taken: Sequence[Place],
    routes: Sequence[int],
    now: int,
) -> Audience:
    """Who hears of the steps and of the routes, by their numbers, that a moment brings.

    Where nobody is left to be told, the team's fallback channel is.
    """
    ladder = escalation.ladder
    targets = [] if ladder is None else [target for place in taken for target in ladder.rungs[place.step].targets]
    loud = receivers.channels_of(connection, whom, targets, now)
    quiet: list[str] = []
    for number in routes:
        route = escalation.routes[number]
        (loud if route["send_resolved"] else quiet).extend(route["notify"])
    loud = receivers.enabled(connection, whom.team_id, loud)
    quiet = [one for one in receivers.enabled(connection, whom.team_id, quiet) if one not in loud]
    if not loud and not quiet and escalation.progress.upcoming is None and not escalation.repeating:
        loud = fallback(connection, whom.team_id)
    return Audience(loud=tuple(loud), quiet=tuple(quiet))


def fallback(connection: Connection, team_id: str) -> list[str]:
    """The channel of last resort, where the team has chosen one."""
    team = teams.get(connection, team_id)
    chosen = None if team is None else team.settings.fallback_channel
    return [] if chosen is None else receivers.enabled(connection, team_id, [chosen])


def tell(
    connection: Connection, incident: Incident, heard: Sequence[str], actor: Actor, facts: Facts, now: int
) -> None:
    """The incident is triggered, or still is: these hear of it. Who is still owed the same needs no second copy."""
    newest = outbox.newest(connection, incident.team_id, incident.id)
    owed = {name for name, row in newest.items() if row.state is State.PENDING and row.action == Action.TRIGGER.value}
    _owe(connection, incident, Action.TRIGGER, actor, facts, [one for one in heard if one not in owed], now)


def has_not_arrived(connection: Connection, incident: Incident, now: int) -> bool:
    """Whether a channel that was told last refused for good, or has not taken the message for too long."""
    rows = outbox.newest(connection, incident.team_id, incident.id, action=Action.TRIGGER.value)
    told = [rows[one] for one in incident.escalation.told if one in rows]
    return any(
        row.state is State.DEAD or (row.state is State.PENDING and row.created_at <= now - REACH) for row in told
    )


def tell_involved(
    connection: Connection, incident: Incident, action: Action, actor: Actor, facts: Facts, now: int
) -> None:
    """Only those who heard of the trigger hear of what follows."""
    _owe(connection, incident, action, actor, facts, _involved(connection, incident), now)


def tell_end(
    connection: Connection, incident: Incident, actor: Actor, facts: Facts, now: int, *, reached: bool
) -> None:
    """Those who heard of the trigger hear of the end, but for those whose rules say no, and some hear of it alone.

    What has reached nobody, because it was held back, ends without those.
    """
    config = receivers.config_of(connection, incident.monitor_key) if reached else None
    zone = teams.zone_of(connection, incident.team_id)
    alone = [] if config is None else routing.on_recovery_alone(config, incident.severity.value, zone, now)
    heard = [one for one in _involved(connection, incident) if one not in incident.escalation.quiet]
    added = [one for one in receivers.enabled(connection, incident.team_id, alone) if one not in heard]
    _owe(connection, incident, Action.RESOLVE, actor, facts, [*heard, *added], now)


def _involved(connection: Connection, incident: Incident) -> list[str]:
    return outbox.destinations_of(connection, incident.team_id, incident.id)


def _owe(
    connection: Connection,
    incident: Incident,
    action: Action,
    actor: Actor,
    facts: Facts,
    destinations: Sequence[str],
    now: int,
) -> None:
    message = Message(
        action=action,
        at=now,
        incident_id=incident.id,
        number=incident.number,
        title=incident.title,
        severity=incident.severity.value,
        state=incident.state.value,
        actor=actor.label,
        assignee=incident.assignee,
        facts=facts,
    )
    event_id = new_ulid("evt", now)
    debts = [
        Debt(
            team_id=incident.team_id,
            event_id=event_id,
            incident_id=incident.id,
            destination=destination,
            action=action.value,
            dedup_key=incident.id,
            body=message.document(),
            due_at=now if action is Action.TRIGGER else routing.told_from(incident.escalation.routes, destination, now),
        )
        for destination in destinations
    ]
    outbox.owe(connection, debts, now)
