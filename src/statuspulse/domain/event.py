"""What happened: the events as they are kept, streamed and sent to webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from statuspulse.domain.actor import Origin
from statuspulse.domain.times import to_text

# Of the data of one event, in bytes of JSON; its head takes less than 1 kB more, so that all of it stays under 20 kB.
DATA_LIMIT = 19_000
MOST_OBSERVATIONS = 16
MOST_REGIONS = 64
MOST_CHANGES = 100


class EventType(StrEnum):
    """Everything that may be told of, in the past tense."""

    MONITOR_CREATED = "monitor.created"
    MONITOR_UPDATED = "monitor.updated"
    MONITOR_DELETED = "monitor.deleted"
    MONITOR_PAUSED = "monitor.paused"
    MONITOR_RESUMED = "monitor.resumed"
    MONITOR_STATE_CHANGED = "monitor.state_changed"
    MONITOR_TLS_EXPIRING = "monitor.tls_expiring"
    MONITOR_FLAPPING_STARTED = "monitor.flapping_started"
    MONITOR_FLAPPING_ENDED = "monitor.flapping_ended"
    INCIDENT_TRIGGERED = "incident.triggered"
    INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
    INCIDENT_UNACKNOWLEDGED = "incident.unacknowledged"
    INCIDENT_ESCALATED = "incident.escalated"
    INCIDENT_REASSIGNED = "incident.reassigned"
    INCIDENT_NOTE_ADDED = "incident.note_added"
    INCIDENT_RESOLVED = "incident.resolved"
    INCIDENT_REOPENED = "incident.reopened"
    INCIDENT_SYNC_FAILED = "incident.sync_failed"
    SLA_AT_RISK = "sla.at_risk"
    SLA_BREACHED = "sla.breached"
    SLA_RECOVERED = "sla.recovered"
    MAINTENANCE_SCHEDULED = "maintenance.scheduled"
    MAINTENANCE_STARTED = "maintenance.started"
    MAINTENANCE_ENDED = "maintenance.ended"
    MAINTENANCE_CANCELLED = "maintenance.cancelled"
    NOTIFICATION_FAILED = "notification.failed"
    PROBE_OFFLINE = "probe.offline"
    PROBE_ONLINE = "probe.online"
    INSTANCE_FAULT = "instance.fault"
    INSTANCE_RECOVERED = "instance.recovered"
    ENDPOINT_DISABLED = "endpoint.disabled"
    ENDPOINT_PING = "endpoint.ping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a team at an instant (ms). `origin` is the call that did it, None without one.

    `monitor_id` and `incident_id` are those that lists are narrowed by. `data` is as `events.schema.json` has it.
    """

    type: EventType
    team_id: str
    at: int
    data: Mapping[str, Any] = field(repr=False)
    monitor_id: str | None = None
    incident_id: str | None = None
    origin: Origin | None = None

    def document(self, event_id: str) -> dict[str, Any]:
        """The JSON that everybody gets; what is too long in it gives way, observations first."""
        origin = self.origin
        request = None
        if origin is not None:
            request = {"id": origin.request_id, "idempotency_key": origin.idempotency_key}
        return {
            "object": "event",
            "id": event_id,
            "type": self.type.value,
            "api_version": "v1",
            "timestamp": to_text(self.at),
            "team_id": self.team_id,
            "data": fitted(self.data),
            "request": request,
        }


def fitted(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same within the limit: observations go first, then the largest of the former values, then half a note."""
    kept = dict(data)
    while _size(kept) > DATA_LIMIT:
        if kept.get("observations"):
            kept["observations"] = kept["observations"][:-1]
        elif kept.get("previous"):
            largest = max(kept["previous"], key=lambda name: _size(kept["previous"][name]))
            kept["previous"] = {name: value for name, value in kept["previous"].items() if name != largest}
        elif kept.get("changed"):
            kept["changed"] = kept["changed"][: len(kept["changed"]) // 2]
        elif len((kept.get("note") or {}).get("text", "")) > 1:
            text = kept["note"]["text"]
            kept["note"] = {**kept["note"], "text": text[: len(text) // 2]}
        else:
            return kept
    return kept


def _size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
