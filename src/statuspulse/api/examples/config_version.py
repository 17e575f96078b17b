"""Examples of answers with versions of a configuration."""

from __future__ import annotations

from typing import Any

from statuspulse.api.examples.common import CONFIG

_ACTOR: dict[str, Any] = CONFIG["updated_by"]
VERSION_LIST: dict[str, Any] = {
    "object": "list",
    "request_id": CONFIG["request_id"],
    "message": "2 versions.",
    "warnings": [],
    "data": [
        {
            "object": "config_version",
            "config_version": 2,
            "updated_at": "2026-11-23T07:02:41.090Z",
            "updated_by": _ACTOR,
            "changed": ["/timeout_ms"],
        },
        {
            "object": "config_version",
            "config_version": 1,
            "updated_at": "2026-11-23T06:20:00.412Z",
            "updated_by": _ACTOR,
            "changed": [],
        },
    ],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/monitors/mon_4t6w8y2a/config/versions",
}
ROLLED_BACK: dict[str, Any] = {
    **CONFIG,
    "message": "Configuration 4 applied.",
    "config_version": 4,
    "changed": ["/timeout_ms"],
}
