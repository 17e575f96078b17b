"""Objectives and their reports as the documents that answers have, and as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.api.documents.monitor import time_or_null
from statuspulse.domain.budget import Account
from statuspulse.domain.slo import Period
from statuspulse.domain.times import SECOND, to_datetime, to_text
from statuspulse.engine.slo_reports import Costly, Report, SloStatus, Stand
from statuspulse.storage.slos import Slo

_CLAIMS = {
    SloStatus.MET: "is met",
    SloStatus.AT_RISK: "is at risk",
    SloStatus.BREACHED: "is breached",
    SloStatus.NO_DATA: "has no data",
}


def slo_document(stood: Stand, masked: Mapping[str, str]) -> dict[str, Any]:
    """`masked` holds the URLs of channels by their ids, as answers show them."""
    slo, held = stood.slo, stood.account
    return {
        "object": "slo",
        "id": slo.id,
        "team_id": slo.team_id,
        "name": slo.name,
        "monitor_id": slo.monitor_id,
        "tags": list(slo.tags),
        "kind": slo.kind.value,
        "objective_pct": slo.objective_pct,
        "latency_threshold_ms": slo.latency_threshold_ms,
        "window": slo.window.value,
        "timezone": slo.timezone,
        "alerting": dict(slo.alerting),
        "notify": [masked[channel_id] for channel_id in slo.notify if channel_id in masked],
        "of_config": slo.of_config,
        "status": stood.status.value,
        "burning": stood.burning,
        "breached_at": time_or_null(slo.course.breached_at),
        "budget": {
            "period_start": to_text(stood.period.start),
            "period_end": to_text(stood.period.end),
            "observed_pct": held.observed_pct,
            "budget_seconds": held.budget / SECOND,
            "consumed_seconds": held.consumed / SECOND,
            "remaining_pct": held.remaining_pct,
            "excluded_maintenance_seconds": held.sums.maintenance / SECOND,
            "unknown_seconds": held.sums.unknown / SECOND,
        },
        "version": slo.version,
        "created_at": to_text(slo.created_at),
        "updated_at": to_text(slo.updated_at),
    }


def report_document(told: Report) -> dict[str, Any]:
    slo, held = told.slo, told.account
    return {
        "object": "slo_report",
        "slo_id": slo.id,
        "name": slo.name,
        "monitor_id": slo.monitor_id,
        "tags": list(slo.tags),
        "kind": slo.kind.value,
        "latency_threshold_ms": slo.latency_threshold_ms,
        "window": slo.window.value,
        "timezone": slo.timezone,
        "period": told.month,
        "period_start": to_text(told.period.start),
        "period_end": to_text(told.period.end),
        "objective_pct": slo.objective_pct,
        "observed_pct": held.observed_pct,
        "met": told.is_met,
        "budget_seconds": held.budget / SECOND,
        "consumed_seconds": held.consumed / SECOND,
        "remaining_pct": held.remaining_pct,
        "measured_seconds": held.sums.measured / SECOND,
        "excluded_maintenance_seconds": held.sums.maintenance / SECOND,
        "paused_seconds": held.sums.paused / SECOND,
        "unknown_seconds": held.sums.unknown / SECOND,
        "absent_seconds": held.absent / SECOND,
        "ahead_seconds": held.ahead / SECOND,
        "worst_incidents": [_costly(one) for one in told.worst],
        "daily": [_day(slo, day, of_day) for day, of_day in told.days],
        "generated_at": to_text(told.generated_at),
    }


def sla_document(stood: Stand) -> dict[str, Any]:
    """What the status of a monitor says of its own objective."""
    return {
        "slo_id": stood.slo.id,
        "objective_pct": stood.slo.objective_pct,
        "window": stood.slo.window.value,
        "observed_pct": stood.account.observed_pct,
        "budget_remaining_pct": stood.account.remaining_pct,
        "status": stood.status.value,
    }


def slo_sentence(stood: Stand) -> str:
    return f"{stood.slo.name} {_CLAIMS[stood.status]}{_figures(stood.account)}."


def report_sentence(told: Report) -> str:
    claims = {None: "nothing was measured", True: "met", False: "missed"}
    return f"{told.slo.name}, {period_name(told)}: {claims[told.is_met]}{_figures(told.account)}."


def period_name(told: Report) -> str:
    """The month, or from when to when."""
    if told.month is not None:
        return told.month
    zone = told.slo.terms.zone
    start, end = (to_datetime(at).astimezone(zone) for at in (told.period.start, told.period.end))
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def day_name(slo: Slo, day: Period) -> str:
    """The date of a day in the objective's zone."""
    return to_datetime(day.start).astimezone(slo.terms.zone).date().isoformat()


def _figures(held: Account) -> str:
    if held.observed_pct is None or held.remaining_pct is None:
        return ""
    return f"; {held.observed_pct:g} % observed, {held.remaining_pct:g} % of the budget left"


def _costly(one: Costly) -> dict[str, Any]:
    incident = one.incident
    return {
        "incident_id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "monitor_id": incident.monitor_id,
        "triggered_at": to_text(incident.triggered_at),
        "resolved_at": time_or_null(incident.resolved_at),
        "consumed_seconds": one.consumed / SECOND,
    }


def _day(slo: Slo, day: Period, held: Account) -> dict[str, Any]:
    return {
        "date": day_name(slo, day),
        "observed_pct": held.observed_pct,
        "consumed_seconds": held.consumed / SECOND,
        "measured_seconds": held.sums.measured / SECOND,
        "excluded_maintenance_seconds": held.sums.maintenance / SECOND,
        "paused_seconds": held.sums.paused / SECOND,
        "unknown_seconds": held.sums.unknown / SECOND,
    }
