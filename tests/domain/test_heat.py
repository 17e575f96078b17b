"""Heat maps: every sample lies in one row, between the bounds that the map tells."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.heat import heat_map
from statuspulse.domain.sketch import Sketch

latencies = st.lists(st.lists(st.integers(0, 90_000_000), max_size=30), max_size=6)


@given(latencies, st.integers(1, 60))
def test_counts_are_exact_for_the_bounds(columns: list[list[int]], most_rows: int) -> None:
    sketches = []
    for samples in columns:
        sketch = Sketch()
        for sample in samples:
            sketch.add(sample)
        sketches.append(sketch)
    drawn = heat_map(sketches, most_rows)
    assert len(drawn.columns) == len(columns)
    assert max(0, len(drawn.bounds_us) - 1) <= most_rows
    for samples, counts in zip(columns, drawn.columns, strict=True):
        exact = [sum(low < max(sample, 1) <= high for sample in samples) for low, high in pairwise(drawn.bounds_us)]
        assert list(counts) == exact
        assert sum(counts) == len(samples)


def test_without_samples_there_are_columns_and_no_rows() -> None:
    drawn = heat_map([Sketch(), Sketch()], 10)
    assert (drawn.bounds_us, drawn.columns) == ((), ((), ()))
