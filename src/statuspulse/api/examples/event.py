"""Examples of the OpenAPI document: events."""

from __future__ import annotations

from typing import Any

from statuspulse.api.event_schema import examples
from statuspulse.domain.event import EventType

_DOWN = examples()[EventType.MONITOR_STATE_CHANGED.value]

EVENT: dict[str, Any] = {
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "message": "monitor.state_changed at 2026-11-23T06:24:43.881Z.",
    "warnings": [],
    **_DOWN,
}
EVENT_LIST: dict[str, Any] = {
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "object": "list",
    "message": "1 event.",
    "warnings": [],
    "data": [_DOWN],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/events",
}
