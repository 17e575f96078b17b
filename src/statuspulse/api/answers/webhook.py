"""The shapes of answers about webhook endpoints and deliveries, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope


class WebhookFilters(Answer):
    """Where one of them names anything, an event has to be about it."""

    monitor_ids: list[str]
    tags: list[str]
    severities: list[str]


class WebhookStats(Answer):
    """How the deliveries of the last 24 hours stand."""

    succeeded: int
    pending: int
    exhausted: int
    cancelled: int


class WebhookItem(Answer):
    """A webhook endpoint inside another answer. Of its headers only the names are shown."""

    object: Literal["webhook_endpoint"]
    id: str
    team_id: str
    url: str
    description: str | None
    events: list[str]
    format: Literal["standard", "cloudevents"]
    payload: Literal["full", "thin"]
    filters: WebhookFilters
    header_names: list[str]
    enabled: bool
    status: Literal["enabled", "failing", "disabled"]
    failing_since: datetime | None
    disabled_reason: Literal["consecutive_failures", "gone_410", "manual"] | None
    last_success_at: datetime | None
    previous_secret_until: datetime | None
    stats_24h: WebhookStats
    version: int
    created_at: datetime
    updated_at: datetime


class WebhookAnswer(WebhookItem, Envelope):
    """A webhook endpoint."""


class IssuedWebhookAnswer(WebhookItem, Envelope):
    """A webhook endpoint with its new secret, which is shown once."""

    secret: str


class WebhookList(ListEnvelope):
    """A page of webhook endpoints."""

    data: list[WebhookItem]


class DeliveryRequest(Answer):
    """What is sent; `body` is there where one delivery is read. Signature and headers of the endpoint are masked."""

    url: str
    headers: dict[str, str]
    body_bytes: int | None
    body: str | None = None


class DeliveryResponse(Answer):
    """What the receiver answered last: some headers, and the first 4 KiB."""

    status: int
    headers: dict[str, str]
    body: str


class WebhookDeliveryItem(Answer):
    """An event that an endpoint is or was owed, with the last attempt to send it."""

    object: Literal["webhook_delivery"]
    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    attempt: int
    max_attempts: int
    status: Literal["pending", "succeeded", "failed", "exhausted", "cancelled"]
    redelivery: bool
    request: DeliveryRequest
    response: DeliveryResponse | None
    error_class: (
        Literal[
            "dns",
            "connect",
            "tls",
            "timeout",
            "http_1xx",
            "http_3xx",
            "http_4xx",
            "http_5xx",
            "blocked_by_policy",
            "event_gone",
        ]
        | None
    )
    latency_ms: int | None
    started_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime


class WebhookDeliveryAnswer(WebhookDeliveryItem, Envelope):
    """A delivery."""


class WebhookDeliveryList(ListEnvelope):
    """A page of deliveries."""

    data: list[WebhookDeliveryItem]


class ReplayAnswer(Envelope):
    """Events that are going to be sent again."""

    object: Literal["webhook_replay"]
    replay_id: str
    count: int


class RedeliveryAnswer(Envelope):
    """An event that is going to be sent again."""

    object: Literal["event_redelivery"]
    event_id: str
    deliveries: list[WebhookDeliveryItem]
