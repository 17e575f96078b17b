"""Simulations as callers read them."""

from __future__ import annotations

from typing import Any

from statuspulse.catalog.simulations import RULES
from statuspulse.domain.simulation import Change, Outage
from statuspulse.domain.times import to_text
from statuspulse.engine.backtest import MOST_CHANGES, Account, Backtest


def simulation_document(found: Backtest) -> dict[str, Any]:
    longest = found.longest_outage
    return {
        "object": "simulation",
        "monitor_id": found.monitor.id,
        "window": {"start_at": to_text(found.start), "end_at": to_text(found.end), "cut": found.cut},
        "results": found.results,
        "config": {name: found.config[name] for name in (*RULES, "region_strategy")},
        "changed": differences(found),
        "longest_outage": None
        if longest is None
        else _outage(longest, found) | {"noticed_later_seconds": _later(found)},
        "actual": _account(found.actual, found),
        "simulated": _account(found.simulated, found),
    }


def differences(found: Backtest) -> list[str]:
    """The rules that are other ones than the monitor's own."""
    return [name for name in RULES if found.config[name] != found.monitor.config[name]]


def _later(found: Backtest) -> float | None:
    delay = found.longest_outage_delay
    return None if delay is None else delay / 1000


def _account(account: Account, found: Backtest) -> dict[str, Any]:
    sums = account.sums
    return {
        "transitions": [_change(change) for change in account.changes],
        "transition_count": account.change_count,
        "incidents": [_outage(outage, found) for outage in account.outages[:MOST_CHANGES]],
        "incident_count": len(account.outages),
        "pages": account.pages,
        "notifications": account.notifications,
        "uptime_pct": sums.uptime_pct,
        "coverage_pct": sums.coverage_pct(found.end - found.start),
        "up_seconds": sums.up / 1000,
        "degraded_seconds": sums.degraded / 1000,
        "downtime_seconds": sums.down / 1000,
        "unknown_seconds": sums.unknown / 1000,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "state": change.state.value,
        "previous_state": change.previous_state.value,
        "changed_at": to_text(change.changed_at),
        "first_observed_at": to_text(change.first_observed_at),
        "reason": change.reason.value,
    }


def _outage(outage: Outage, found: Backtest) -> dict[str, Any]:
    is_older = outage.opened_at < found.start
    is_open = outage.resolved_at is None or outage.resolved_at >= found.end
    return {
        "opened_at": None if is_older else to_text(outage.opened_at),
        "resolved_at": None if is_open or outage.resolved_at is None else to_text(outage.resolved_at),
        "duration_seconds": found.duration(outage) / 1000,
        "pages": len(outage.paged_at),
    }
