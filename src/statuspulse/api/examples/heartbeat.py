"""Examples of the OpenAPI document on jobs that call us."""

from __future__ import annotations

from typing import Any

from statuspulse.api.examples import status as status_examples

_MISSED = "no ping since 2026-11-22T01:04:10.231Z; one was expected by 2026-11-23T02:00:00.000Z"
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
STATUS: dict[str, Any] = {
    **status_examples.STATUS,
    "message": f"Nightly backup is down: {_MISSED}; 99.9821 % over 24h.",
    "monitor_id": "mon_6b8d2f4h",
    "name": "Nightly backup",
    "type": "heartbeat",
    "target": "a ping at 0 2 * * * (Europe/Berlin)",
    "state": "down",
    "health": "down",
    "last_probe_at": "2026-11-23T02:00:03.117Z",
    "next_probe_at": "2026-11-24T01:00:00.000Z",
    "interval_seconds": None,
    "heartbeat": {
        "last_ping_at": "2026-11-22T01:04:10.231Z",
        "running_since": None,
        "expected_at": "2026-11-24T01:00:00.000Z",
        "due_at": "2026-11-24T02:00:00.000Z",
        "failure": {
            "class": "heartbeat_missed",
            "detail": _MISSED,
        },
    },
    "regions": [],
}
