"""What a look saw, and what other rules would have made of what was seen, in rows and lines for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from statuspulse.cli.remote import number, percent
from statuspulse.cli.tables import Column, table

CHECK_COLUMNS = (
    Column("REGION"),
    Column("STATE"),
    Column("STATUS", is_figure=True),
    Column("LATENCY", is_figure=True),
    Column("FAILURE", shrinks=True),
)
_VERDICTS = {True: "up", False: "down", None: "unknown"}


def check_row(result: Any) -> list[str]:
    failure = "-" if result.failure is None else f"{result.failure.class_}: {result.failure.detail}"
    latency = number(result.latency_ms, " ms")
    return [result.region, _VERDICTS[result.ok], number(result.status_code), latency, failure]


def simulation_members(
    days: int,
    *,
    interval: int | None,
    regions: tuple[str, ...],
    quorum: str | None,
    failures: int | None,
    recoveries: int | None,
    slow: int | None,
) -> dict[str, Any]:
    """Up to now: the server cuts the beginning to what it holds."""
    end = datetime.now(UTC)  # noqa: TID251 - the clock of the caller, by which he says "the last days"
    wanted = {
        "start": end - timedelta(days=days),
        "end": end,
        "interval_seconds": interval,
        "regions": list(regions) or None,
        "quorum": int(quorum) if quorum is not None and quorum.isdecimal() else quorum,
        "failure_threshold": failures,
        "recovery_threshold": recoveries,
        "degraded_latency_ms": slow,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def simulation_lines(told: Any) -> list[str]:
    """The sentence of the server, then what happened beside what would have."""
    actual, simulated = told.actual, told.simulated
    rows = [
        ["pages", str(actual.pages), str(simulated.pages), _change(actual.pages, simulated.pages)],
        [
            "incidents",
            str(actual.incident_count),
            str(simulated.incident_count),
            _change(actual.incident_count, simulated.incident_count),
        ],
        [
            "changes of state",
            str(actual.transition_count),
            str(simulated.transition_count),
            _change(actual.transition_count, simulated.transition_count),
        ],
        ["uptime", percent(actual.uptime_pct), percent(simulated.uptime_pct), ""],
        *(
            [name, _time(before), _time(after), _change(before, after, "s")]
            for name, before, after in (
                ("down", actual.downtime_seconds, simulated.downtime_seconds),
                ("degraded", actual.degraded_seconds, simulated.degraded_seconds),
                ("unknown", actual.unknown_seconds, simulated.unknown_seconds),
            )
        ),
    ]
    columns = (
        Column(""),
        Column("ACTUAL", is_figure=True),
        Column("SIMULATED", is_figure=True),
        Column("DIFFERENCE", is_figure=True),
    )
    return [told.message, "", *table(columns, rows, None, _unpainted)]


def _unpainted(text: str, _: str) -> str:
    return text


def _change(before: float, after: float, unit: str = "") -> str:
    difference = round(after - before, 1)
    if not difference:
        return "="
    sign = "+" if difference > 0 else "−"
    text = _time(abs(difference)) if unit else f"{abs(difference):g}"
    return f"{sign}{text}"


def _time(seconds: float) -> str:
    """The two largest units that it takes."""
    whole = round(seconds)
    for size, unit, smaller, name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {name}"
    return f"{seconds:g} s"
