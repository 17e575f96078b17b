"""Results as callers read them."""

from __future__ import annotations

from typing import Any

from statuspulse.domain.ids import result_id
from statuspulse.protocol.result_members import result_members
from statuspulse.storage.history import Seen


def result_document(seen: Seen) -> dict[str, Any]:
    result = seen.result
    return {
        "object": "result",
        "id": result_id(result.monitor_id, result.region, result.scheduled_at),
        "monitor_id": result.monitor_id,
        "round": result.round,
        **result_members(result),
        "probe_id": seen.probe_id,
        "config_version": result.config_version,
        "in_maintenance": False,
    }
