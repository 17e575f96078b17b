"""Examples of explanations."""

from __future__ import annotations

from typing import Any

from statuspulse.api.examples.transition import TRANSITION

_FAILURE = {"class": "status_mismatch", "detail": "got 503, expected 200"}
_PARTIAL = {**TRANSITION, "state_seq": 181, "state": "degraded", "previous_state": "up", "incident_id": None}
_GOES_DOWN = "It goes down after one more failure from eu-west, which by schedule is at 2026-11-23T06:20:31.879Z."
_RULES = (
    "A region fails after 2 failed results in a row and passes again after 2 good ones in a row; "
    "the quorum is majority of the regions that may vote."
)
_EU_WEST = (
    "eu-west passes, with 1 failed result so far: its last check, at 2026-11-23T06:20:03.404Z, failed "
    "(status_mismatch: got 503, expected 200)."
)
EXPLANATION: dict[str, Any] = {
    "object": "explanation",
    "request_id": "req_01m83gyc7t9w2y4a6c8e0g2j4k",
    "message": "Checkout Service Gateway is degraded (partial: failing in us-east, 1 of 2).",
    "warnings": [],
    "monitor_id": "mon_9x2k4p7q",
    "state": "degraded",
    "health": "degraded",
    "since": "2026-11-23T06:20:08.104Z",
    "state_seq": 181,
    "stale": False,
    "sentences": [
        "Checkout Service Gateway is degraded (partial: failing in us-east, 1 of 2).",
        "That was decided at 2026-11-23T06:20:08.104Z; what was seen began at 2026-11-23T06:19:01.879Z.",
        _RULES,
        "us-east fails: its last check, at 2026-11-23T06:20:07.902Z, failed (status_mismatch: got 503, expected 200).",
        _EU_WEST,
        "2 of 2 regions may vote: 1 fails, 1 passes; down takes 2 failing, and its end 2 passing.",
        _GOES_DOWN,
        "Without reports from enough regions it is unknown from 2026-11-23T06:21:37.902Z on.",
    ],
    "rules": {
        "interval_seconds": 30,
        "timeout_ms": 10000,
        "failure_threshold": 2,
        "recovery_threshold": 2,
        "vote_lifetime_seconds": 70.0,
        "unknown_after_seconds": 90.0,
    },
    "regions": [
        {
            "region": "us-east",
            "standing": "failing",
            "eligible": True,
            "why": "its last verdict is 8.5 s old and counts through 2026-11-23T06:21:11.879Z",
            "votes_until": "2026-11-23T06:21:11.879Z",
            "streak": {"failures": 2, "successes": 0, "since": "2026-11-23T06:19:31.879Z"},
            "last_result": {
                "scheduled_at": "2026-11-23T06:20:01.879Z",
                "observed_at": "2026-11-23T06:20:07.902Z",
                "ok": False,
                "latency_ms": 211.4,
                "failure": _FAILURE,
            },
        },
        {
            "region": "eu-west",
            "standing": "passing",
            "eligible": True,
            "why": "its last verdict is 8.5 s old and counts through 2026-11-23T06:21:11.879Z",
            "votes_until": "2026-11-23T06:21:11.879Z",
            "streak": {"failures": 1, "successes": 0, "since": "2026-11-23T06:20:01.879Z"},
            "last_result": {
                "scheduled_at": "2026-11-23T06:20:01.879Z",
                "observed_at": "2026-11-23T06:20:03.404Z",
                "ok": False,
                "latency_ms": 187.0,
                "failure": _FAILURE,
            },
        },
    ],
    "quorum": {
        "rule": "majority",
        "configured": 2,
        "eligible": 2,
        "decides": True,
        "failing": 1,
        "passing": 1,
        "need": 2,
        "need_to_recover": 2,
    },
    "heartbeat": None,
    "maintenance": {"active": False, "window_id": None, "until": None, "next_start_at": None},
    "depends_on": [],
    "active_incident": None,
    "next_decision": {
        "unknown_at": "2026-11-23T06:21:37.902Z",
        "changes": [
            {
                "state": "down",
                "needed": [{"region": "eu-west", "ok": False, "results": 1}],
                "scheduled_at": "2026-11-23T06:20:31.879Z",
                "sentence": _GOES_DOWN,
            }
        ],
    },
    "missed": [
        {
            "region": "eu-west",
            "from_at": "2026-11-23T02:10:01.879Z",
            "to_at": "2026-11-23T02:14:31.879Z",
            "count": 10,
            "reason": "spool_overflow",
        }
    ],
    "transitions": [_PARTIAL],
    "config_version": 2,
    "generated_at": "2026-11-23T06:20:10.412Z",
}

_GOES_LATE = "It goes down unless a ping comes by 2026-11-24T01:15:00.000Z."
OF_A_HEARTBEAT: dict[str, Any] = {
    **EXPLANATION,
    "message": "Nightly backup is up.",
    "state": "up",
    "health": "up",
    "since": "2026-11-22T01:04:11.020Z",
    "state_seq": 2,
    "sentences": [
        "Nightly backup is up.",
        "It has been so since 2026-11-22T01:04:11.020Z.",
        "It owes a ping at 0 2 * * * (Europe/Berlin) and may be 900 s late.",
        "Its last ping came at 2026-11-23T01:04:09.471Z; the next one is expected at 2026-11-24T01:00:00.000Z.",
        _GOES_LATE,
    ],
    "rules": None,
    "regions": [],
    "quorum": None,
    "heartbeat": {
        "last_ping_at": "2026-11-23T01:04:09.471Z",
        "running_since": None,
        "expected_at": "2026-11-24T01:00:00.000Z",
        "due_at": "2026-11-24T01:15:00.000Z",
        "failure": None,
    },
    "next_decision": {
        "unknown_at": None,
        "changes": [
            {"state": "down", "needed": [], "scheduled_at": "2026-11-24T01:15:00.000Z", "sentence": _GOES_LATE}
        ],
    },
    "missed": [],
    "transitions": [],
}
