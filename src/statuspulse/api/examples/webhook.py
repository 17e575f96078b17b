"""Examples of the OpenAPI document: webhook endpoints and deliveries."""

from __future__ import annotations

from typing import Any

_HEAD: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "warnings": []}
_EVENT_ID = "evt_01m83h82v9n9zddwg375pc8fqs"

NEW: dict[str, Any] = {"url": "https://ops.example/hooks/statuspulse", "events": ["incident.*"]}
CHANGED: dict[str, Any] = {"events": ["*"], "filters": {"severities": ["critical"]}}
REPLAY_OF_A_DAY: dict[str, Any] = {"from": "2026-11-23T00:00:00Z", "to": "2026-11-24T00:00:00Z"}

ITEM: dict[str, Any] = {
    "object": "webhook_endpoint",
    "id": "whk_8p2r4t6w",
    "team_id": "team_1a2b3c4d",
    "url": "https://ops.example/hooks/statuspulse",
    "description": None,
    "events": ["incident.*"],
    "format": "standard",
    "payload": "full",
    "filters": {"monitor_ids": [], "tags": [], "severities": []},
    "header_names": [],
    "enabled": True,
    "status": "enabled",
    "failing_since": None,
    "disabled_reason": None,
    "last_success_at": "2026-11-23T06:24:44.093Z",
    "previous_secret_until": None,
    "stats_24h": {"pending": 0, "succeeded": 4, "exhausted": 0, "cancelled": 0},
    "version": 1,
    "created_at": "2026-11-16T08:00:00.412Z",
    "updated_at": "2026-11-16T08:00:00.412Z",
}
ENDPOINT: dict[str, Any] = {**_HEAD, "message": "Webhook endpoint whk_8p2r4t6w is enabled.", **ITEM}
ISSUED: dict[str, Any] = {
    **_HEAD,
    "message": "Webhook endpoint whk_8p2r4t6w created; its secret is shown this once.",
    **ITEM,
    "secret": "whsec_…",
}
LIST: dict[str, Any] = {
    **_HEAD,
    "object": "list",
    "message": "1 webhook endpoint.",
    "data": [ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/webhooks",
}
DELETED: dict[str, Any] = {
    **_HEAD,
    "object": "webhook_endpoint",
    "message": "Webhook endpoint whk_8p2r4t6w deleted.",
    "id": "whk_8p2r4t6w",
    "deleted": True,
}
DELIVERY_ITEM: dict[str, Any] = {
    "object": "webhook_delivery",
    "id": "whd_01m83h82va4c6e8g0j2m4p6r8t",
    "endpoint_id": "whk_8p2r4t6w",
    "event_id": _EVENT_ID,
    "event_type": "monitor.state_changed",
    "attempt": 1,
    "max_attempts": 12,
    "status": "failed",
    "redelivery": False,
    "request": {
        "url": "https://ops.example/hooks/statuspulse",
        "headers": {
            "Content-Type": "application/json",
            "webhook-id": _EVENT_ID,
            "StatusPulse-Event-Type": "monitor.state_changed",
            "StatusPulse-Delivery": "whd_01m83h82va4c6e8g0j2m4p6r8t",
            "webhook-signature": "***",
        },
        "body_bytes": 1836,
    },
    "response": {"status": 502, "headers": {"content-type": "text/html"}, "body": "Bad Gateway"},
    "error_class": "http_5xx",
    "latency_ms": 212,
    "started_at": "2026-11-23T06:24:43.881Z",
    "next_attempt_at": "2026-11-23T06:24:49.093Z",
    "created_at": "2026-11-23T06:24:43.881Z",
}
DELIVERY: dict[str, Any] = {**_HEAD, "message": "Delivery of monitor.state_changed: failed.", **DELIVERY_ITEM}
DELIVERIES: dict[str, Any] = {
    **LIST,
    "message": "1 delivery.",
    "data": [DELIVERY_ITEM],
    "url": "/v1/webhooks/whk_8p2r4t6w/deliveries",
}
REPLAYED: dict[str, Any] = {
    **_HEAD,
    "object": "webhook_replay",
    "message": "42 events are sent again, five a second.",
    "replay_id": "rpl_01m83h82va4c6e8g0j2m4p6r8t",
    "count": 42,
}
REDELIVERED: dict[str, Any] = {
    **_HEAD,
    "object": "event_redelivery",
    "message": "The event is sent again to 1 endpoint.",
    "event_id": _EVENT_ID,
    "deliveries": [{**DELIVERY_ITEM, "status": "pending", "attempt": 0, "redelivery": True}],
}
