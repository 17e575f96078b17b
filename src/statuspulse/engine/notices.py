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
    if not loud and not quiet and not _goes_on(escalation, taken):
        loud = fallback(connection, whom.team_id)
    return Audience(loud=tuple(loud), quiet=tuple(quiet))


def _goes_on(escalation: Escalation, taken: Sequence[Place]) -> bool:
    """Whether somebody else of the round is still to be told."""
    upcoming = escalation.progress.upcoming
    another_round = upcoming is not None and bool(taken) and upcoming.repeat > taken[-1].repeat
    return bool(escalation.repeating) or (upcoming is not None and not another_round)


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


def missing(connection: Connection, incident: Incident, now: int) -> list[str]:
    """The channels that were told last and refused for good, or have not taken the message for too long."""
    rows = outbox.newest(connection, incident.team_id, incident.id, action=Action.TRIGGER.value)
    told = [rows[one] for one in incident.escalation.told if one in rows]
    return [
        row.destination
        for row in told
        if row.state is State.DEAD or (row.state is State.PENDING and row.created_at <= now - REACH)
    ]


def tell_involved(
    connection: Connection, incident: Incident, action: Action, actor: Actor, facts: Facts, now: int
) -> None:
    """Only those who heard of the trigger hear of what follows."""
    _owe(connection, incident, action, actor, facts, incident.escalation.heard, now)


def tell_end(
    connection: Connection, incident: Incident, actor: Actor, facts: Facts, now: int, *, reached: bool
) -> None:
    """Those who heard of the trigger hear of the end, but for those whose rules say no, and some hear of it alone.

    What has reached nobody, because it was held back, ends without those.
    """
    config = receivers.config_of(connection, incident.monitor_key) if reached else None
    zone = teams.zone_of(connection, incident.team_id)
    alone = [] if config is None else routing.on_recovery_alone(config, incident.severity.value, zone, now)
    heard = [one for one in incident.escalation.heard if one not in incident.escalation.quiet]
    added = [one for one in receivers.enabled(connection, incident.team_id, alone) if one not in heard]
    _owe(connection, incident, Action.RESOLVE, actor, facts, [*heard, *added], now)


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
