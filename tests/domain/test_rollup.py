"""Buckets: which verdict counts where, and windows that are covered without hole or overlap."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.result import Verdict
from statuspulse.domain.rollup import FINEST, WIDTHS, Bucket, cover, edge, floor
from statuspulse.domain.times import DAY, HOUR

MIDNIGHT = 20_000 * DAY
results = st.lists(st.tuples(st.sampled_from(Verdict), st.none() | st.integers(0, 10_000_000)))


def bucket_of(seen: list[tuple[Verdict, int | None]]) -> Bucket:
    bucket = Bucket()
    for verdict, latency_us in seen:
        bucket.add(verdict, latency_us)
    return bucket


@given(results)
def test_void_is_no_check_and_only_successes_have_a_latency(seen: list[tuple[Verdict, int | None]]) -> None:
    bucket = bucket_of(seen)
    verdicts = [verdict for verdict, _ in seen]
    assert [bucket.ok, bucket.failed, bucket.void] == [verdicts.count(verdict) for verdict in Verdict]
    assert bucket.checks == len(seen) - bucket.void
    timed = [latency for verdict, latency in seen if verdict is Verdict.OK and latency is not None]
    assert (bucket.latency.count, bucket.latency.total_us) == (len(timed), sum(timed))


@given(results, results)
def test_merged_buckets_are_the_bucket_of_both(
    one: list[tuple[Verdict, int | None]], two: list[tuple[Verdict, int | None]]
) -> None:
    merged = bucket_of(one)
    merged.merge(bucket_of(two))
    assert merged == bucket_of(one + two)


@given(st.integers(0, 40 * DAY))
def test_a_window_begins_at_the_nearest_edge(back: int) -> None:
    now = MIDNIGHT + 12_345_678
    begun = edge(now - back, now)
    width = FINEST if back <= 7 * DAY else HOUR
    assert begun % width == 0
    assert abs(begun - (now - back)) <= width // 2


@given(st.integers(0, 600), st.integers(0, 3000), st.integers(0, 3000))
def test_a_window_is_covered_once_and_with_whole_buckets(back: int, fine: int, lag: int) -> None:
    start = MIDNIGHT - back * FINEST
    finest = start + fine * FINEST
    hours = floor(finest - min(lag, 20) * HOUR, HOUR)
    complete = {FINEST: finest, HOUR: hours, DAY: floor(hours, DAY)}
    stretches, rest = cover(start, complete)
    edges = [(stretch.start, stretch.end) for stretch in stretches]
    assert rest == finest == (edges[-1][1] if edges else start)
    assert not edges or edges[0][0] == start
    assert all(before[1] == after[0] for before, after in pairwise(edges))
    for stretch in stretches:
        assert stretch.width in WIDTHS
        assert stretch.start % stretch.width == stretch.end % stretch.width == 0
        assert stretch.end <= complete[stretch.width]
    # The widest that fit: never an hour's worth of narrow buckets where the hour is there.
    for stretch in stretches:
        wider = {FINEST: HOUR, HOUR: DAY}.get(stretch.width)
        if wider is not None:
            whole = floor(stretch.start + wider - 1, wider) + wider
            assert whole > min(stretch.end, complete[wider])
