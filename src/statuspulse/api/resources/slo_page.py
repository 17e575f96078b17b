"""The report of an objective as a page to be printed: one file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator

from statuspulse.api.documents.slo import day_name, period_name
from statuspulse.api.markup import Html, joined, tag
from statuspulse.domain.durations import duration
from statuspulse.domain.slo import Kind
from statuspulse.domain.times import to_datetime
from statuspulse.engine.slo_reports import Costly, Report

_STYLE = (
    "body{font:11pt/1.4 system-ui,sans-serif;color:#111;background:#fff;margin:2rem auto;max-width:48rem}"
    "h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{border-bottom:1px solid #ccc;padding:.2rem .5rem;text-align:left}td.n,th.n{text-align:right}"
    "thead{display:table-header-group}tr{break-inside:avoid}p.verdict{font-size:1.1rem;font-weight:600}"
    "@page{margin:15mm}@media print{body{margin:0;max-width:none;padding:0}}"
)
# Of the one style that is in the page; nothing else is loaded or run, wherever it is opened from.
CONTENT_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)


def report_page(told: Report) -> bytes:
    """The whole page."""
    title = f"{told.slo.name}, {period_name(told)}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"SLO report: {title}"),
        tag("style", Html(_STYLE)),
    )
    body = tag(
        "body",
        tag("h1", told.slo.name),
        tag("p", f"SLO report for {period_name(told)} ({told.slo.timezone})"),
        tag("p", _verdict(told), class_="verdict"),
        _table(("", "Value"), _figures(told)),
        tag("h2", "Days"),
        _table(("Day", "Observed", "Spent", "Maintenance", "Paused", "Unknown"), _days(told)),
        _incidents(told.worst),
        tag("p", f"Made {to_datetime(told.generated_at):%Y-%m-%d %H:%M:%S} UTC by StatusPulse."),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n".encode()


def _verdict(told: Report) -> str:
    if told.is_met is None:
        return "Nothing was measured."
    so_far = " so far" if told.account.ahead else ""
    return f"The objective is met{so_far}." if told.is_met else "The objective is missed."


def _figures(told: Report) -> Iterator[tuple[str, str]]:
    held, slo = told.account, told.slo
    what = "availability" if slo.kind is Kind.AVAILABILITY else f"answers within {slo.latency_threshold_ms} ms"
    yield f"Objective ({what})", f"{slo.objective_pct:.10g} %"
    yield "Observed", _percent(held.observed_pct)
    yield "Budget", duration(held.budget)
    yield "Spent", duration(held.consumed)
    yield "Left of the budget", _percent(held.remaining_pct)
    yield "Measured", duration(held.sums.measured)
    yield "Maintenance, excluded", duration(held.sums.maintenance)
    yield "Paused, excluded", duration(held.sums.paused)
    yield "Unknown", duration(held.sums.unknown)


def _days(told: Report) -> Iterator[tuple[str, ...]]:
    for day, held in told.days:
        sums = held.sums
        spans = (held.consumed, sums.maintenance, sums.paused, sums.unknown)
        yield day_name(told.slo, day), _percent(held.observed_pct), *(duration(one) if one else "–" for one in spans)


def _incidents(worst: Iterable[Costly]) -> Html | None:
    rows = [
        (
            f"#{one.incident.number} {one.incident.title}",
            f"{to_datetime(one.incident.triggered_at):%Y-%m-%d %H:%M} UTC",
            duration(one.consumed),
        )
        for one in worst
    ]
    if not rows:
        return None
    return joined(tag("h2", "What cost most"), _table(("Incident", "Triggered", "Spent"), rows))


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Html:
    head = tag("tr", *(tag("th", name, class_="n" if place else None) for place, name in enumerate(names)))
    body = [
        tag("tr", *(tag("td", cell, class_="n" if place else None) for place, cell in enumerate(row))) for row in rows
    ]
    return tag("table", tag("thead", head), tag("tbody", *body))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.10g} %"
