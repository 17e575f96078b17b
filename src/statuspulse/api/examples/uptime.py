"""Examples of answers on uptime."""

from __future__ import annotations

from typing import Any

_LATENCY: dict[str, Any] = {
    "avg_latency_ms": 121.3,
    "p50_latency_ms": 117.0,
    "p90_latency_ms": 160.2,
    "p95_latency_ms": 182.4,
    "p99_latency_ms": 301.9,
}
_TOTALS: dict[str, Any] = {
    "start_at": "2026-11-22T00:00:00.000Z",
    "end_at": "2026-11-23T00:00:00.000Z",
    "uptime_pct": 99.4776,
    "up_seconds": 81932.4,
    "degraded_seconds": 240.0,
    "downtime_seconds": 431.5,
    "maintenance_seconds": 1800.0,
    "paused_seconds": 1400.0,
    "unknown_seconds": 596.1,
    "coverage_pct": 99.2835,
    "checks_total": 2758,
    "checks_failed": 14,
    **_LATENCY,
    "incidents": 1,
    "outages": 1,
    "mttr_seconds": 431.5,
    "mtbf_seconds": 82172.4,
}
_ONLY_IN_TOTALS = ("coverage_pct", "outages", "mttr_seconds", "mtbf_seconds")
_SERIES: dict[str, Any] = {
    "object": "uptime_series",
    "monitor_id": "mon_9x2k4p7q",
    "name": "Checkout Service Gateway",
    "bucket": "1d",
    "timezone": "UTC",
    "totals": _TOTALS,
    "data": [{"state": "down", **{name: value for name, value in _TOTALS.items() if name not in _ONLY_IN_TOTALS}}],
}
_ENVELOPE: dict[str, Any] = {
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "message": "Checkout Service Gateway: 99.4776 % up; 99.2835 % of the window was measured.",
    "warnings": [],
}
UPTIME_SERIES: dict[str, Any] = {**_ENVELOPE, **_SERIES}
UPTIME_LIST: dict[str, Any] = {
    **_ENVELOPE,
    "object": "uptime_list",
    "message": "The uptime of 1 monitor.",
    "bucket": "1d",
    "timezone": "UTC",
    "data": [_SERIES],
}
