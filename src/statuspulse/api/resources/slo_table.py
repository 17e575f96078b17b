"""The report of an objective as a table (RFC 4180): one row for the period, one a day, one an incident."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

# What a spreadsheet takes for the beginning of a formula, where a text begins with it
# (OWASP, CSV Injection): shown as the text that it is behind an apostrophe.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_COLUMNS = (
    "row",
    "slo_id",
    "name",
    "period_start",
    "period_end",
    "date",
    "objective_pct",
    "observed_pct",
    "met",
    "budget_seconds",
    "consumed_seconds",
    "remaining_pct",
    "measured_seconds",
    "excluded_maintenance_seconds",
    "paused_seconds",
    "unknown_seconds",
    "absent_seconds",
    "ahead_seconds",
    "incident_id",
    "title",
    "monitor_id",
    "triggered_at",
    "resolved_at",
)


def report_table(document: Mapping[str, Any]) -> str:
    """The document of a report; what a row does not have is empty, and so is what is not known."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for row in _rows(document):
        writer.writerow([_cell(row.get(name)) for name in _COLUMNS])
    return out.getvalue()


def _rows(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield {**document, "row": "period"}
    head = {"slo_id": document["slo_id"], "name": document["name"]}
    for day in document["daily"]:
        yield {**head, **day, "row": "day"}
    for incident in document["worst_incidents"]:
        yield {**head, **incident, "row": "incident"}


def _cell(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith(_FORMULA) else text
