"""Examples of the OpenAPI document on the status of monitors."""

from __future__ import annotations

from typing import Any

_ENVELOPE: dict[str, Any] = {
    "request_id": "req_01m83gyc7t9w2y4a6c8e0g2j4k",
    "message": "Checkout Service Gateway is up; p95 182.4 ms, 99.9821 % over 24h.",
    "warnings": [],
}
_ITEM: dict[str, Any] = {
    "object": "status",
    "monitor_id": "mon_9x2k4p7q",
    "name": "Checkout Service Gateway",
    "type": "http",
    "target": "https://api.acmecorp.com/v2/health",
    "state": "up",
    "health": "up",
    "state_since": "2026-11-22T06:27:10.112Z",
    "state_seq": 181,
    "stale": False,
    "failing_regions": [],
    "flapping": False,
    "last_probe_at": "2026-11-23T06:23:52.051Z",
    "next_probe_at": "2026-11-23T06:24:01.879Z",
    "interval_seconds": 30,
    "heartbeat": None,
    "metrics": {
        "window": "24h",
        "window_start": "2026-11-22T06:23:55.204Z",
        "window_end": "2026-11-23T06:23:55.204Z",
        "uptime_pct": 99.9821,
        "uptime_24h_pct": 99.9821,
        "uptime_7d_pct": 99.9964,
        "uptime_30d_pct": 99.9636,
        "uptime_90d_pct": 99.9781,
        "avg_latency_ms": 121.3,
        "min_latency_ms": 88.1,
        "p50_latency_ms": 117.0,
        "p90_latency_ms": 160.2,
        "p95_latency_ms": 182.4,
        "p99_latency_ms": 301.9,
        "max_latency_ms": 912.5,
        "checks_total": 8640,
        "checks_failed": 2,
        "downtime_seconds": 15.4,
        "degraded_seconds": 1.7,
        "maintenance_seconds": 0,
        "paused_seconds": 0,
        "unknown_seconds": 0,
        "coverage_pct": 100.0,
        "incidents": 1,
        "mttr_seconds": 62.0,
    },
    "active_incident": None,
    "maintenance": {"active": False, "window_id": None, "until": None, "next_start_at": None},
    "sla": None,
    "config_version": 2,
    "generated_at": "2026-11-23T06:23:55.204Z",
}
STATUS: dict[str, Any] = {
    **_ENVELOPE,
    **_ITEM,
    "regions": [
        {
            "region": "us-east",
            "health": "up",
            "last_probe_at": "2026-11-23T06:23:31.998Z",
            "latency_ms": 119.2,
            "p95_latency_ms": 171.0,
            "failure": None,
        },
        {
            "region": "ap-south",
            "health": "up",
            "last_probe_at": "2026-11-23T06:23:52.051Z",
            "latency_ms": 171.8,
            "p95_latency_ms": 204.3,
            "failure": None,
        },
    ],
}
STATUS_LIST: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "1 status.",
    "data": [_ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/status",
}
