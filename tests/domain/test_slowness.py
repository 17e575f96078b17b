"""Slow answers: the 95th percentile of five rounds, with as many samples above the limit as failures would need."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.slowness import NOT_SLOW, Sample, Slowness, newest_rounds, slowness

LIMIT = 500


def a_round(number: int, *latencies: int) -> list[Sample]:
    return [Sample(round=number, latency_us=latency) for latency in latencies]


def rounds(*latencies: int) -> list[Sample]:
    return [sample for number, latency in enumerate(latencies) for sample in a_round(number, latency)]


@pytest.mark.parametrize(
    ("samples", "threshold", "begins", "lasts"),
    [
        (rounds(), 2, False, False),
        (rounds(500, 500, 500), 2, False, False),
        (rounds(100, 100, 501), 2, False, True),
        (rounds(501, 100, 100, 100, 501), 2, True, True),
        (rounds(501, 100, 100, 100, 501), 3, False, True),
        (rounds(501), 1, True, True),
        # There are never more than five rounds to be slow in.
        (rounds(501, 501, 501, 501, 501), 10, True, True),
        (rounds(501, 501, 501, 501), 10, False, True),
        # Of twenty samples one is above the 95th percentile.
        ([sample for number in range(5) for sample in a_round(number, 100, 100, 100, 100 + 900 * (number == 0))], 1,
         False, False),
    ],
)  # fmt: skip
def test_a_limit_is_passed_by_enough_samples(
    samples: list[Sample],
    threshold: int,
    begins: bool,
    lasts: bool,
) -> None:
    assert slowness([], samples, LIMIT, threshold) == Slowness(begins=begins, lasts=lasts, lasted=False)


def test_without_a_limit_nothing_is_slow() -> None:
    assert slowness(rounds(9999), rounds(9999, 9999), None, 1) is NOT_SLOW


def test_it_knows_what_was_before() -> None:
    assert slowness(rounds(501), rounds(501, 100), LIMIT, 2).lasted
    assert not slowness(rounds(100), rounds(100, 501), LIMIT, 2).lasted


def test_only_the_last_five_rounds_count_whether_they_were_run_or_not() -> None:
    assert newest_rounds([]) == []
    assert [sample.round for sample in newest_rounds(rounds(*range(8)))] == [3, 4, 5, 6, 7]
    assert [sample.round for sample in newest_rounds([*a_round(1, 9), *a_round(4, 9, 9), *a_round(9, 9)])] == [9]
    # A result that comes late belongs to its round.
    assert [sample.round for sample in newest_rounds([*a_round(9, 9), *a_round(5, 9)])] == [9, 5]


@given(st.lists(st.integers(0, 1000), max_size=40), st.integers(1, 10))
def test_it_lasts_while_more_than_a_twentieth_of_the_samples_is_above(latencies: list[int], threshold: int) -> None:
    samples = a_round(1, *latencies)
    found = slowness([], samples, LIMIT, threshold)
    above = sum(latency > LIMIT for latency in latencies)
    assert found.lasts == (above > len(latencies) - ceil(0.95 * len(latencies)))
    assert found.begins == (found.lasts and above >= min(threshold, 5))
