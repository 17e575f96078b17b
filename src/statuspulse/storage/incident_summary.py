"""An incident as events show it: what it is after the change that is told of."""

from __future__ import annotations

from typing import Any

from statuspulse.domain.times import to_text
from statuspulse.storage.incidents import Incident


def summary(incident: Incident) -> dict[str, Any]:
    """The `incident` of `events.schema.json`."""
    return {
        "object": "incident",
        "id": incident.id,
        "number": incident.number,
        "version": incident.version,
        "title": incident.title,
        "state": incident.state.value,
        "severity": incident.severity.value,
        "source": incident.source,
        "monitor_id": incident.monitor_id,
        "dedup_key": incident.dedup_key,
        "team_id": incident.team_id,
        "assignee": incident.assignee,
        "escalation_policy": incident.policy,
        "escalation_step": None if incident.escalation.rules is None else incident.escalation.progress.at.step,
        "triggered_at": to_text(incident.triggered_at),
        "acknowledged_at": _time_or_none(incident.acknowledged_at),
        "acknowledged_by": None if incident.acknowledged_by is None else incident.acknowledged_by.document(),
        "resolved_at": _time_or_none(incident.resolved_at),
        "resolved_by": None if incident.resolved_by is None else incident.resolved_by.document(),
        "external_ids": {provider: link["id"] for provider, link in incident.external_ids.items()},
        "api_url": f"/v1/incidents/{incident.id}",
    }


def _time_or_none(at: int | None) -> str | None:
    return None if at is None else to_text(at)
