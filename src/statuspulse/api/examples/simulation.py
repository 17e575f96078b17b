"""Examples of simulations."""

from __future__ import annotations

from typing import Any

REQUESTS: dict[str, Any] = {
    "third_failure": {"from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z", "failure_threshold": 3},
    "every_second_turn": {"interval_seconds": 60, "regions": ["us-east"], "quorum": "any"},
}
_CHANGES = [
    ("up", "down", "2026-11-22T06:20:31.604Z", "2026-11-22T06:20:00.000Z"),
    ("down", "up", "2026-11-22T06:28:02.118Z", "2026-11-22T06:27:30.000Z"),
]
_SIMULATED = [
    ("up", "down", "2026-11-22T06:21:11.604Z", "2026-11-22T06:20:00.000Z"),
    ("down", "up", "2026-11-22T06:28:01.918Z", "2026-11-22T06:27:30.000Z"),
]


def _account(changes: list[tuple[str, str, str, str]], duration: float) -> dict[str, Any]:
    return {
        "transitions": [
            {
                "state": state,
                "previous_state": before,
                "changed_at": changed_at,
                "first_observed_at": begun,
                "reason": "probe_result",
            }
            for before, state, changed_at, begun in changes
        ],
        "transition_count": 2,
        "incidents": [
            {"opened_at": changes[0][2], "resolved_at": changes[1][2], "duration_seconds": duration, "pages": 1}
        ],
        "incident_count": 1,
        "pages": 1,
        "notifications": 2,
        "uptime_pct": 99.4791,
        "coverage_pct": 100.0,
        "up_seconds": 85950.0,
        "degraded_seconds": 0.0,
        "downtime_seconds": 450.0,
        "unknown_seconds": 0.0,
    }


SIMULATION: dict[str, Any] = {
    "object": "simulation",
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "message": (
        "With failure_threshold 3 you would have been paged 1 time, as you were; "
        "the longest outage would have been noticed 40 s later."
    ),
    "warnings": [],
    "monitor_id": "mon_9x2k4p7q",
    "window": {"start_at": "2026-11-22T00:00:00.000Z", "end_at": "2026-11-23T00:00:00.000Z", "cut": None},
    "results": 2920,
    "config": {
        "interval_seconds": 30,
        "regions": ["us-east"],
        "quorum": "majority",
        "failure_threshold": 3,
        "recovery_threshold": 2,
        "degraded_latency_ms": None,
        "region_strategy": "parallel",
    },
    "changed": ["failure_threshold"],
    "longest_outage": {
        "opened_at": "2026-11-22T06:20:31.604Z",
        "resolved_at": "2026-11-22T06:28:02.118Z",
        "duration_seconds": 450.514,
        "pages": 1,
        "noticed_later_seconds": 40.0,
    },
    "actual": _account(_CHANGES, 450.514),
    "simulated": _account(_SIMULATED, 410.314),
}
