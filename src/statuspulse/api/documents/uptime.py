"""Uptime as callers read it, and as a sentence."""

from __future__ import annotations

from typing import Any

from statuspulse.api.periods import Periods
from statuspulse.domain.rollup import Bucket
from statuspulse.domain.times import to_text
from statuspulse.domain.uptime import Sums
from statuspulse.engine.uptime_series import Period, Totals, UptimeSeries

_PERCENTILES = (50, 90, 95, 99)


def series_document(series: UptimeSeries, asked: Periods) -> dict[str, Any]:
    return {
        "object": "uptime_series",
        "monitor_id": series.monitor.id,
        "name": series.monitor.name,
        "bucket": asked.width.value,
        "timezone": asked.timezone,
        "totals": _totals(series.totals),
        "data": [_period(period) for period in series.periods],
    }


def sentence(series: UptimeSeries) -> str:
    """The uptime and how much of the window it was taken from."""
    uptime_pct, coverage_pct = series.totals.sums.uptime_pct, series.totals.coverage_pct
    if uptime_pct is None:
        return f"{series.monitor.name}: nothing was measured in this window."
    return f"{series.monitor.name}: {uptime_pct:g} % up; {coverage_pct:g} % of the window was measured."


def _period(period: Period) -> dict[str, Any]:
    return {
        "start_at": to_text(period.start),
        "end_at": to_text(period.end),
        "state": None if period.worst is None else period.worst.value,
        **_sums(period.sums),
        **_checks(period.checks),
        "incidents": period.incidents,
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "start_at": to_text(totals.start),
        "end_at": to_text(totals.end),
        **_sums(totals.sums),
        "coverage_pct": totals.coverage_pct,
        **_checks(totals.checks),
        "incidents": totals.incidents.triggered,
        "outages": totals.outages,
        "mttr_seconds": seconds(totals.incidents.mean_time_to_resolve),
        "mtbf_seconds": seconds(totals.mean_time_between_failures),
    }


def _sums(sums: Sums) -> dict[str, float | None]:
    return {
        "uptime_pct": sums.uptime_pct,
        "up_seconds": sums.up / 1000,
        "degraded_seconds": sums.degraded / 1000,
        "downtime_seconds": sums.down / 1000,
        "maintenance_seconds": sums.maintenance / 1000,
        "paused_seconds": sums.paused / 1000,
        "unknown_seconds": sums.unknown / 1000,
    }


def _checks(checks: Bucket | None) -> dict[str, float | None]:
    latency = Bucket().latency if checks is None else checks.latency
    return {
        "checks_total": None if checks is None else checks.checks,
        "checks_failed": None if checks is None else checks.failed,
        "avg_latency_ms": milliseconds(latency.mean()),
        **{f"p{percent}_latency_ms": milliseconds(latency.percentile(percent)) for percent in _PERCENTILES},
    }


def milliseconds(latency_us: float | None) -> float | None:
    return None if latency_us is None else round(latency_us / 1000, 1)


def seconds(duration: float | None) -> float | None:
    """Of a duration in ms, to the millisecond."""
    return None if duration is None else round(duration / 1000, 3)
