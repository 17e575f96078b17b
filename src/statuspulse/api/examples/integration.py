"""Examples of the OpenAPI document: integrations, their logs, and what other systems send."""

from __future__ import annotations

from typing import Any

_HEAD: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "warnings": []}
_ID = "int_4f6h8k2m"

NEW_PAGERDUTY: dict[str, Any] = {
    "kind": "pagerduty",
    "routing_key": "0123456789abcdef0123456789abcdef",
    "rest": {"api_token": "example-token", "from_email": "statuspulse@acme.example"},
    "webhook_secret": "example-secret",
    "direction": "both",
}
NEW_JIRA: dict[str, Any] = {
    "kind": "jira",
    "base_url": "https://acme.atlassian.net",
    "email": "statuspulse@acme.example",
    "api_token": "example-token",
    "project_key": "OPS",
    "issue_type": "10001",
}
NEW_ALERTMANAGER: dict[str, Any] = {"kind": "alertmanager", "severity_map": {"page": "critical", "ticket": "warning"}}
CHANGED: dict[str, Any] = {"name": "PagerDuty of the shop"}

ITEM: dict[str, Any] = {
    "object": "integration",
    "id": _ID,
    "team_id": "team_1a2b3c4d",
    "kind": "pagerduty",
    "name": "PagerDuty",
    "enabled": True,
    "health": "ok",
    "last_error": None,
    "last_success_at": "2026-11-23T06:24:44.093Z",
    "last_received_at": None,
    "secret_names": ["api_token", "routing_key", "webhook_secret"],
    "previous_secret_until": None,
    "webhook_url": f"https://status.acme.example/v1/integrations/{_ID}/webhook",
    "region": "us",
    "rest": {"from_email": "statuspulse@acme.example"},
    "direction": "both",
    "severity_map": {},
    "version": 1,
    "created_at": "2026-11-16T08:00:00.412Z",
    "updated_at": "2026-11-16T08:00:00.412Z",
}
INTEGRATION: dict[str, Any] = {**_HEAD, "message": "Integration PagerDuty: ok.", **ITEM}
MADE: dict[str, Any] = {**_HEAD, "message": f"Integration {_ID} created.", **ITEM, "secret": None}
_ALERTMANAGER: dict[str, Any] = {
    **{name: value for name, value in ITEM.items() if name not in {"region", "rest", "direction"}},
    "kind": "alertmanager",
    "name": "Alertmanager",
    "secret_names": ["secret"],
    "previous_secret_until": "2026-11-24T06:24:44.093Z",
    "severity_map": {"page": "critical", "ticket": "warning"},
}
ROTATED: dict[str, Any] = {
    **_HEAD,
    "message": f"Integration {_ID} has a new secret, which is shown this once.",
    **_ALERTMANAGER,
    "version": 2,
    "secret": "amsec_0123456789abcdef0123456789abcdef0123456789abcdef",
}
LIST: dict[str, Any] = {
    **_HEAD,
    "object": "list",
    "message": "1 integration.",
    "data": [ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/integrations",
}
DELETED: dict[str, Any] = {
    **_HEAD,
    "object": "integration",
    "message": f"Integration {_ID} deleted.",
    "id": _ID,
    "deleted": True,
}
TESTED: dict[str, Any] = {
    **_HEAD,
    "object": "integration_test",
    "message": "The other side took it.",
    "integration_id": _ID,
    "ok": True,
    "provider_status": 202,
    "error_class": None,
    "latency_ms": 143,
}
LOG: dict[str, Any] = {
    **_HEAD,
    "object": "list",
    "message": "1 entry.",
    "data": [
        {
            "object": "sync_log_entry",
            "id": "syn_01m83hb6n8q2s4v6x8z0b2d4f6",
            "at": "2026-11-23T06:25:58.201Z",
            "direction": "out",
            "what": "acknowledge",
            "outcome": "delivered",
            "incident_id": "inc_4m8n2v5w",
            "external_id": "Q2F9K1",
            "attempt": 1,
            "http_status": 202,
            "latency_ms": 118,
            "error": None,
        }
    ],
    "has_more": False,
    "next_cursor": None,
    "url": f"/v1/integrations/{_ID}/sync-log",
}
ACK: dict[str, Any] = {**_HEAD, "object": "ack", "message": "Taken in."}
PAGERDUTY_EVENT: dict[str, Any] = {
    "event": {
        "id": "01BZ3KQDJ7VQ1H2M6XN7R4T5W8",
        "event_type": "incident.acknowledged",
        "resource_type": "incident",
        "occurred_at": "2026-11-23T06:25:57.912Z",
        "agent": {"id": "PXPGF42", "type": "user_reference", "summary": "Maya Rodriguez"},
        "client": None,
        "data": {"id": "Q2F9K1", "type": "incident", "status": "acknowledged", "incident_key": "inc_4m8n2v5w"},
    }
}
SYNC_AGAIN: dict[str, Any] = {
    **_HEAD,
    "object": "incident_sync",
    "message": "1 change of incident inc_4m8n2v5w is tried again.",
    "incident_id": "inc_4m8n2v5w",
    "count": 1,
}
