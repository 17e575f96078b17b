"""Examples of the OpenAPI document about incidents: the body of the reference verbatim, and answers to it."""

from __future__ import annotations

from typing import Any

_TRIGGERED_AT = "2026-11-23T06:24:43.881Z"
_ACKNOWLEDGED_AT = "2026-11-23T06:25:58.081Z"
_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83hb6n8q2s4v6x8z0b2d4f6", "message": "", "warnings": []}
_TOKEN = {"type": "token", "id": "tok_7h3k9m2p", "label": "ops automation"}
_NOTE = "Investigating Redis connection pool saturation. Scaling read replicas."

ACKNOWLEDGE: dict[str, Any] = {
    "incident_id": "inc_4m8n2v5w",
    "state": "acknowledged",
    "assignee": "maya.rodriguez@acmecorp.com",
    "notes": _NOTE,
}
REQUESTS: dict[str, Any] = {
    "acknowledge": ACKNOWLEDGE,
    "trigger": {
        "title": "Redis connections exhausted",
        "severity": "critical",
        "dedup_key": "redis/pool",
        "external_ids": {"jira": {"id": "OPS-142", "url": "https://acme.atlassian.net/browse/OPS-142"}},
    },
    "resolve by key": {"state": "resolved", "dedup_key": "redis/pool"},
}

ITEM: dict[str, Any] = {
    "object": "incident",
    "id": "inc_4m8n2v5w",
    "incident_id": "inc_4m8n2v5w",
    "number": 318,
    "version": 2,
    "title": "Redis connections exhausted",
    "state": "acknowledged",
    "previous_state": None,
    "severity": "critical",
    "source": "manual",
    "monitor_id": "mon_9x2k4p7q",
    "team_id": "team_1a2b3c4d",
    "dedup_key": "redis/pool",
    "occurrences": 1,
    "deduplicated": False,
    "assignee": "maya.rodriguez@acmecorp.com",
    "notes": None,
    "escalation": {
        "policy": "oncall_senior",
        "step": 0,
        "repeat": 0,
        "next_step_at": None,
        "exhausted": False,
        "held": None,
    },
    "triggered_at": _TRIGGERED_AT,
    "triggered_by": _TOKEN,
    "acknowledged_at": _ACKNOWLEDGED_AT,
    "acknowledged_by": _TOKEN,
    "ack_expires_at": None,
    "resolved_at": None,
    "resolved_by": None,
    "resolve_reason": None,
    "external_ids": {"jira": "OPS-142"},
    "sync": [
        {
            "provider": "jira",
            "status": "not_configured",
            "external_id": "OPS-142",
            "url": "https://acme.atlassian.net/browse/OPS-142",
            "last_error": None,
            "updated_at": _ACKNOWLEDGED_AT,
        }
    ],
    "created_at": _TRIGGERED_AT,
    "updated_at": _ACKNOWLEDGED_AT,
    "links": {"self": "/v1/incidents/inc_4m8n2v5w", "timeline": "/v1/incidents/inc_4m8n2v5w/timeline"},
}
INCIDENT: dict[str, Any] = {**_ENVELOPE, **ITEM, "message": "Incident inc_4m8n2v5w is acknowledged."}
ACKNOWLEDGED: dict[str, Any] = {
    **INCIDENT,
    "message": "Incident inc_4m8n2v5w acknowledged and assigned to maya.rodriguez@acmecorp.com.",
    "previous_state": "triggered",
    "notes": _NOTE,
}
TRIGGERED: dict[str, Any] = {
    **INCIDENT,
    "message": "Incident inc_4m8n2v5w triggered.",
    "warnings": [
        {
            "code": "integration_not_configured",
            "message": "Jira is not configured: the id is stored, and nothing is synced.",
            "param": "external_ids.jira",
        }
    ],
    "version": 1,
    "state": "triggered",
    "monitor_id": None,
    "assignee": None,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "updated_at": _TRIGGERED_AT,
}
EDITED: dict[str, Any] = {
    **INCIDENT,
    "message": "Incident inc_4m8n2v5w updated.",
    "severity": "error",
    "version": 3,
}
SNOOZED: dict[str, Any] = {
    **INCIDENT,
    "message": "Incident inc_4m8n2v5w is snoozed until 2026-11-23T07:25:58.081Z.",
    "previous_state": "triggered",
    "ack_expires_at": "2026-11-23T07:25:58.081Z",
}
ESCALATED: dict[str, Any] = {
    **INCIDENT,
    "message": "Incident inc_4m8n2v5w escalated to step 1.",
    "version": 3,
    "state": "triggered",
    "previous_state": "triggered",
    "acknowledged_at": None,
    "acknowledged_by": None,
    "escalation": {
        "policy": "oncall_senior",
        "step": 1,
        "repeat": 0,
        "next_step_at": None,
        "exhausted": True,
        "held": None,
    },
}
LIST: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "1 incident.",
    "data": [ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/incidents",
}
STATS: dict[str, Any] = {
    **_ENVELOPE,
    "object": "incident_stats",
    "message": "1 incident, 1 of them open.",
    "from": "2026-10-24T06:26:00.000Z",
    "to": "2026-11-23T06:26:00.000Z",
    "group_by": "severity",
    "count": 1,
    "open": 1,
    "mtta_seconds": {"median": 74.2, "p95": 74.2},
    "mttr_seconds": {"median": None, "p95": None},
    "groups": [
        {
            "group": "critical",
            "count": 1,
            "open": 1,
            "mtta_seconds": {"median": 74.2, "p95": 74.2},
            "mttr_seconds": {"median": None, "p95": None},
        }
    ],
}
TIMELINE: dict[str, Any] = {
    **LIST,
    "message": "2 entries.",
    "data": [
        {
            "object": "timeline_entry",
            "id": "evt_01m83h82v9mrdn2j5mdte1j2dk",
            "at": _TRIGGERED_AT,
            "type": "triggered",
            "actor": _TOKEN,
            "detail": {},
        },
        {
            "object": "timeline_entry",
            "id": "note_5k7m9p2q",
            "at": _ACKNOWLEDGED_AT,
            "type": "note",
            "actor": _TOKEN,
            "detail": {"text": _NOTE},
        },
    ],
    "url": "/v1/incidents/inc_4m8n2v5w/timeline",
}
NOTE: dict[str, Any] = {
    **_ENVELOPE,
    "object": "note",
    "message": "Note added to incident inc_4m8n2v5w.",
    "id": "note_7p9r2t4w",
    "incident_id": "inc_4m8n2v5w",
    "team_id": "team_1a2b3c4d",
    "text": "Two read replicas added; connection count is falling.",
    "actor": _TOKEN,
    "created_at": "2026-11-23T06:29:02.550Z",
    "updated_at": "2026-11-23T06:29:02.550Z",
}
