"""Examples of regions and probes."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-23T06:20:00.412Z"
_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "warnings": []}

_PROBE: dict[str, Any] = {
    "object": "probe",
    "id": "prb_2d4f6h8j",
    "team_id": None,
    "name": "fra-1",
    "region": "eu-west",
    "status": "online",
    "blind": [],
    "version": "0.1.0",
    "last_seen_at": "2026-11-23T06:24:41.779Z",
    "clock_skew_ms": -3,
    "capacity": 1000,
    "assigned": 118,
    "ip": "198.51.100.23",
    "config_version": 1,
    "created_at": _AT,
    "updated_at": _AT,
}
_UNHEARD: dict[str, Any] = {
    **_PROBE,
    "status": "offline",
    "version": None,
    "last_seen_at": None,
    "clock_skew_ms": None,
    "capacity": None,
    "assigned": 0,
    "ip": None,
}
PROBE: dict[str, Any] = {**_PROBE, **_ENVELOPE, "message": 'Probe "fra-1" of region eu-west is online.'}
DRAINING: dict[str, Any] = {
    **_PROBE,
    **_ENVELOPE,
    "message": 'Probe "fra-1" of region eu-west is draining.',
    "status": "draining",
    "assigned": 0,
    "config_version": 2,
}
CREATED: dict[str, Any] = {
    **_UNHEARD,
    **_ENVELOPE,
    "message": 'Probe "fra-1" of region eu-west created; its key is shown once.',
    "key": "prb_live_…",
}
ROTATED: dict[str, Any] = {
    **_PROBE,
    **_ENVELOPE,
    "message": "The new key is shown once; the old one is good for 3600 more seconds.",
    "config_version": 2,
    "key": "prb_live_…",
}
DELETED: dict[str, Any] = {
    "object": "probe",
    **_ENVELOPE,
    "message": "Probe prb_2d4f6h8j deleted.",
    "id": "prb_2d4f6h8j",
    "deleted": True,
}
PROBE_LIST: dict[str, Any] = {
    "object": "list",
    **_ENVELOPE,
    "message": "1 probe.",
    "data": [_PROBE],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/probes",
}
REGION_LIST: dict[str, Any] = {
    "object": "list",
    **_ENVELOPE,
    "message": "1 region.",
    "data": [
        {
            "object": "region",
            "slug": "eu-west",
            "name": "Frankfurt",
            "probes_online": 2,
            "probes_total": 2,
            "default": False,
            "team_id": None,
            "created_at": _AT,
        }
    ],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/regions",
}
