"""Writes down what is owed to whom when an incident changes, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from statuspulse.domain.actor import Actor
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.message import Action, Facts, Message
from statuspulse.storage import channels, outbox
from statuspulse.storage.incidents import Incident
from statuspulse.storage.outbox import Debt


def tell_all(connection: Connection, incident: Incident, actor: Actor, facts: Facts, now: int) -> None:
    """The incident is triggered: every channel that its monitor notifies hears of it."""
    if incident.monitor_key is None:
        return
    destinations = channels.enabled_of_monitor(connection, incident.team_id, incident.monitor_key)
    _owe(connection, incident, Action.TRIGGER, actor, facts, destinations, now)


def tell_involved(
    connection: Connection, incident: Incident, action: Action, actor: Actor, facts: Facts, now: int
) -> None:
    """Only those who heard of the trigger hear of what follows."""
    destinations = outbox.destinations_of(connection, incident.team_id, incident.id)
    _owe(connection, incident, action, actor, facts, destinations, now)


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
        )
        for destination in destinations
    ]
    outbox.owe(connection, debts, now)
