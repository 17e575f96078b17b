"""Examples of answers with transitions."""

from __future__ import annotations

from typing import Any

TRANSITION: dict[str, Any] = {
    "object": "transition",
    "state_seq": 182,
    "state": "down",
    "previous_state": "degraded",
    "health": "down",
    "previous_health": "degraded",
    "changed_at": "2026-11-23T06:20:11.604Z",
    "first_observed_at": "2026-11-23T06:20:00.000Z",
    "duration_seconds": 60.0,
    "reason": "probe_result",
    "incident_id": "inc_4m8n2v5w",
    "maintenance_window_id": None,
    "evidence": [
        {
            "region": "us-east",
            "standing": "failing",
            "observed_at": "2026-11-23T06:20:07.902Z",
            "ok": False,
            "status_code": 503,
            "latency_ms": 211.4,
            "failure": {"class": "status_mismatch", "detail": "got 503, expected 200"},
        },
        {
            "region": "eu-west",
            "standing": "failing",
            "observed_at": "2026-11-23T06:20:11.404Z",
            "ok": False,
            "status_code": 503,
            "latency_ms": 187.0,
            "failure": {"class": "status_mismatch", "detail": "got 503, expected 200"},
        },
        {
            "region": "ap-south",
            "standing": "passing",
            "observed_at": "2026-11-23T06:20:02.011Z",
            "ok": True,
            "status_code": 200,
            "latency_ms": 171.8,
            "failure": None,
        },
    ],
}
TRANSITION_LIST: dict[str, Any] = {
    "object": "list",
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "message": "1 transition.",
    "warnings": [],
    "data": [TRANSITION],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/monitors/mon_9x2k4p7q/transitions",
}
