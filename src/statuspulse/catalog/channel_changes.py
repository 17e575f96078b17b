"""What people do with channels: create, change, delete, rotate, try out, ask again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from statuspulse.catalog.channels import Made, make
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.members.channel import ChannelEdit, ChannelRequest
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, RefusedError, as_expected, existing
from statuspulse.domain.channel_addresses import ChannelUrlError
from statuspulse.domain.channel_url import ChannelType
from statuspulse.domain.difference import Difference
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND
from statuspulse.domain.webhook import new_secret
from statuspulse.storage import audit, channel_uses, channels, outbox, teams
from statuspulse.storage.channels import Channel
from statuspulse.storage.outbox import Debt, Notification, StaleLeaseError, State
from statuspulse.storage.sealing import Keyring

TEST_SPACING = 20 * SECOND
_MOST_NAMED = 5


class TooSoonError(Exception):
    """The channel was tried a moment ago; `wait_seconds` says when it may be tried again."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(f"again in {wait_seconds} s")
        self.wait_seconds = wait_seconds


def create(connection: Connection, instance: Instance, change: Change, sent: ChannelRequest) -> Made:
    """The channel with the URL; one that the team has stays as it is. Raises InvalidInputError."""
    try:
        made = make(connection, change.team_id, sent.url, instance, change.now)
    except ChannelUrlError as error:
        raise InvalidInputError([Detail(code=error.code, path=("url",), message=str(error))]) from None
    if not made.is_new:
        return made
    channel = made.channel
    if sent.name is not None:
        channel = replace(channel, name=sent.name)
        channels.save(connection, channel)
    _record(connection, change, "channel.created", channel, [Difference("/url", None, channel.url_masked)])
    return replace(made, channel=channel)


def get(connection: Connection, team_id: str, channel_id: str) -> Channel:
    """Raises MissingError."""
    return existing(channels.get(connection, team_id, channel_id))


def edit(
    connection: Connection,
    change: Change,
    channel_id: str,
    sent: ChannelEdit,
    if_match: frozenset[str] | None = None,
) -> Channel:
    """What is not sent stays; raises MissingError, PreconditionFailedError, RefusedError."""
    stored = _to_change(connection, change, channel_id, if_match)
    edited = replace(
        stored,
        name=stored.name if sent.name is None else sent.name,
        enabled=stored.enabled if sent.enabled is None else sent.enabled,
    )
    if edited == stored:
        return stored
    edited = replace(edited, version=stored.version + 1, updated_at=change.now)
    channels.save(connection, edited)
    diff = [
        Difference(f"/{name}", getattr(stored, name), getattr(edited, name))
        for name in ("name", "enabled")
        if getattr(stored, name) != getattr(edited, name)
    ]
    _record(connection, change, "channel.updated", edited, diff)
    return edited


def remove(connection: Connection, change: Change, channel_id: str, if_match: frozenset[str] | None = None) -> None:
    """What it is still owed ends as undeliverable.

    Raises MissingError, PreconditionFailedError, and RefusedError while anything names it.
    """
    stored = _to_change(connection, change, channel_id, if_match)
    if using := channel_uses.of(connection, change.team_id, channel_id):
        named = ", ".join(using[:_MOST_NAMED]) + (" and others" if len(using) > _MOST_NAMED else "")
        message = f"The channel is named by {named}; take it out there first, or disable it."
        raise RefusedError("resource_in_use", message)
    _end_fallback(connection, change, channel_id)
    channels.remove(connection, change.team_id, channel_id)
    _record(connection, change, "channel.deleted", stored, [Difference("/url", stored.url_masked, None)])


def _end_fallback(connection: Connection, change: Change, channel_id: str) -> None:
    team = teams.get_to_change(connection, change.team_id)
    if team is not None and team.settings.fallback_channel == channel_id:
        settings = replace(team.settings, fallback_channel=None)
        teams.save(connection, replace(team, settings=settings, version=team.version + 1, updated_at=change.now))


def rotate(connection: Connection, keyring: Keyring, change: Change, channel_id: str, overlap_seconds: int) -> Made:
    """Another secret; the one of before signs, too, for a while. Raises MissingError, RefusedError."""
    stored = existing(channels.get_to_change(connection, change.team_id, channel_id))
    if stored.type != ChannelType.WEBHOOK.value:
        raise RefusedError("resource_in_use", f"What goes to a {stored.type} channel is not signed.")
    secret = new_secret()
    rotated = replace(
        stored,
        secret_sealed=keyring.seal(stored.secret_place, secret),
        previous_sealed=stored.secret_sealed if overlap_seconds else None,
        previous_until=change.now + overlap_seconds * SECOND if overlap_seconds else None,
        version=stored.version + 1,
        updated_at=change.now,
    )
    channels.save(connection, rotated)
    _record(connection, change, "channel.secret_rotated", rotated)
    return Made(channel=rotated, is_new=False, secret=Secret(secret))


def test(connection: Connection, change: Change, channel_id: str) -> str:
    """The channel is owed a try-out; answers the id of the notification. Raises MissingError, TooSoonError."""
    stored = get(connection, change.team_id, channel_id)
    last = outbox.last_at(connection, channel_id, Action.TEST.value)
    if last is not None and change.now - last < TEST_SPACING:
        raise TooSoonError(-(-(TEST_SPACING - (change.now - last)) // SECOND))
    event_id = new_ulid("evt", change.now)
    message = Message.without_incident(
        Action.TEST,
        f"{stored.name} works",
        at=change.now,
        actor=change.actor.label,
        note="This is what an alert of StatusPulse looks like here. Nothing is down.",
    )
    debt = Debt(
        team_id=change.team_id,
        event_id=event_id,
        incident_id=None,
        destination=channel_id,
        action=Action.TEST.value,
        dedup_key=event_id,
        body=message.document(),
    )
    return outbox.owe(connection, [debt], change.now)[0]


def notification(connection: Connection, team_id: str, notification_id: str) -> Notification:
    """Raises MissingError."""
    return existing(outbox.get(connection, team_id, notification_id))


def retry(connection: Connection, change: Change, notification_id: str) -> Notification:
    """The same notification is due now, a dead one with a new lifetime; raises MissingError, RefusedError."""
    stored = notification(connection, change.team_id, notification_id)
    if stored.state in {State.DELIVERED, State.SUPERSEDED}:
        raise RefusedError("resource_in_use", f"The notification was {stored.state.value}; nothing is owed any more.")
    if stored.is_leased:
        raise RefusedError("delivery_in_progress", "The notification is just being handed over; ask again soon.")
    channel = channels.get(connection, change.team_id, stored.destination)
    if channel is None or not channel.enabled:
        why = "has been deleted" if channel is None else "is disabled; enable it first"
        raise RefusedError("resource_in_use", f"The channel of the notification {why}.")
    try:
        outbox.ask_again(connection, stored, change.now)
    except StaleLeaseError:
        message = "The notification is just being handed over; ask again soon."
        raise RefusedError("delivery_in_progress", message) from None
    audit.record(
        connection,
        change.team_id,
        at=change.now,
        actor=change.actor,
        action="notification.retried",
        resource=stored.id,
    )
    return notification(connection, change.team_id, notification_id)


def _to_change(connection: Connection, change: Change, channel_id: str, if_match: frozenset[str] | None) -> Channel:
    """The channel in a version that the caller expects; nobody else changes it before the transaction ends."""
    found = channels.get_to_change(connection, change.team_id, channel_id)
    return as_expected(found, if_match, is_needed=change.needs_precondition)


def _record(
    connection: Connection, change: Change, action: str, channel: Channel, diff: Sequence[Difference] = ()
) -> None:
    audit.record(
        connection, change.team_id, at=change.now, actor=change.actor, action=action, resource=channel.id, diff=diff
    )
