"""Events about objectives: their bodies, as `events.schema.json` has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statuspulse.domain.budget import Account, Burn
from statuspulse.domain.event import Event, EventType
from statuspulse.domain.slo import RATE_UNITS, Period
from statuspulse.domain.times import SECOND, to_text
from statuspulse.engine import monitor_events
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.slos import Slo

MOST_INCIDENTS = 100
_ALL_GOOD = 100.0


def at_risk(
    slo: Slo, monitor: Monitor | None, held: Account, period: Period, burn: Burn, ends_at: int | None, now: int
) -> Event:
    """`ends_at` is when the budget ends if it goes on like that."""
    data = {
        "burn_rate": burn.long.rate(slo.terms.allowance) / RATE_UNITS,
        "long_window_seconds": burn.pair.long // SECOND,
        "short_window_seconds": burn.pair.short // SECOND,
        "projected_exhaustion_at": None if ends_at is None else to_text(ends_at),
    }
    return _event(EventType.SLA_AT_RISK, slo, monitor, budget_document(held, period), data, now)


def breached(
    slo: Slo, monitor: Monitor | None, held: Account, period: Period, incident_ids: Sequence[str], now: int
) -> Event:
    data = {"breached_at": to_text(now), "incident_ids": list(incident_ids)[-MOST_INCIDENTS:]}
    return _event(EventType.SLA_BREACHED, slo, monitor, budget_document(held, period), data, now)


def recovered(slo: Slo, monitor: Monitor | None, held: Account, period: Period, breached_at: int, now: int) -> Event:
    data = {"breached_at": to_text(breached_at), "recovered_at": to_text(now)}
    return _event(EventType.SLA_RECOVERED, slo, monitor, budget_document(held, period), data, now)


def budget_document(held: Account, period: Period) -> dict[str, Any]:
    """The budget of a period; nothing was bad where nothing was measured, and then nothing is told."""
    return {
        "period_start": to_text(period.start),
        "period_end": to_text(period.end),
        "observed_pct": _ALL_GOOD if held.observed_pct is None else held.observed_pct,
        "budget_seconds": held.budget / SECOND,
        "consumed_seconds": held.consumed / SECOND,
        "remaining_pct": 0 if held.remaining_pct is None else held.remaining_pct,
        "excluded_maintenance_seconds": held.sums.maintenance / SECOND,
        "unknown_seconds": held.sums.unknown / SECOND,
    }


def _event(
    kind: EventType, slo: Slo, monitor: Monitor | None, budget: dict[str, Any], data: dict[str, Any], now: int
) -> Event:
    head = {
        "slo": {
            "object": "slo",
            "id": slo.id,
            "name": slo.name,
            "kind": slo.kind.value,
            "objective_pct": slo.objective_pct,
            "window": slo.window.value,
            "latency_threshold_ms": slo.latency_threshold_ms,
        },
        "monitor": None if monitor is None else monitor_events.summary(monitor),
        "budget": budget,
    }
    return Event(
        type=kind,
        team_id=slo.team_id,
        at=now,
        data={**head, **data},
        monitor_id=None if monitor is None else monitor.id,
    )
