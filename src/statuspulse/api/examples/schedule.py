"""Examples of the OpenAPI document: on-call schedules."""

from __future__ import annotations

from typing import Any

_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "message": "", "warnings": []}
_AT = "2026-11-23T06:20:00.412Z"
_MAYA = "maya.rodriguez@acmecorp.com"

REQUEST: dict[str, Any] = {
    "name": "Primary",
    "timezone": "America/New_York",
    "rotation": "weekly",
    "handoff": "09:00",
    "starts_on": "2026-11-16",
    "members": [_MAYA],
}
_ITEM: dict[str, Any] = {
    "object": "schedule",
    "id": "sch_4k6m8p2r",
    "team_id": "team_1a2b3c4d",
    **REQUEST,
    "overrides": [],
    "version": 1,
    "created_at": _AT,
    "updated_at": _AT,
}
SCHEDULE: dict[str, Any] = {**_ENVELOPE, **_ITEM, "message": 'Schedule "Primary".'}
CREATED: dict[str, Any] = {**SCHEDULE, "message": 'Schedule "Primary" created.'}
LIST: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "1 schedule.",
    "data": [_ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/schedules",
}
DELETED: dict[str, Any] = {
    **_ENVELOPE,
    "object": "schedule",
    "message": 'Schedule "Primary" deleted.',
    "id": "sch_4k6m8p2r",
    "deleted": True,
}
ON_CALL: dict[str, Any] = {
    **_ENVELOPE,
    "object": "on_call",
    "message": f"{_MAYA} is on call.",
    "schedule_id": "sch_4k6m8p2r",
    "at": _AT,
    "member": _MAYA,
    "user_id": "usr_3k5m7p9r",
    "next_handoff_at": "2026-11-23T14:00:00.000Z",
}
