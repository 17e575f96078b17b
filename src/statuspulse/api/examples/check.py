"""Examples of looking once, now."""

from __future__ import annotations

from typing import Any

_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "warnings": []}

CHECK_RUN: dict[str, Any] = {
    "object": "check_run",
    **_ENVELOPE,
    "message": '"Checkout Service Gateway" is ok.',
    "id": "chk_01m83gs9k4r2t6w8y1a3c5e7g9",
    "monitor_id": "mon_4t6w8y2a",
    "started_at": "2026-11-23T06:21:10.112Z",
    "finished_at": "2026-11-23T06:21:10.402Z",
    "results": [
        {
            "object": "result",
            "id": "res_01m83gs9k4r2t6w8y1a3c5e7g9",
            "monitor_id": "mon_4t6w8y2a",
            "round": None,
            "kind": "manual",
            "scheduled_at": "2026-11-23T06:21:10.131Z",
            "lag_ms": 0.0,
            "region": "local",
            "probe_id": "prb_2d4f6h8j",
            "observed_at": "2026-11-23T06:21:10.313Z",
            "ok": True,
            "attempt": 1,
            "status_code": 200,
            "latency_ms": 181.2,
            "timings_ms": {"dns": 1.2, "connect": 20.1, "tls": 41.9, "ttfb": 117.3, "transfer": 0.4},
            "bytes": 15,
            "ip": "198.51.100.7",
            "tls": {"not_after": "2027-02-01T12:00:00.000Z", "days_left": 70, "version": "TLSv1.3"},
            "failure": None,
            "evidence": None,
            "config_version": 1,
            "in_maintenance": False,
        }
    ],
}
TEST_RUN: dict[str, Any] = {
    **CHECK_RUN,
    "message": '"Checkout Service Gateway" is not ok: probe_offline: no probe of region local is heard.',
    "monitor_id": None,
    "results": [
        {
            **CHECK_RUN["results"][0],
            "id": None,
            "monitor_id": None,
            "probe_id": None,
            "ok": None,
            "attempt": 0,
            "status_code": None,
            "latency_ms": None,
            "timings_ms": dict.fromkeys(("dns", "connect", "tls", "ttfb", "transfer")),
            "bytes": 0,
            "ip": None,
            "tls": None,
            "failure": {"class": "missed", "detail": "probe_offline: no probe of region local is heard"},
            "evidence": None,
            "config_version": None,
        }
    ],
}
