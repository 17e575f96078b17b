"""Examples of answers on latency."""

from __future__ import annotations

from typing import Any

_ENVELOPE: dict[str, Any] = {
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "message": "Checkout Service Gateway: the latency of 358 successful checks.",
    "warnings": [],
    "monitor_id": "mon_9x2k4p7q",
    "bucket": "1h",
    "timezone": "UTC",
    "group_by": "none",
}
_PLACE: dict[str, Any] = {
    "start_at": "2026-11-23T05:00:00.000Z",
    "end_at": "2026-11-23T06:00:00.000Z",
    "region": None,
}
LATENCY_SERIES: dict[str, Any] = {
    **_ENVELOPE,
    "object": "latency_series",
    "percentiles": [50.0, 95.0, 99.0],
    "data": [
        {
            **_PLACE,
            "count": 358,
            "avg_latency_ms": 121.3,
            "min_latency_ms": 88.1,
            "max_latency_ms": 912.5,
            "percentiles_ms": {"50": 117.0, "95": 182.4, "99": 301.9},
        }
    ],
}
LATENCY_HEAT_MAP: dict[str, Any] = {
    **_ENVELOPE,
    "object": "latency_heatmap",
    "buckets_ms": [86.918, 172.04, 340.531, 674.036],
    "data": [{**_PLACE, "counts": [331, 24, 3]}],
}
