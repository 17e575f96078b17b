"""Tells the team's fallback channel, once, that another one is failing."""

from __future__ import annotations

from sqlalchemy import Connection

from statuspulse.delivery.wording import headline
from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.message import Action, Message
from statuspulse.storage import channels, incidents, outbox, teams
from statuspulse.storage.channels import Channel
from statuspulse.storage.outbox import Debt, Notification


def tell(connection: Connection, failing: Channel, row: Notification, error: str, now: int) -> None:
    """Owes the notice, unless it was owed since the channel worked last; of a trial nobody else has to hear."""
    if row.action == Action.TEST.value:
        return
    channel = channels.get(connection, row.team_id, failing.id)
    receiver = _fallback(connection, row.team_id)
    if channel is None or channel.told_at is not None or receiver is None or receiver.id == channel.id:
        return
    if _hears_of_the_incident(connection, row, receiver.id):
        return
    channels.note_told(connection, row.team_id, channel.id, now)
    event_id = new_ulid("evt", now)
    debt = Debt(
        team_id=row.team_id,
        event_id=event_id,
        incident_id=None,
        destination=receiver.id,
        action=Action.NOTICE.value,
        dedup_key=event_id,
        body=_notice(channel, row, error, now).document(),
    )
    outbox.owe(connection, [debt], now)


def _hears_of_the_incident(connection: Connection, row: Notification, receiver: str) -> bool:
    """No step is left, so the receiver is about to be told of the incident, and in it of the channel."""
    incident = None if row.incident_id is None else incidents.get(connection, row.team_id, row.incident_id)
    if incident is None or incident.state is not IncidentState.TRIGGERED or row.action != Action.TRIGGER.value:
        return False
    escalation = incident.escalation
    is_last = row.destination in escalation.told and escalation.progress.upcoming is None
    return is_last and receiver not in escalation.heard


def _fallback(connection: Connection, team_id: str) -> Channel | None:
    team = teams.get(connection, team_id)
    if team is None or team.settings.fallback_channel is None:
        return None
    channel = channels.get(connection, team_id, team.settings.fallback_channel)
    return channel if channel is not None and channel.enabled else None


def _notice(channel: Channel, row: Notification, error: str, now: int) -> Message:
    title = f"Channel {channel.name} is failing: {error}"
    note = f"It could not be told: {headline(Message.of(row.body))}. More of its messages may be waiting."
    return Message.without_incident(Action.NOTICE, title, at=now, actor=SYSTEM.label, note=note)
