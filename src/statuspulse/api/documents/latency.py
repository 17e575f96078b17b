"""Latency over time as callers read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statuspulse.api.documents.uptime import milliseconds
from statuspulse.domain.heat import heat_map
from statuspulse.domain.sketch import Sketch
from statuspulse.domain.times import to_text
from statuspulse.engine.latency import Cell

_MOST_ROWS = 40


def series_members(cells: Sequence[Cell], percentiles: Sequence[float]) -> dict[str, Any]:
    return {"percentiles": list(percentiles), "data": [_bucket(cell, percentiles) for cell in cells]}


def heat_map_members(cells: Sequence[Cell]) -> dict[str, Any]:
    drawn = heat_map([Sketch() if cell.latency is None else cell.latency for cell in cells], _MOST_ROWS)
    return {
        "buckets_ms": [bound / 1000 for bound in drawn.bounds_us],
        "data": [
            {**_place(cell), "counts": None if cell.latency is None else list(column)}
            for cell, column in zip(cells, drawn.columns, strict=True)
        ],
    }


def _bucket(cell: Cell, percentiles: Sequence[float]) -> dict[str, Any]:
    latency = Sketch() if cell.latency is None else cell.latency
    return {
        **_place(cell),
        "count": None if cell.latency is None else latency.count,
        "avg_latency_ms": milliseconds(latency.mean()),
        "min_latency_ms": milliseconds(latency.min_us),
        "max_latency_ms": milliseconds(latency.max_us),
        "percentiles_ms": {f"{percent:g}": milliseconds(latency.percentile(percent)) for percent in percentiles},
    }


def _place(cell: Cell) -> dict[str, Any]:
    return {"start_at": to_text(cell.start), "end_at": to_text(cell.end), "region": cell.region}
