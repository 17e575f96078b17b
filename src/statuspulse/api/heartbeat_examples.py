"""Examples of the OpenAPI document on jobs that call us."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-23T06:20:00.412Z"

MONITOR: dict[str, Any] = {
    "object": "monitor",
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "message": 'Monitor "Nightly backup" created; it waits for the first call of its ping_url.',
    "warnings": [],
    "id": "mon_6b8d2f4h",
    "monitor_id": "mon_6b8d2f4h",
    "team_id": "team_1a2b3c4d",
    "name": "Nightly backup",
    "type": "heartbeat",
    "target": "a ping at 0 2 * * * (Europe/Berlin)",
    "period_seconds": None,
    "cron": "0 2 * * *",
    "timezone": "Europe/Berlin",
    "grace_seconds": 3600,
    "ping_url": "https://status.acme.example/ping/EXAMPLEEXAMPLEEXAMPLE0",
    "regions": [],
    "failure_threshold": 1,
    "recovery_threshold": 1,
    "severity": "critical",
    "escalation_policy": None,
    "notifications": [],
    "notification_rules": [],
    "maintenance_windows": [],
    "sla": None,
    "depends_on": [],
    "tags": [],
    "description": None,
    "runbook_url": None,
    "metadata": {},
    "paused": False,
    "state": "pending",
    "health": "pending",
    "state_since": _AT,
    "last_probe_at": None,
    "next_probe_at": None,
    "config_version": 1,
    "open_incident_id": None,
    "created_at": _AT,
    "updated_at": _AT,
    "links": {
        "self": "/v1/monitors/mon_6b8d2f4h",
        "status": "/v1/status/mon_6b8d2f4h",
        "config": "/v1/monitors/mon_6b8d2f4h/config",
        "results": "/v1/monitors/mon_6b8d2f4h/results",
    },
}
