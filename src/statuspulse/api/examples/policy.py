"""Examples of the OpenAPI document: escalation policies as they are made and tried."""

from __future__ import annotations

from typing import Any

from statuspulse.api.examples.common import POLICY

_STEPS: list[dict[str, Any]] = [
    {"delay_seconds": 0, "targets": [{"type": "monitor_notifications"}]},
    {"delay_seconds": 300, "targets": [{"type": "monitor_notifications"}]},
]
REQUEST: dict[str, Any] = {
    "slug": "night",
    "name": "Night shift",
    "steps": _STEPS,
    "repeat": {"count": 2, "delay_seconds": 900},
    "ack_timeout_seconds": 1800,
}
CREATED: dict[str, Any] = {
    **POLICY,
    "message": 'Escalation policy "Night shift" created.',
    "slug": "night",
    "name": "Night shift",
    "auto_created": False,
    "steps": [
        {
            "delay_seconds": delay,
            "targets": [{"type": "monitor_notifications", "id": None}],
            "only_between": None,
        }
        for delay in (0, 300)
    ],
    "ack_timeout_seconds": 1800,
}
CHANGED: dict[str, Any] = {
    **CREATED,
    "message": 'Escalation policy "Night shift" changed.',
    "repeat": {"count": 3, "delay_seconds": 600},
    "version": 2,
}
DELETED: dict[str, Any] = {
    "object": "escalation_policy",
    "request_id": POLICY["request_id"],
    "message": 'Escalation policy "Night shift" deleted.',
    "warnings": [],
    "id": POLICY["id"],
    "deleted": True,
}
REHEARSAL: dict[str, Any] = {
    "object": "escalation_test",
    "request_id": POLICY["request_id"],
    "message": "1 channel would be told in 2 steps; nobody was.",
    "warnings": [],
    "policy": "night",
    "steps": [
        {
            "step": step,
            "repeat": 0,
            "at": at,
            "channels": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***#nch_8k2m4p6q"],
        }
        for step, at in ((0, "2026-11-23T06:20:00.412Z"), (1, "2026-11-23T06:25:00.412Z"))
    ],
}
