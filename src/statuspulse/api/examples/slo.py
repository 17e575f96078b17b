"""Examples of the OpenAPI document: service level objectives and their reports."""

from __future__ import annotations

from typing import Any

from statuspulse.api.resources.slo_table import report_table
from statuspulse.domain.slo import USUAL_ALERTING

_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "message": "", "warnings": []}
_AT = "2026-11-23T06:20:00.412Z"
_SLACK = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***#nch_6m8p2r4t"

REQUEST: dict[str, Any] = {
    "name": "Checkout 99.9",
    "monitor_id": "mon_9x2k4p7q",
    "objective_pct": 99.9,
    "window": "calendar_month",
    "timezone": "America/New_York",
    "notify": ["nch_6m8p2r4t"],
}
TAGS_REQUEST: dict[str, Any] = {
    "name": "Production answers in 300 ms",
    "tags": ["prod"],
    "kind": "latency",
    "latency_threshold_ms": 300,
    "objective_pct": 99,
    "alerting": {"ticket": None},
}
CHANGED: dict[str, Any] = {"objective_pct": 99.95}
_ITEM: dict[str, Any] = {
    "object": "slo",
    "id": "slo_3c5e7g9j",
    "team_id": "team_1a2b3c4d",
    "name": "Checkout 99.9",
    "monitor_id": "mon_9x2k4p7q",
    "tags": [],
    "kind": "availability",
    "objective_pct": 99.9,
    "latency_threshold_ms": None,
    "window": "calendar_month",
    "timezone": "America/New_York",
    "alerting": USUAL_ALERTING,
    "notify": [_SLACK],
    "of_config": False,
    "status": "met",
    "burning": None,
    "breached_at": None,
    "budget": {
        "period_start": "2026-11-01T04:00:00.000Z",
        "period_end": "2026-12-01T05:00:00.000Z",
        "observed_pct": 99.9636,
        "budget_seconds": 2593.8,
        "consumed_seconds": 696.4,
        "remaining_pct": 73.1513,
        "excluded_maintenance_seconds": 1800.0,
        "unknown_seconds": 0.0,
    },
    "version": 1,
    "created_at": _AT,
    "updated_at": _AT,
}
SLO: dict[str, Any] = {
    **_ENVELOPE,
    **_ITEM,
    "message": "Checkout 99.9 is met; 99.9636 % observed, 73.1513 % of the budget left.",
}
CREATED: dict[str, Any] = {**SLO, "message": 'SLO "Checkout 99.9" created.'}
LIST: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "1 SLO.",
    "data": [_ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/slos",
}
DELETED: dict[str, Any] = {
    **_ENVELOPE,
    "object": "slo",
    "message": 'SLO "Checkout 99.9" deleted.',
    "id": "slo_3c5e7g9j",
    "deleted": True,
}
_REPORT: dict[str, Any] = {
    "object": "slo_report",
    "slo_id": "slo_3c5e7g9j",
    "name": "Checkout 99.9",
    "monitor_id": "mon_9x2k4p7q",
    "tags": [],
    "kind": "availability",
    "latency_threshold_ms": None,
    "window": "calendar_month",
    "timezone": "America/New_York",
    "period": "2026-10",
    "period_start": "2026-10-01T04:00:00.000Z",
    "period_end": "2026-11-01T04:00:00.000Z",
    "objective_pct": 99.9,
    "observed_pct": 99.974,
    "met": True,
    "budget_seconds": 2676.6,
    "consumed_seconds": 695.7,
    "remaining_pct": 74.008,
    "measured_seconds": 2676480.0,
    "excluded_maintenance_seconds": 1800.0,
    "paused_seconds": 0.0,
    "unknown_seconds": 120.0,
    "absent_seconds": 0.0,
    "ahead_seconds": 0.0,
    "worst_incidents": [
        {
            "incident_id": "inc_4m8n2v5w",
            "number": 318,
            "title": "Checkout Service Gateway is down",
            "monitor_id": "mon_9x2k4p7q",
            "triggered_at": "2026-10-12T06:24:43.881Z",
            "resolved_at": "2026-10-12T06:36:19.578Z",
            "consumed_seconds": 695.7,
        }
    ],
    "daily": [
        {
            "date": "2026-10-12",
            "observed_pct": 99.1948,
            "consumed_seconds": 695.7,
            "measured_seconds": 86400.0,
            "excluded_maintenance_seconds": 0.0,
            "paused_seconds": 0.0,
            "unknown_seconds": 0.0,
        }
    ],
    "generated_at": _AT,
}
REPORT: dict[str, Any] = {
    **_ENVELOPE,
    **_REPORT,
    "message": "Checkout 99.9, 2026-10: met; 99.974 % observed, 74.008 % of the budget left.",
}
REPORTS: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "1 report.",
    "data": [_REPORT],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/slos/reports",
}
TABLE = report_table(_REPORT)
PAGE = '<!doctype html>\n<html lang="en"><head><title>SLO report: Checkout 99.9, 2026-10</title></head>…</html>\n'
