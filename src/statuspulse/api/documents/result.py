"""Results as callers read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statuspulse.domain.ids import result_id
from statuspulse.domain.maintenance import Stretch
from statuspulse.protocol.result_members import result_members
from statuspulse.storage.history import Seen


def result_document(seen: Seen, covered: Sequence[Stretch]) -> dict[str, Any]:
    """`covered` is the time in which maintenance windows have covered the monitor."""
    result = seen.result
    return {
        "object": "result",
        "id": result_id(result.monitor_id, result.region, result.scheduled_at),
        "monitor_id": result.monitor_id,
        "round": result.round,
        **result_members(result),
        "probe_id": seen.probe_id,
        "config_version": result.config_version,
        "in_maintenance": any(start <= result.scheduled_at < end for start, end in covered),
    }
