"""Examples of the OpenAPI document: channels and notifications."""

from __future__ import annotations

from typing import Any

_HEAD: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "warnings": []}
_LIST: dict[str, Any] = {**_HEAD, "object": "list", "has_more": False, "next_cursor": None}

NEW: dict[str, Any] = {"url": "https://ops.example/hooks/alerts", "name": "Ops"}
CHANGED: dict[str, Any] = {"name": "Night shift"}

ITEM: dict[str, Any] = {
    "object": "channel",
    "id": "nch_8k2m4p6q",
    "team_id": "team_1a2b3c4d",
    "type": "webhook",
    "url_masked": "https://ops.example/***#nch_8k2m4p6q",
    "name": "Ops",
    "enabled": True,
    "health": "ok",
    "last_error": None,
    "last_success_at": "2026-11-23T06:24:44.093Z",
    "used_by_monitors": 3,
    "previous_secret_until": None,
    "version": 2,
    "created_at": "2026-11-16T08:00:00.412Z",
    "updated_at": "2026-11-23T06:24:44.093Z",
}
CHANNEL: dict[str, Any] = {**_HEAD, "message": "Channel Ops: ok.", **ITEM}
KNOWN: dict[str, Any] = {**_HEAD, "message": "The team has a channel with this URL.", **ITEM, "secret": None}
MADE: dict[str, Any] = {
    **_HEAD,
    "message": "Channel Ops created; its secret is shown this once.",
    **ITEM,
    "last_success_at": None,
    "used_by_monitors": 0,
    "secret": "whsec_…",
}
LIST: dict[str, Any] = {**_LIST, "message": "1 channel.", "data": [ITEM], "url": "/v1/channels"}
DELETED: dict[str, Any] = {
    **_HEAD,
    "object": "channel",
    "message": "Channel nch_8k2m4p6q deleted.",
    "id": "nch_8k2m4p6q",
    "deleted": True,
}
TESTED: dict[str, Any] = {
    **_HEAD,
    "object": "channel_test",
    "message": "The receiver took it.",
    "channel_id": "nch_8k2m4p6q",
    "notification_id": "ntf_01m83h82va4c6e8g0j2m4p6r8t",
    "ok": True,
    "provider_status": 204,
    "error_class": None,
    "cause": None,
    "cure": None,
    "latency_ms": 112,
}
NOTIFICATION_ITEM: dict[str, Any] = {
    "object": "notification",
    "id": "ntf_01m83h82va4c6e8g0j2m4p6r8t",
    "team_id": "team_1a2b3c4d",
    "channel_id": "nch_8k2m4p6q",
    "channel_type": "webhook",
    "channel_masked": "https://ops.example/***",
    "incident_id": "inc_4m8n2v5w",
    "action": "trigger",
    "status": "pending",
    "attempts": 1,
    "deliveries": [
        {
            "attempt": 1,
            "started_at": "2026-11-23T06:24:43.881Z",
            "latency_ms": 212,
            "outcome": "retry",
            "provider_status": 502,
            "error": "http_502",
        }
    ],
    "last_error": "http_502",
    "provider_status": 502,
    "next_attempt_at": "2026-11-23T06:24:49.093Z",
    "finished_at": None,
    "created_at": "2026-11-23T06:24:43.881Z",
}
NOTIFICATIONS: dict[str, Any] = {
    **_LIST,
    "message": "1 notification.",
    "data": [NOTIFICATION_ITEM],
    "url": "/v1/notifications",
}
DELIVERIES: dict[str, Any] = {**NOTIFICATIONS, "url": "/v1/channels/nch_8k2m4p6q/deliveries"}
NOTIFICATION: dict[str, Any] = {**_HEAD, "message": "The notification is handed over again.", **NOTIFICATION_ITEM}
