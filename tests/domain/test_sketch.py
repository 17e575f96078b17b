"""Latency sketches: vectors of values and bytes, a bounded error, and merging in any order."""

from __future__ import annotations

import math
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.sketch import Sketch, bucket_index, bucket_value

A = [80_000, 81_000, 82_000, 95_000, 110_000]
B = [79_000, 120_000, 240_000, 1_500_000]
LINE = [50_000 + 1000 * k for k in range(120)]
ERROR = 0.02 / 2.02
LATENCIES = st.integers(0, 100_000_000)


def sketch_of(values: list[int]) -> Sketch:
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    return sketch


def merged(*sketches: Sketch) -> Sketch:
    total = Sketch()
    for sketch in sketches:
        total.merge(sketch)
    return total


def decoded(sketch: Sketch) -> Sketch:
    return Sketch.decode(sketch.encode(), total_us=sketch.total_us, min_us=sketch.min_us, max_us=sketch.max_us)


@pytest.mark.parametrize(
    ("latency_us", "index", "value"),
    [
        (1, 0, 0.99),
        (2, 36, 2.02),
        (10, 117, 10.04),
        (1000, 349, 993.4),
        (80_000, 571, 80607.7),
        (182_400, 612, 181544.8),
        (250_000, 628, 249222.1),
        (1_000_000, 698, 996778.2),
        (60_000_000, 905, 60094409.3),
    ],
)
def test_buckets_are_those_of_the_table(latency_us: int, index: int, value: float) -> None:
    assert bucket_index(latency_us) == index
    assert bucket_value(index) == pytest.approx(value, abs=0.05 if index > 117 else 0.005)


def test_what_lies_outside_the_table_falls_into_its_ends() -> None:
    assert bucket_index(0) == bucket_index(-5) == 0
    assert bucket_index(100_000_000) < bucket_index(600_000_000_000) <= bucket_index(10**12) == 1371


@pytest.mark.parametrize(
    ("values", "encoded"),
    [
        ([], "0100"),
        (A, "0104bb0402010107010801"),
        (B, "0104ba0401150123015d01"),
        (A + B, "0108ba04010102010107010801040123015d01"),
    ],
)
def test_the_bytes_are_those_of_the_vectors(values: list[int], encoded: str) -> None:
    assert sketch_of(values).encode().hex() == encoded


def test_the_percentiles_are_those_of_the_vectors() -> None:
    both = merged(sketch_of(A), sketch_of(B))
    assert both.percentile(50) == pytest.approx(94444.8, abs=0.05)
    assert both.percentile(95) == 1_500_000
    line = sketch_of(LINE)
    assert (len(line.buckets), len(line.encode())) == (62, 127)
    assert line.percentile(50) == pytest.approx(108487.4, abs=0.05)
    assert line.percentile(95) == pytest.approx(164430.7, abs=0.05)
    assert line.percentile(99) == pytest.approx(167719.3, abs=0.05)


def test_without_samples_there_is_no_figure() -> None:
    empty = Sketch()
    assert (empty.percentile(50), empty.mean(), empty.min_us, empty.max_us) == (None, None, None, None)
    assert merged(empty, Sketch()) == empty == decoded(empty)


def test_a_sketch_that_lost_a_bucket_says_so() -> None:
    broken = Sketch(buckets={5: 1}, count=2, total_us=2, min_us=1, max_us=1)
    with pytest.raises(AssertionError, match="fewer samples"):
        broken.percentile(99)


@given(st.lists(LATENCIES, min_size=1, max_size=200), st.floats(0, 100))
def test_a_percentile_is_within_one_percent_of_the_exact_one(values: list[int], percent: float) -> None:
    exact = sorted(values)[max(1, math.ceil(percent * len(values) / 100)) - 1]
    found = sketch_of(values).percentile(percent)
    assert found is not None
    assert abs(found - exact) <= ERROR * exact + 1  # below 100 µs a bucket is narrower than the unit
    assert min(values) <= found <= max(values)


@given(st.lists(LATENCIES, min_size=1))
def test_count_sum_and_extremes_are_exact(values: list[int]) -> None:
    sketch = sketch_of(values)
    assert (sketch.count, sketch.total_us) == (len(values), sum(values))
    assert (sketch.min_us, sketch.max_us) == (min(values), max(values))
    assert sketch.mean() == sum(values) / len(values)


@given(st.lists(st.lists(LATENCIES, max_size=30), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_merging_commutes_and_any_grouping_gives_the_same_bytes(parts: list[list[int]], random: object) -> None:
    whole = sketch_of(reduce(list.__add__, parts))
    sketches = [sketch_of(part) for part in parts]
    shuffled = sorted(sketches, key=lambda _: random.random())  # type: ignore[attr-defined]
    half = len(sketches) // 2
    grouped = merged(merged(*sketches[:half]), merged(*sketches[half:]))
    for total in (merged(*sketches), merged(*shuffled), grouped):
        assert total == whole
        assert total.encode() == whole.encode()


@given(st.lists(LATENCIES))
def test_a_sketch_is_read_as_it_was_written(values: list[int]) -> None:
    sketch = sketch_of(values)
    assert decoded(sketch) == sketch


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "version 1"),
        (b"\x02\x00", "version 1"),
        (b"\x01", "cut short"),
        (b"\x01\x01\x80", "cut short"),
        (bytes.fromhex("0104bb0402010107010801")[:-1], "cut short"),
        (bytes.fromhex("0104bb040201010701080100"), "trailing bytes"),
    ],
)
def test_other_bytes_are_refused(data: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Sketch.decode(data, total_us=0, min_us=None, max_us=None)
