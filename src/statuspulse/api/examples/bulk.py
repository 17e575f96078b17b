"""Examples of one action on many monitors."""

from __future__ import annotations

from typing import Any

REQUESTS: dict[str, Any] = {
    "by_id": {"action": "pause", "ids": ["mon_4t6w8y2a", "mon_9x2k4p7q", "mon_3d5f7h9k"]},
    "by_filter": {"action": "tag", "filter": {"type": "http", "tags": ["prod"]}, "tags": ["team:checkout"]},
}
PAUSED: dict[str, Any] = {
    "object": "bulk_result",
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "message": "pause: 1 done, 1 unchanged, 1 failed.",
    "warnings": [],
    "action": "pause",
    "done": 1,
    "unchanged": 1,
    "failed": 1,
    "data": [
        {"monitor_id": "mon_4t6w8y2a", "outcome": "done", "error": None},
        {"monitor_id": "mon_9x2k4p7q", "outcome": "unchanged", "error": None},
        {
            "monitor_id": "mon_3d5f7h9k",
            "outcome": "failed",
            "error": {"code": "resource_missing", "message": "There is no such object."},
        },
    ],
}
