"""Integrations and their logs as the documents that answers have."""

from __future__ import annotations

from typing import Any

from statuspulse.api.documents.monitor import time_or_null
from statuspulse.domain.times import to_text
from statuspulse.storage.integrations import PREVIOUS, Integration
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.sync_log import Said


def integration_document(integration: Integration, keyring: Keyring, public_url: str, now: int) -> dict[str, Any]:
    until = integration.previous_until
    return {
        "object": "integration",
        "id": integration.id,
        "team_id": integration.team_id,
        "kind": integration.kind.value,
        "name": integration.name,
        "enabled": integration.enabled,
        "health": _health(integration),
        "last_error": integration.last_error,
        "last_success_at": time_or_null(integration.last_success_at),
        "last_received_at": time_or_null(integration.last_received_at),
        "secret_names": sorted(name for name in integration.secrets(keyring) if name != PREVIOUS),
        "previous_secret_until": None if until is None or until <= now else to_text(until),
        "webhook_url": f"{public_url}/v1/integrations/{integration.id}/webhook",
        **integration.config,
        "version": integration.version,
        "created_at": to_text(integration.created_at),
        "updated_at": to_text(integration.updated_at),
    }


def said_document(said: Said) -> dict[str, Any]:
    return {
        "object": "sync_log_entry",
        "id": said.id,
        "at": to_text(said.at),
        "direction": said.direction,
        "what": said.what,
        "outcome": said.outcome,
        "incident_id": said.incident_id,
        "external_id": said.external_id,
        "attempt": said.attempt,
        "http_status": said.http_status,
        "latency_ms": said.latency_ms,
        "error": said.error,
    }


def _health(integration: Integration) -> str:
    if not integration.enabled:
        return "disabled"
    return "ok" if integration.last_error is None else "failing"
