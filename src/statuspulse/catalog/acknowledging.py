"""Acknowledging by the link of a message: the key is the credential, good once and for its incident."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection

from statuspulse.catalog.incidents import judged_again
from statuspulse.domain.actor import Actor, Origin
from statuspulse.domain.incident import IncidentState, Move
from statuspulse.domain.message import Facts
from statuspulse.engine.incidents import change
from statuspulse.storage import ack_keys, audit, channels, incidents, outbox
from statuspulse.storage.incidents import Incident
from statuspulse.storage.outbox import Notification
from statuspulse.storage.sealing import Keyring


class Standing(Enum):
    """What a link is good for now."""

    OPEN = "open"
    TAKEN = "taken"
    OVER = "over"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Link:
    """An incident as whoever was told of it may see it."""

    incident: Incident
    standing: Standing


def look(connection: Connection, keyring: Keyring, key: str) -> Link | None:
    """What the link shows; None where there is none such."""
    found = _found(connection, keyring, key)
    return None if found is None else found[1]


def acknowledge(
    connection: Connection, keyring: Keyring, key: str, origin: Origin, now: int
) -> tuple[Link, bool] | None:
    """Acknowledges, where the link is still good for it; answers what holds then, and whether this call did it."""

    def take() -> tuple[Link, bool] | None:
        found = _found(connection, keyring, key)
        if found is None or found[1].standing is not Standing.OPEN:
            return None if found is None else (found[1], False)
        row, link = found
        channel = channels.get(connection, row.team_id, row.destination)
        actor = Actor("integration", row.destination, row.destination if channel is None else channel.name, origin)
        told = link.incident.escalation.facts
        facts = Facts() if told is None else Facts.of(told)
        incident = change(connection, link.incident, Move.ACKNOWLEDGE, actor, now, facts=facts)
        audit.record(connection, row.team_id, at=now, actor=actor, action="incident.acknowledged", resource=incident.id)
        return Link(incident, Standing.TAKEN), True

    return judged_again(connection, take)


def _found(connection: Connection, keyring: Keyring, key: str) -> tuple[Notification, Link] | None:
    notification_id = ack_keys.notification_of(keyring, key)
    row = None if notification_id is None else outbox.get_by_id(connection, notification_id)
    if row is None or row.incident_id is None:
        return None
    incident = incidents.get(connection, row.team_id, row.incident_id)
    return None if incident is None else (row, Link(incident, _standing(incident, row.created_at)))


def _standing(incident: Incident, told_at: int) -> Standing:
    """A link is of its round: an incident that is triggered again has been acknowledged by it, or by somebody."""
    match incident.state:
        case IncidentState.RESOLVED:
            return Standing.OVER
        case IncidentState.ACKNOWLEDGED:
            return Standing.TAKEN
        case IncidentState.TRIGGERED:
            return Standing.OPEN if told_at >= incident.escalation.begun_at else Standing.USED
