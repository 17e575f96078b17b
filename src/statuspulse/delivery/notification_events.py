"""Events about notifications: that somebody could not be told."""

from __future__ import annotations

from sqlalchemy import Connection

from statuspulse.domain.event import Event, EventType
from statuspulse.domain.message import Action
from statuspulse.storage import events
from statuspulse.storage.channels import Channel
from statuspulse.storage.outbox import Notification

# Which events a message may tell of: both are written in the same transaction, at the same instant.
_CAUSES = {
    Action.TRIGGER.value: (
        EventType.INCIDENT_TRIGGERED.value,
        EventType.INCIDENT_UNACKNOWLEDGED.value,
        EventType.INCIDENT_ESCALATED.value,
        EventType.INCIDENT_REOPENED.value,
    ),
    Action.ACKNOWLEDGE.value: (EventType.INCIDENT_ACKNOWLEDGED.value,),
    Action.RESOLVE.value: (EventType.INCIDENT_RESOLVED.value,),
}


def cause_of(connection: Connection, row: Notification) -> str | None:
    """The id of the event that the message is about; None where there is none, or it is kept no longer."""
    types = _CAUSES.get(row.action)
    if types is None or row.incident_id is None:
        return None
    return events.of_incident_at(connection, row.team_id, row.incident_id, row.created_at, types)


def failed(
    row: Notification,
    channel: Channel | None,
    at: int,
    *,
    attempts: int,
    error: str,
    status: int | None,
    cause: str | None,
) -> Event:
    """`cause` is the event that the message was about; of a channel that is gone only the id is known."""
    kind = "unknown" if channel is None else channel.type
    answered = "could not be reached" if status is None else f"answered {status}"
    return Event(
        type=EventType.NOTIFICATION_FAILED,
        team_id=row.team_id,
        at=at,
        data={
            "notification_id": row.id,
            "channel_id": row.destination,
            "channel_type": kind,
            "channel_masked": "" if channel is None else channel.url_masked,
            "incident_id": row.incident_id,
            "trigger_event_id": cause,
            "attempts": attempts,
            "last_error": {"code": error, "message": f"The {kind} channel {answered}: {error}", "http_status": status},
        },
        incident_id=row.incident_id,
    )
