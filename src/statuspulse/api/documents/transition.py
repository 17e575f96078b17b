"""Transitions as callers read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.domain.times import to_text
from statuspulse.storage.transitions import Recorded

_OBSERVED = ("region", "standing", "observed_at", "ok", "status_code", "latency_ms", "failure")


def transition_document(recorded: Recorded) -> dict[str, Any]:
    transition, ended_at = recorded.transition, recorded.ended_at
    begun = transition.first_observed_at
    return {
        "object": "transition",
        "state_seq": recorded.seq,
        "state": transition.state.value,
        "previous_state": transition.previous_state.value,
        "health": transition.health.value,
        "previous_health": transition.previous_health.value,
        "changed_at": to_text(transition.changed_at),
        "first_observed_at": to_text(begun),
        # One that begins earlier takes the place of this one in history.
        "duration_seconds": None if ended_at is None else max(0, ended_at - begun) / 1000,
        "reason": transition.reason.value,
        "incident_id": transition.incident_id,
        "maintenance_window_id": transition.window_id,
        "evidence": [_observation(seen) for seen in transition.evidence],
    }


def _observation(seen: Mapping[str, Any]) -> dict[str, Any]:
    return {name: seen[name] for name in _OBSERVED}
