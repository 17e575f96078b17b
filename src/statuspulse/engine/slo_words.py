"""What people are told of an objective, in plain words."""

from __future__ import annotations

from statuspulse.domain.budget import Account, Burn
from statuspulse.domain.durations import duration
from statuspulse.domain.slo import RATE_UNITS, Kind, Window
from statuspulse.domain.times import MINUTE, SECOND, to_datetime
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.slos import Slo

_WINDOWS = {
    Window.DAY: "in 24 hours",
    Window.WEEK: "in 7 days",
    Window.MONTH: "in 30 days",
    Window.QUARTER: "in 90 days",
    Window.CALENDAR_MONTH: "this month",
}


def at_risk(slo: Slo, monitor: Monitor | None, held: Account, burn: Burn, ends_at: int | None) -> tuple[str, str]:
    """(title, note)"""
    rate = burn.long.rate(slo.terms.allowance) / RATE_UNITS
    ends = "" if ends_at is None else f" At this rate the budget ends at {to_datetime(ends_at):%Y-%m-%d %H:%M} UTC."
    note = (
        f"{_subject(slo, monitor)} {_spent(slo, burn.long.bad)} in the last {duration(burn.pair.long)}: "
        f"{rate:g} times as fast as {_objective(slo)} allows. {_left(held)}{ends}"
    )
    return f"SLO {slo.name} is at risk", note


def breached(slo: Slo, monitor: Monitor | None, held: Account) -> tuple[str, str]:
    """(title, note)"""
    note = (
        f"{_subject(slo, monitor)} {_spent(slo, held.consumed)} {_WINDOWS[slo.window]}; "
        f"{_objective(slo)} allows {duration(held.budget)}."
    )
    return f"SLO {slo.name} is breached", note


def recovered(slo: Slo, monitor: Monitor | None, held: Account) -> tuple[str, str]:
    """(title, note)"""
    note = f"{_subject(slo, monitor)} {_spent(slo, held.consumed)} {_WINDOWS[slo.window]}. {_left(held)}"
    return f"SLO {slo.name} is met again", note


def _subject(slo: Slo, monitor: Monitor | None) -> str:
    return f"Monitors with {', '.join(slo.tags)}" if monitor is None else monitor.name


def _objective(slo: Slo) -> str:
    return f"{slo.objective_pct:.10g} %"


def _spent(slo: Slo, bad: int) -> str:
    verb = "were" if slo.monitor_key is None else "was"
    what = "down" if slo.kind is Kind.AVAILABILITY else f"slower than {slo.latency_threshold_ms} ms"
    return f"{verb} {what} for {duration(bad)}" if bad else f"{verb} not {what}"


def _left(held: Account) -> str:
    left = held.budget - held.consumed
    if left <= 0:
        return "Nothing is left of the budget."
    exact = duration(left) if left >= MINUTE else f"{left // SECOND} seconds"
    return f"{exact} of {duration(held.budget)} are left."
