"""Examples of answers with results."""

from __future__ import annotations

from typing import Any

RESULT: dict[str, Any] = {
    "object": "result",
    "id": "res_01m83gq4g8r3t5v7x9z1b3d5f7",
    "monitor_id": "mon_4t6w8y2a",
    "round": 59847170,
    "kind": "scheduled",
    "scheduled_at": "2026-11-23T06:20:03.881Z",
    "lag_ms": 0.8,
    "region": "local",
    "probe_id": "prb_2d4f6h8j",
    "observed_at": "2026-11-23T06:20:04.093Z",
    "ok": False,
    "attempt": 2,
    "status_code": 503,
    "latency_ms": 211.4,
    "timings_ms": {"dns": 1.2, "connect": 20.1, "tls": 41.9, "ttfb": 147.8, "transfer": 0.4},
    "bytes": 27,
    "ip": "198.51.100.7",
    "tls": {"not_after": "2027-02-01T00:00:00.000Z", "days_left": 69, "version": None},
    "failure": {"class": "status_mismatch", "detail": "got 503, expected 200"},
    "config_version": 1,
    "in_maintenance": False,
    "evidence": {"status_line": "HTTP/1.1 503 Service Unavailable", "body": "upstream connect error"},
}
RESULT_LIST: dict[str, Any] = {
    "object": "list",
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "message": "1 result.",
    "warnings": [],
    "data": [RESULT],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/monitors/mon_4t6w8y2a/results",
}
