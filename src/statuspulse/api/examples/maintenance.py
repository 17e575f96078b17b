"""Examples of the OpenAPI document: maintenance windows."""

from __future__ import annotations

from typing import Any

_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "message": "", "warnings": []}
_AT = "2026-11-23T05:40:11.300Z"
_FIRST = {"start_at": "2026-11-29T07:00:00.000Z", "end_at": "2026-11-29T09:00:00.000Z"}
_SECOND = {"start_at": "2026-12-06T07:00:00.000Z", "end_at": "2026-12-06T09:00:00.000Z"}

REQUEST: dict[str, Any] = {
    "name": "DB patching",
    "monitors": {"tags": ["prod"]},
    "starts_at": "2026-11-29T02:00:00",
    "timezone": "America/New_York",
    "duration_seconds": 7200,
    "rrule": "FREQ=WEEKLY;BYDAY=SU",
}
ONCE: dict[str, Any] = {
    "name": "Move of the database",
    "monitors": {"all": True},
    "starts_at": "2026-12-06T07:00:00Z",
    "duration_seconds": 7200,
    "probing": "pause",
}
NOW: dict[str, Any] = {"duration_seconds": 3600, "reason": "Restart of the load balancers"}
EDIT: dict[str, Any] = {"duration_seconds": 10800}
_ITEM: dict[str, Any] = {
    "object": "maintenance_window",
    "id": "mwn_6n8q2s4v",
    "team_id": "team_1a2b3c4d",
    **REQUEST,
    "description": None,
    "monitor_id": None,
    "joined_monitor_ids": [],
    "exdates": [],
    "probing": "continue",
    "alerting": "suppress",
    "sla": "exclude",
    "open_incidents": "hold",
    "status_page_note": None,
    "status": "scheduled",
    "active_occurrence": None,
    "next_occurrence": _FIRST,
    "last_occurrence": None,
    "version": 1,
    "created_at": _AT,
    "updated_at": _AT,
}
WINDOW: dict[str, Any] = {**_ENVELOPE, **_ITEM, "message": 'Maintenance window "DB patching" is scheduled.'}
CREATED: dict[str, Any] = {**WINDOW, "message": 'Maintenance window "DB patching" created.'}
CHANGED: dict[str, Any] = {
    **WINDOW,
    "duration_seconds": 10800,
    "version": 2,
    "message": 'Maintenance window "DB patching" changed.',
}
SKIPPED: dict[str, Any] = {
    **WINDOW,
    "exdates": ["2026-11-29T02:00:00"],
    "next_occurrence": _SECOND,
    "message": 'Maintenance window "DB patching": the next occurrence is left out.',
}
ENDED: dict[str, Any] = {**WINDOW, "message": 'Maintenance window "DB patching": the occurrence has ended.'}
CANCELLED: dict[str, Any] = {
    **WINDOW,
    "status": "cancelled",
    "next_occurrence": None,
    "message": 'Maintenance window "DB patching" is cancelled.',
}
STARTED: dict[str, Any] = {
    **WINDOW,
    "name": "Restart of the load balancers",
    "monitors": {"ids": ["mon_9x2k4p7q"]},
    "starts_at": _AT,
    "timezone": None,
    "duration_seconds": 3600,
    "rrule": None,
    "status": "active",
    "active_occurrence": {"start_at": _AT, "end_at": "2026-11-23T06:40:11.300Z"},
    "next_occurrence": None,
    "message": 'Maintenance window "Restart of the load balancers" is active.',
}
LIST: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "1 maintenance window.",
    "data": [_ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/maintenance-windows",
}
OCCURRENCES: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "2 occurrences.",
    "data": [_FIRST, _SECOND],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/maintenance-windows/mwn_6n8q2s4v/occurrences",
}
