"""Maintenance windows as the documents that answers have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statuspulse.catalog.maintenance import facts, next_of
from statuspulse.domain.maintenance import Occurrence
from statuspulse.domain.times import to_text
from statuspulse.storage.maintenance import Window


def window_document(window: Window, monitor_id: str | None, joined: Sequence[str], now: int) -> dict[str, Any]:
    """`monitor_id` is the monitor that it is a part of, `joined` are those that joined it."""
    members = facts(window)
    if monitor_id is not None:
        members["monitors"] = {"ids": [monitor_id]}
    active, upcoming, last = window.active_at(now), next_of(window, now), window.schedule.last_over(now)
    return {
        "object": "maintenance_window",
        "id": window.id,
        "team_id": window.team_id,
        **members,
        "monitor_id": monitor_id,
        "joined_monitor_ids": list(joined),
        "status": window.status_at(now).value,
        "active_occurrence": None if active is None else occurrence_document(active),
        "next_occurrence": None if upcoming is None else occurrence_document(upcoming),
        "last_occurrence": None if last is None else occurrence_document(last),
        "version": window.version,
        "created_at": to_text(window.created_at),
        "updated_at": to_text(window.updated_at),
    }


def occurrence_document(occurrence: Occurrence) -> dict[str, str]:
    return {"start_at": to_text(occurrence.start), "end_at": to_text(occurrence.end)}
