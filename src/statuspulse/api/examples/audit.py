"""Examples of the OpenAPI document: the audit log."""

from __future__ import annotations

from typing import Any

AUDIT_LIST: dict[str, Any] = {
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "object": "list",
    "message": "1 entry.",
    "warnings": [],
    "data": [
        {
            "object": "audit_entry",
            "id": "aud_01m83gs7d2c4f6h8k0n2q4s6v8",
            "team_id": "team_1a2b3c4d",
            "at": "2026-11-23T06:20:00.412Z",
            "actor": {"type": "token", "id": "tok_5n7q9s2v", "label": "deploy pipeline"},
            "action": "monitor.updated",
            "resource": "mon_4t6w8y2a",
            "diff": [
                {"path": "/interval_seconds", "before": 60, "after": 30},
                {"path": "/auth/password", "before": "***", "after": "***"},
            ],
            "ip": "192.0.2.17",
            "request_id": "req_01m83gs7d2c4f6h8k0n2q4s6v8",
        }
    ],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/audit-log",
}
