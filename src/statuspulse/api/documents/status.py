"""The status of a monitor as callers read it, and as a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from statuspulse.api.documents import heartbeat as heartbeat_documents
from statuspulse.api.documents.heartbeat import heartbeat_document
from statuspulse.api.documents.monitor import time_or_null
from statuspulse.api.documents.slo import sla_document
from statuspulse.catalog.status_views import Head
from statuspulse.domain.durations import duration
from statuspulse.domain.health import Health, State
from statuspulse.domain.heartbeat import INBOUND
from statuspulse.domain.slowness import ROUNDS
from statuspulse.domain.times import to_text
from statuspulse.engine.figures import Figures
from statuspulse.engine.known_pasts import Told
from statuspulse.engine.sight import RegionSight, Sight
from statuspulse.engine.slo_reports import Stand
from statuspulse.storage.results import Look
from statuspulse.storage.status import OpenIncident

# Below this share of the window its figures are told with the time that they are about.
_COVERED_PCT = 99


def status_document(head: Head, figures: Figures, sla: Stand | None) -> dict[str, Any]:
    """Everything but the regions."""
    monitor, sight = head.monitor, head.sight
    return {
        "object": "status",
        "monitor_id": monitor.id,
        "name": monitor.name,
        "type": monitor.type,
        "target": monitor.target,
        "state": sight.state.state.value,
        "health": sight.state.health.value,
        "state_since": to_text(sight.state.since),
        "state_seq": sight.state.seq,
        "stale": sight.stale,
        "failing_regions": [slug for slug in sight.failing_regions if slug != INBOUND],
        "flapping": sight.state.flapping.is_on,
        "last_probe_at": time_or_null(sight.last_probe_at),
        "next_probe_at": time_or_null(head.next_probe_at),
        "interval_seconds": monitor.config.get("interval_seconds", monitor.config.get("period_seconds")),
        "heartbeat": heartbeat_document(head),
        "metrics": _metrics(figures),
        "active_incident": None if head.incident is None else active_incident_document(head.incident),
        "maintenance": maintenance_document(sight),
        "sla": None if sla is None else sla_document(sla),
        "config_version": monitor.config_version,
        "generated_at": to_text(figures.end),
    }


def region_documents(head: Head, checks: Told) -> list[dict[str, Any]]:
    """Each region of the monitor, in its order."""
    return [_region(region, checks) for region in head.sight.regions if region.slug != INBOUND]


def sentence(head: Head, figures: Figures) -> str:
    """What holds now and how it was over the window."""
    told = []
    p95 = _ms(figures.checks.percentile_us(95))
    if p95 is not None:
        told.append(f"p95 {p95} ms")
    told.extend(_uptime(figures))
    tail = f"; {', '.join(told)}" if told else ""
    return f"{head.monitor.name} {claim(head)}{tail}."


def _uptime(figures: Figures) -> Iterator[str]:
    """The share of the window, or of what was seen of it: 100 % of the first half minute is no good day."""
    sums, coverage = figures.in_window, figures.coverage_pct
    if sums.uptime_pct is None:
        return
    share = f"{sums.uptime_pct:g} %"
    if coverage is not None and coverage >= _COVERED_PCT:
        yield f"{share} over {figures.window}"
    else:
        yield f"up {share} of the {duration(sums.measured)} seen in the last {figures.window}"


def claim(head: Head) -> str:
    """What holds now, as the rest of a sentence that begins with the monitor's name."""
    sight = head.sight
    if sight.beat is not None and (words := heartbeat_documents.claim(head, sight.beat)) is not None:
        return words
    claim = _CLAIMS[sight.state.state]
    if sight.state.state is State.DEGRADED and (cause := _cause(head)) is not None:
        claim = f"{claim}, {cause}"
    if sight.state.state is State.UNKNOWN:
        claim = f"{claim} {to_text(sight.state.since)}"
    if sight.state.state is State.MAINTENANCE and sight.state.health in _MEANWHILE:
        claim = f"{claim} and {_MEANWHILE[sight.state.health]} meanwhile"
    return f"{claim}, and flaps" if sight.state.flapping.is_on else claim


def _cause(head: Head) -> str | None:
    """Why it is degraded, as far as that can still be seen."""
    failing, limit_ms = head.sight.failing_regions, head.monitor.config["degraded_latency_ms"]
    if failing:
        return f"partial: failing in {', '.join(failing)} ({len(failing)} of {len(head.sight.regions)})"
    return None if limit_ms is None else f"slow: p95 of the last {ROUNDS} rounds above {limit_ms} ms"


_CLAIMS = {
    State.UP: "is up",
    State.DEGRADED: "is degraded",
    State.DOWN: "is down",
    State.PENDING: "is pending until its first checks are in",
    State.UNKNOWN: "is unknown: too few regions have reported since",
    State.MAINTENANCE: "is in maintenance",
    State.PAUSED: "is paused and not being checked",
}


# What goes well in maintenance is not worth a word, and what nobody has seen yet cannot be told.
_MEANWHILE = {Health.DOWN: "down", Health.DEGRADED: "degraded", Health.UNKNOWN: "unknown"}


def _metrics(figures: Figures) -> dict[str, Any]:
    sums, checks = figures.in_window, figures.checks.whole()
    return {
        "window": figures.window,
        "window_start": to_text(figures.start),
        "window_end": to_text(figures.end),
        "uptime_pct": sums.uptime_pct,
        **{f"uptime_{name}_pct": figures.sums[name].uptime_pct for name in ("24h", "7d", "30d", "90d")},
        **_latencies(figures.checks),
        "checks_total": checks.checks,
        "checks_failed": checks.failed,
        "downtime_seconds": sums.down / 1000,
        "degraded_seconds": sums.degraded / 1000,
        "maintenance_seconds": sums.maintenance / 1000,
        "paused_seconds": sums.paused / 1000,
        "unknown_seconds": sums.unknown / 1000,
        "coverage_pct": figures.coverage_pct,
        "incidents": figures.incidents.triggered,
        "mttr_seconds": _seconds(figures.incidents.mean_time_to_resolve),
    }


def _latencies(checks: Told) -> dict[str, float | None]:
    latency = checks.whole().latency
    return {
        "avg_latency_ms": _ms(latency.mean()),
        "min_latency_ms": _ms(latency.min_us),
        **{f"p{percent}_latency_ms": _ms(checks.percentile_us(percent)) for percent in (50, 90, 95, 99)},
        "max_latency_ms": _ms(latency.max_us),
    }


def _region(region: RegionSight, checks: Told) -> dict[str, Any]:
    newest = region.newest
    return {
        "region": region.slug,
        "health": region.health.value,
        "last_probe_at": None if newest is None else to_text(newest.observed_at),
        "latency_ms": None if newest is None else _ms(newest.latency_us),
        "p95_latency_ms": _ms(checks.percentile_us(95, region.key)),
        "failure": None if newest is None else failure_document(newest),
    }


def failure_document(look: Look) -> dict[str, str] | None:
    failure = look.failure
    return None if failure is None else {"class": failure.kind.value, "detail": failure.detail}


def maintenance_document(sight: Sight) -> dict[str, Any]:
    cover = sight.outlook.cover
    return {
        "active": cover is not None,
        "window_id": None if cover is None else cover.window_id,
        "until": None if cover is None else to_text(cover.until),
        "next_start_at": time_or_null(sight.outlook.next_start_at),
    }


def active_incident_document(incident: OpenIncident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "state": incident.state.value,
        "severity": incident.severity.value,
        "triggered_at": to_text(incident.triggered_at),
    }


def _ms(latency_us: float | None) -> float | None:
    return None if latency_us is None else round(latency_us / 1000, 1)


def _seconds(duration: float | None) -> float | None:
    return None if duration is None else round(duration / 1000, 3)
