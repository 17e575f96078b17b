"""Events about integrations: that an incident could not be kept in step with another system."""

from __future__ import annotations

from typing import Any

from statuspulse.domain.event import Event, EventType
from statuspulse.domain.integration import Operation, in_events
from statuspulse.storage.incident_summary import summary
from statuspulse.storage.incidents import Incident
from statuspulse.storage.integrations import Integration

_NAMES = {"pagerduty": "PagerDuty", "jira": "Jira"}


def failed(
    incident: Incident,
    integration: Integration,
    operation: Operation,
    at: int,
    *,
    attempts: int,
    is_final: bool,
    error: dict[str, Any],
) -> Event:
    """A provider refused, or has stayed away: `is_final` tells that it is not asked again by itself."""
    return Event(
        type=EventType.INCIDENT_SYNC_FAILED,
        team_id=incident.team_id,
        at=at,
        data={
            "incident": summary(incident),
            "integration_id": integration.id,
            "provider": integration.kind.value,
            "operation": in_events(integration.kind, operation),
            "attempts": attempts,
            "final": is_final,
            "last_error": error,
        },
        monitor_id=incident.monitor_id,
        incident_id=incident.id,
    )


def error_document(integration: Integration, code: str, status: int | None) -> dict[str, Any]:
    """Why it failed: a word, a sentence, and the status where there was an answer."""
    name = _NAMES.get(integration.kind.value, integration.kind.value)
    answered = "could not be reached" if status is None else f"answered {status}"
    why = "" if code == f"http_{status}" else f": {code}"
    return {"code": code, "message": f"{name} {answered}{why}", "http_status": status}
