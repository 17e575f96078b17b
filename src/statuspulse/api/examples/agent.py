"""Examples of the agent protocol."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-23T06:20:04.112Z"
_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "warnings": []}

ASSIGNMENTS: dict[str, Any] = {
    "object": "assignments",
    **_ENVELOPE,
    "message": "Assignments 12 of region local.",
    "version": 12,
    "base": None,
    "region": "local",
    "probe_id": "prb_2d4f6h8j",
    "monitors": [
        {
            "monitor_id": "mon_4t6w8y2a",
            "team_id": "team_1a2b3c4d",
            "config_version": 1,
            "type": "http",
            "interval_seconds": 30,
            "timeout_ms": 10000,
            "retry": {"count": 1, "delay_ms": 1000},
            "region_index": 0,
            "region_count": 1,
            "region_strategy": "parallel",
            "spec": {
                "url": "https://api.acmecorp.com/v2/health",
                "method": "GET",
                "headers": [],
                "secret_headers": [],
                "body": None,
                "authorization": None,
                "expected_status": [[200, 200]],
                "follow_redirects": True,
                "max_redirects": 5,
                "http_version": "auto",
                "ip_version": "auto",
                "tls": {"verify": True, "expiry_warn_days": 14, "server_name": None},
                "max_body_bytes": 1048576,
                "assertions": [],
            },
        }
    ],
    "removed": [],
    "policy": ["link-local", "metadata", "never"],
    "heartbeat_seconds": 5,
    "server_time": _AT,
    "committed_through": 41,
    "jobs": [
        {
            "job_id": "chk_01m83gs9k4r2t6w8y1a3c5e7g9",
            "kind": "run_now",
            "monitor_id": "mon_4t6w8y2a",
            "config_version": 1,
            "type": "tcp",
            "spec": {"host": "198.51.100.7", "port": 5432},
            "timeout_ms": 10000,
            "not_before": _AT,
            "deadline_at": "2026-11-23T06:20:09.112Z",
        }
    ],
    "members": ["prb_2d4f6h8j", "prb_7k9m1n3p"],
    "epoch": 1795414804112,
}
RESULTS: dict[str, Any] = {
    "sent_at": _AT,
    "dropped_through": None,
    "results": [
        {
            "seq": 42,
            "kind": "scheduled",
            "monitor_id": "mon_4t6w8y2a",
            "round": 59847170,
            "scheduled_at": "2026-11-23T06:20:03.881Z",
            "lag_ms": 0.8,
            "observed_at": "2026-11-23T06:20:04.063Z",
            "ok": True,
            "status_code": 200,
            "latency_ms": 181.2,
            "timings_ms": {"dns": 1.2, "connect": 20.1, "tls": 41.9, "ttfb": 117.3, "transfer": 0.4},
            "bytes": 15,
            "ip": "198.51.100.7",
            "config_version": 1,
        }
    ],
}
RECEIPT: dict[str, Any] = {
    "object": "results_receipt",
    **_ENVELOPE,
    "message": "1 accepted, 0 known, 0 rejected.",
    "accepted": 1,
    "duplicates": 0,
    "rejected": [],
    "committed_through": 42,
}
HEARTBEAT: dict[str, Any] = {
    "clock": _AT,
    "boot_id": "9f2c41d07b6e4c0f",
    "version": "0.1.0",
    "assignments_version": 12,
    "assignments_digest": "05c89e4f1f722bc7",
    "capacity": 1000,
    "load": {"due": 0, "in_flight": 3, "lag_p99_ms": 2.1, "loop_lag_p99_ms": 0.9, "cpu_pct": 4.0, "overdue_ms": 0.0},
    "spool": {"depth": 3, "oldest_at": _AT, "dropped_total": 0},
}
HEARTBEAT_ANSWER: dict[str, Any] = {
    "object": "heartbeat",
    **_ENVELOPE,
    "message": "Probe prb_2d4f6h8j is heard.",
    "server_time": _AT,
    "assignments_version": 12,
    "committed_through": 42,
    "draining": False,
}
KEY: dict[str, Any] = {
    "object": "probe_key",
    **_ENVELOPE,
    "message": "The new key is shown once; the old one ends with its first use.",
    "id": "prb_2d4f6h8j",
    "key": "prb_live_…",
}
