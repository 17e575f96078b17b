"""Webhooks v3 of PagerDuty (support.pagerduty.com "Webhooks")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.domain.ids import is_id
from statuspulse.domain.integration import Change, Report
from statuspulse.engine.inbound.reading import instant, parsed, part, text, the_object

_CHANGES = {
    "incident.triggered": Change.TRIGGERED,
    "incident.acknowledged": Change.ACKNOWLEDGED,
    "incident.unacknowledged": Change.UNACKNOWLEDGED,
    "incident.resolved": Change.RESOLVED,
    "incident.reopened": Change.REOPENED,
    "incident.annotated": Change.NOTE,
}
_NOTE_LIMIT = 10_000


def read(_config: Mapping[str, Any], body: bytes) -> tuple[Report, ...]:
    """What a message tells, nothing for a kind that does not concern us; raises UnreadableError."""
    event = the_object(the_object(parsed(body), "the body").get("event"), "event")
    change = _CHANGES.get(str(event.get("event_type")))
    if change is None:
        return ()
    data = the_object(event.get("data"), "data")
    incident = part(data, "incident") if change is Change.NOTE else data
    external_id = text(incident, "id")
    if external_id is None:
        return ()
    author = _author(event)
    key = text(incident, "incident_key")
    return (
        Report(
            change=change,
            external_id=external_id,
            incident_id=key if key is not None and is_id(key, "inc") else None,
            url=text(incident, "html_url", 2048),
            author_id=None if author is None else text(author, "id"),
            author=None if author is None else text(author, "summary", 100),
            text=text(data, "content", _NOTE_LIMIT) if change is Change.NOTE else None,
            at=instant(event, "occurred_at"),
        ),
    )


def _author(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The person; services and integrations, and nobody at all, are machines."""
    agent = part(event, "agent")
    return agent if agent.get("type") in {"user_reference", "user"} else None
