"""Examples of the OpenAPI document: tokens and the principal of a call."""

from __future__ import annotations

from typing import Any

_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "message": "", "warnings": []}
_AT = "2026-11-23T06:20:00.412Z"
_TEAM = "team_1a2b3c4d"

NEW_TOKEN: dict[str, Any] = {
    "name": "deploy pipeline",
    "scopes": ["monitors:write", "incidents:read"],
    "expires_at": "2027-05-01T00:00:00Z",
    "ip_allowlist": ["192.0.2.0/24"],
}
_ITEM: dict[str, Any] = {
    "object": "token",
    "id": "tok_5n7q9s2v",
    "team_id": _TEAM,
    "team_ids": [_TEAM],
    "name": "deploy pipeline",
    "prefix": "sk_live_",
    "last4": "wXyZ",
    "scopes": ["monitors:write", "incidents:read"],
    "ip_allowlist": ["192.0.2.0/24"],
    "expires_at": "2027-05-01T00:00:00.000Z",
    "last_used_at": None,
    "last_used_ip": None,
    "revoked_at": None,
    "created_at": _AT,
    "updated_at": _AT,
}
ISSUED: dict[str, Any] = {
    **_ENVELOPE,
    **_ITEM,
    "message": 'Token "deploy pipeline" created; its text is shown this once.',
    "token": "sk_live_…",
}
ROTATED: dict[str, Any] = {
    **ISSUED,
    "message": "Token tok_5n7q9s2v rotated; the secret of before works until 2026-11-23T07:20:00.412Z.",
}
TOKEN: dict[str, Any] = {
    **_ENVELOPE,
    **_ITEM,
    "message": 'Token "deploy pipeline".',
    "last_used_at": _AT,
    "last_used_ip": "192.0.2.17",
}
TOKEN_LIST: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "1 token.",
    "data": [_ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/tokens",
}
REVOKED: dict[str, Any] = {
    **_ENVELOPE,
    "object": "token",
    "message": "Token tok_5n7q9s2v revoked.",
    "id": "tok_5n7q9s2v",
    "deleted": True,
}
PRINCIPAL: dict[str, Any] = {
    **_ENVELOPE,
    "object": "principal",
    "message": 'Token "deploy pipeline" of team acme.',
    "token_id": "tok_5n7q9s2v",
    "name": "deploy pipeline",
    "team_id": _TEAM,
    "team_slug": "acme",
    "team_ids": [_TEAM],
    "scopes": ["incidents:read", "monitors:read", "monitors:write", "status:read"],
    "expires_at": "2027-05-01T00:00:00.000Z",
    "ip": "192.0.2.17",
    "rate_limits": [
        {"policy": "api", "quota": 600, "window_seconds": 60, "remaining": 598},
        {"policy": "writes", "quota": 120, "window_seconds": 60, "remaining": 120},
        {"policy": "incidents", "quota": 120, "window_seconds": 60, "remaining": 120},
    ],
}
