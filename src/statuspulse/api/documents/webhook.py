"""Webhook endpoints and deliveries as callers read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from statuspulse.api.documents.monitor import time_or_null
from statuspulse.delivery.webhooks import body_of, own_headers
from statuspulse.domain.secret import MASK
from statuspulse.domain.times import to_text
from statuspulse.domain.webhook import MOST_ATTEMPTS
from statuspulse.storage.events import LoggedEvent
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.webhook_deliveries import State, WebhookDelivery
from statuspulse.storage.webhooks import Endpoint


def webhook_document(endpoint: Endpoint, keyring: Keyring, counts: Mapping[State, int], now: int) -> dict[str, Any]:
    wanted, until = endpoint.wanted, endpoint.previous_until
    return {
        "object": "webhook_endpoint",
        "id": endpoint.id,
        "team_id": endpoint.team_id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": list(wanted.types),
        "format": endpoint.format.value,
        "payload": endpoint.payload.value,
        "filters": {
            "monitor_ids": list(wanted.monitor_ids),
            "tags": list(wanted.tags),
            "severities": list(wanted.severities),
        },
        "header_names": _header_names(endpoint, keyring),
        "enabled": endpoint.enabled,
        "status": _status(endpoint),
        "failing_since": time_or_null(endpoint.failing_since),
        "disabled_reason": None if endpoint.disabled_reason is None else endpoint.disabled_reason.value,
        "last_success_at": time_or_null(endpoint.last_success_at),
        "previous_secret_until": None if until is None or until <= now else to_text(until),
        "stats_24h": {state.value: count for state, count in counts.items()},
        "version": endpoint.version,
        "created_at": to_text(endpoint.created_at),
        "updated_at": to_text(endpoint.updated_at),
    }


def delivery_document(delivery: WebhookDelivery, endpoint: Endpoint, keyring: Keyring) -> dict[str, Any]:
    last, is_open = delivery.last, delivery.state is State.PENDING
    masked = dict.fromkeys((*_header_names(endpoint, keyring), "webhook-signature"), MASK)
    return {
        "object": "webhook_delivery",
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "attempt": delivery.attempts,
        "max_attempts": MOST_ATTEMPTS,
        "status": delivery.status,
        "redelivery": delivery.redelivery,
        "request": {
            "url": endpoint.url,
            "headers": {**own_headers(endpoint, delivery), **masked},
            "body_bytes": None if last is None else last.body_bytes,
        },
        "response": None if last is None else last.answer,
        "error_class": None if last is None else last.error_class,
        "latency_ms": None if last is None else last.latency_ms,
        "started_at": None if last is None else to_text(last.started_at),
        "next_attempt_at": to_text(delivery.next_attempt_at) if is_open else None,
        "created_at": to_text(delivery.created_at),
    }


def whole_delivery_document(
    delivery: WebhookDelivery, endpoint: Endpoint, keyring: Keyring, event: LoggedEvent | None, public_url: str
) -> dict[str, Any]:
    """With the body that is sent; null once the event is kept no longer."""
    document = delivery_document(delivery, endpoint, keyring)
    body = None if event is None else body_of(endpoint, event, public_url).decode()
    return {**document, "request": {**document["request"], "body": body}}


def _status(endpoint: Endpoint) -> str:
    if not endpoint.enabled:
        return "disabled"
    return "enabled" if endpoint.failing_since is None else "failing"


def _header_names(endpoint: Endpoint, keyring: Keyring) -> list[str]:
    given = json.loads(keyring.open(endpoint.place("headers"), endpoint.headers_sealed).reveal())
    return [name for name, _ in given]
