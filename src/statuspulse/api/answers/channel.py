"""The shapes of answers about channels and notifications, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope

ChannelKind = Literal[
    "slack", "slack_bot", "pagerduty", "discord", "teams", "telegram", "email", "ntfy", "webhook", "apprise"
]


class ChannelItem(Answer):
    """A notification channel inside another answer. Its URL is a secret and shown masked."""

    object: Literal["channel"]
    id: str
    team_id: str
    type: ChannelKind
    url_masked: str
    name: str
    enabled: bool
    health: Literal["ok", "failing", "disabled"]
    last_error: str | None
    last_success_at: datetime | None
    used_by_monitors: int
    previous_secret_until: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class ChannelAnswer(ChannelItem, Envelope):
    """A notification channel."""


class MadeChannelAnswer(ChannelItem, Envelope):
    """A notification channel; with the secret that signs where one has just been made, which is shown once."""

    secret: str | None


class ChannelList(ListEnvelope):
    """A page of channels."""

    data: list[ChannelItem]


class DeliveryAttempt(Answer):
    """One attempt to hand a notification over; `error` is one word."""

    attempt: int
    started_at: datetime
    latency_ms: int
    outcome: Literal["delivered", "retry", "refused"]
    provider_status: int | None
    error: str | None


class NotificationItem(Answer):
    """What a channel is or was owed, with every attempt to hand it over."""

    object: Literal["notification"]
    id: str
    team_id: str
    channel_id: str
    channel_type: ChannelKind | None
    channel_masked: str | None
    incident_id: str | None
    action: str
    status: Literal["pending", "delivered", "superseded", "dead"]
    attempts: int
    deliveries: list[DeliveryAttempt]
    last_error: str | None
    provider_status: int | None
    next_attempt_at: datetime | None
    finished_at: datetime | None
    created_at: datetime


class NotificationAnswer(NotificationItem, Envelope):
    """A notification."""


class NotificationList(ListEnvelope):
    """A page of notifications."""

    data: list[NotificationItem]


class ChannelTestAnswer(Envelope):
    """What came of a try-out."""

    object: Literal["channel_test"]
    channel_id: str
    notification_id: str
    ok: bool
    provider_status: int | None
    error_class: str | None
    cause: str | None
    cure: str | None
    latency_ms: int | None
