"""Examples of the OpenAPI document: teams and members."""

from __future__ import annotations

from typing import Any

_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "message": "", "warnings": []}
_LIST: dict[str, Any] = {**_ENVELOPE, "object": "list", "has_more": False, "next_cursor": None}
_AT = "2026-11-23T06:20:00.412Z"

NEW_TEAM: dict[str, Any] = {"name": "Payments", "slug": "payments", "settings": {"status_default_window": "7d"}}
EDIT: dict[str, Any] = {"default_policy": "oncall_senior", "settings": {"require_preconditions": True}}
_SETTINGS: dict[str, Any] = {
    "require_preconditions": False,
    "lenient_references": True,
    "status_default_window": "7d",
    "reopen_window_seconds": 300,
    "fallback_channel": None,
}
_ITEM: dict[str, Any] = {
    "object": "team",
    "id": "team_6r8t2w4y",
    "team_id": "team_6r8t2w4y",
    "name": "Payments",
    "slug": "payments",
    "default_policy": None,
    "default_regions": ["local"],
    "timezone": "UTC",
    "settings": _SETTINGS,
    "version": 1,
    "created_at": _AT,
    "updated_at": _AT,
}
CREATED: dict[str, Any] = {
    **_ENVELOPE,
    **_ITEM,
    "message": 'Team "Payments" created; the text of its first token is shown this once.',
    "token": "sk_live_…",
}
TEAM: dict[str, Any] = {**_ENVELOPE, **_ITEM, "message": 'Team "Payments".'}
CHANGED: dict[str, Any] = {
    **TEAM,
    "message": 'Team "Payments" changed.',
    "default_policy": "oncall_senior",
    "version": 2,
    "settings": {**_SETTINGS, "require_preconditions": True},
}
TEAM_LIST: dict[str, Any] = {**_LIST, "message": "1 team.", "data": [_ITEM], "url": "/v1/teams"}
DELETED: dict[str, Any] = {
    **_ENVELOPE,
    "object": "team",
    "message": "Team team_6r8t2w4y deleted.",
    "id": "team_6r8t2w4y",
    "deleted": True,
}
_CONTACT = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***#nch_8k2m4p6q"
NEW_MEMBER: dict[str, Any] = {
    "email": "maya.rodriguez@acmecorp.com",
    "role": "responder",
    "contacts": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"],
}
_MEMBER: dict[str, Any] = {
    "object": "member",
    "id": "usr_3k5m7p9r",
    "user_id": "usr_3k5m7p9r",
    "team_id": "team_6r8t2w4y",
    "email": "maya.rodriguez@acmecorp.com",
    "role": "responder",
    "contacts": [_CONTACT],
    "created_at": _AT,
    "updated_at": _AT,
}
MEMBER: dict[str, Any] = {
    **_ENVELOPE,
    **_MEMBER,
    "message": "maya.rodriguez@acmecorp.com is a member of the team, as responder.",
}
MEMBER_LIST: dict[str, Any] = {
    **_LIST,
    "message": "1 member.",
    "data": [_MEMBER],
    "url": "/v1/teams/team_6r8t2w4y/members",
}
REMOVED: dict[str, Any] = {
    **_ENVELOPE,
    "object": "member",
    "message": "maya.rodriguez@acmecorp.com is no member of the team any more.",
    "id": "usr_3k5m7p9r",
    "deleted": True,
}
