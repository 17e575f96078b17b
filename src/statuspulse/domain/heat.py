"""A heat map of latency: sketches over time, counted in rows whose bounds are bounds of the sketch's own buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statuspulse.domain.sketch import Sketch, bucket_bound


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Row i counts what lies above `bounds_us[i]` up to `bounds_us[i + 1]`; every column has all rows.

    Since rows are whole buckets of the sketch, the counts are exact for these bounds.
    """

    bounds_us: tuple[int, ...]
    columns: tuple[tuple[int, ...], ...]


def heat_map(sketches: Sequence[Sketch], most_rows: int) -> HeatMap:
    """At most so many rows, all alike on a logarithmic scale, from the lowest to the highest value there is."""
    indexes = [index for sketch in sketches for index in sketch.buckets]
    if not indexes:
        return HeatMap((), tuple(() for _ in sketches))
    lowest, highest = min(indexes), max(indexes)
    height = -(-(highest - lowest + 1) // most_rows)
    rows = (highest - lowest) // height + 1
    bounds = tuple(bucket_bound(lowest - 1 + row * height) for row in range(rows + 1))
    return HeatMap(bounds, tuple(_column(sketch, lowest, height, rows) for sketch in sketches))


def _column(sketch: Sketch, lowest: int, height: int, rows: int) -> tuple[int, ...]:
    counts = [0] * rows
    for index, count in sketch.buckets.items():
        counts[(index - lowest) // height] += count
    return tuple(counts)
