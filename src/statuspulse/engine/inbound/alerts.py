"""Opens and ends the incidents that stand for alerts of other systems."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from sqlalchemy import Connection

from statuspulse.domain.actor import Actor
from statuspulse.domain.alert import AlertReport, dedup_key
from statuspulse.domain.incident import Move, ResolveReason
from statuspulse.domain.message import Facts
from statuspulse.domain.monitor import Severity
from statuspulse.engine.incidents import Opening, change, note_of, open_incident
from statuspulse.storage import alerts, incidents, integrations, policies
from statuspulse.storage.alerts import Alert
from statuspulse.storage.incidents import Incident
from statuspulse.storage.integrations import Integration

_SOURCE = "integration"


class Verdict(StrEnum):
    """What became of one alert."""

    OPENED = "opened"
    COUNTED = "counted"
    REPEATED = "repeated"
    RESOLVED = "resolved"
    NOTHING_TO_DO = "nothing_to_do"
    STALE = "stale"


def apply(
    connection: Connection, integration: Integration, report: AlertReport, now: int
) -> tuple[Verdict, str | None]:
    """What became of it, and the id of the incident; raises IncidentChangedError when someone else was faster."""
    known = alerts.get(connection, integration.id, report.fingerprint)
    if not report.is_firing:
        return _end(connection, integration, known, report, now)
    starts_at = _start(connection, integration, known, report, now)
    if known is not None and starts_at <= known.starts_at:
        if starts_at < known.starts_at:
            return Verdict.STALE, known.incident_id
        is_open = _open_one(connection, integration, known) is not None
        due_at = report.due_at if is_open else None
        alerts.save(connection, replace(known, due_at=due_at, seen_at=now))
        return Verdict.REPEATED, known.incident_id
    verdict, incident = _fire(connection, integration, report, starts_at, now)
    alert = Alert(
        integration_id=integration.id,
        fingerprint=report.fingerprint,
        incident_id=incident.id,
        starts_at=starts_at,
        due_at=report.due_at,
        seen_at=now,
    )
    alerts.save(connection, alert)
    return verdict, incident.id


def expire(connection: Connection, now: int, limit: int) -> list[tuple[Alert, bool]]:
    """Ends what its sender no longer repeats; answers each with whether an incident ended with it."""
    ended = []
    for alert in alerts.expired(connection, now, limit):
        alerts.end(connection, alert)
        integration = integrations.any_team_s(connection, alert.integration_id)
        incident = None if integration is None else _open_one(connection, integration, alert)
        if integration is not None and incident is not None:
            _resolve(connection, integration, incident, now)
        ended.append((alert, incident is not None))
    return ended


def _fire(
    connection: Connection, integration: Integration, report: AlertReport, starts_at: int, now: int
) -> tuple[Verdict, Incident]:
    """Fires anew: the open incident with its key counts it, else there is one from now on."""
    actor, key = _actor(integration), dedup_key(report.fingerprint)
    held = incidents.open_with_key(connection, integration.team_id, key, None)
    if held:
        return Verdict.COUNTED, change(connection, held[0], Move.DEDUPLICATE, actor, now, facts=Facts())
    text = _text(report)
    opening = Opening(
        team_id=integration.team_id,
        title=report.title,
        severity=_severity(integration, report),
        source=_SOURCE,
        # The sender's clock may be ahead of ours; the future has not happened.
        triggered_at=min(starts_at, now),
        dedup_key=key,
        policy=policies.default_slug(connection, integration.team_id),
        note=None if text is None else note_of(actor, now, text),
    )
    return Verdict.OPENED, open_incident(connection, opening, actor, now, Facts(note=text))


def _end(
    connection: Connection, integration: Integration, known: Alert | None, report: AlertReport, now: int
) -> tuple[Verdict, str | None]:
    if known is None:
        return Verdict.NOTHING_TO_DO, None
    if report.starts_at is not None and report.starts_at < known.starts_at:
        return Verdict.STALE, known.incident_id
    alerts.save(connection, replace(known, due_at=None, seen_at=now))
    incident = _open_one(connection, integration, known)
    if incident is None:
        return Verdict.NOTHING_TO_DO, known.incident_id
    _resolve(connection, integration, incident, now)
    return Verdict.RESOLVED, incident.id


def _resolve(connection: Connection, integration: Integration, incident: Incident, now: int) -> None:
    told = incident.escalation.facts
    facts = replace(Facts() if told is None else Facts.of(told), note=None)
    actor = _actor(integration)
    change(connection, incident, Move.RESOLVE, actor, now, facts=facts, reason=ResolveReason.INTEGRATION)


def _start(connection: Connection, integration: Integration, known: Alert | None, report: AlertReport, now: int) -> int:
    """When it began to fire; who leaves that open speaks of the firing that is known, as long as it is not over."""
    if report.starts_at is not None:
        return report.starts_at
    is_going_on = known is not None and _open_one(connection, integration, known) is not None
    return known.starts_at if known is not None and is_going_on else now


def _open_one(connection: Connection, integration: Integration, alert: Alert) -> Incident | None:
    incident = incidents.get(connection, integration.team_id, alert.incident_id)
    return incident if incident is not None and incident.is_open else None


def _severity(integration: Integration, report: AlertReport) -> Severity:
    mapped = integration.config["severity_map"].get(report.severity or "", Severity.ERROR.value)
    return Severity(mapped)


def _text(report: AlertReport) -> str | None:
    lines = [report.text]
    lines.append(None if report.runbook_url is None else f"Runbook: {report.runbook_url}")
    lines.append(None if report.link is None else f"Source: {report.link}")
    return "\n".join(line for line in lines if line) or None


def _actor(integration: Integration) -> Actor:
    return Actor("integration", integration.id, integration.name)
