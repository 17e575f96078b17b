"""Uptime: a day computed by hand, and six sums that are the window exactly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.health import State
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.times import DAY
from statuspulse.domain.uptime import Interval, Span, Sums, blind_spans, floored_pct

VECTOR = Sums(up=81932400, degraded=240000, down=431500, unknown=596100, maintenance=1800000, paused=1400000)


def an_interval(start: int, end: int, state: State) -> Interval:
    return Interval(start=start, end=end, state=state)


def a_span(region: int, start: int, end: int) -> Span:
    return Span(region=region, start=start, end=end)


def sums(intervals: Sequence[Interval], unseen: Sequence[Span], regions: int, window: tuple[int, int]) -> Sums:
    return Timeline.of(intervals, unseen, regions, []).sums(*window)


edges = st.lists(st.integers(0, 1000), min_size=2, max_size=12, unique=True).map(sorted)
histories = st.builds(
    lambda places, states: [
        an_interval(start, end, state) for (start, end), state in zip(pairwise(places), states, strict=False)
    ],
    edges,
    st.lists(st.sampled_from(State), min_size=11, max_size=11),
)


@st.composite
def holes(draw: st.DrawFn) -> list[Span]:
    """Up to four holes per region; one region's holes do not overlap."""
    spans: list[Span] = []
    for region in (1, 2, 3):
        places = sorted(draw(st.lists(st.integers(0, 1000), max_size=8, unique=True)))
        spans += [
            a_span(region, start, end)
            for (start, end), keep in zip(pairwise(places), [True, False] * 4, strict=False)
            if keep
        ]
    return spans


def test_uptime_and_coverage_are_those_of_the_vector() -> None:
    assert VECTOR.window == DAY
    assert VECTOR.uptime_pct == 99.4776
    assert VECTOR.coverage_pct(DAY) == 99.2835


def test_one_millisecond_down_in_thirty_days_is_not_hundred_percent() -> None:
    month = 30 * DAY
    assert Sums(up=month - 1, down=1).uptime_pct == 99.9999
    assert Sums(up=month).uptime_pct == 100


def test_percentages_are_rounded_down_to_four_decimals() -> None:
    assert floored_pct(9999996, 10_000_000) == 99.9999
    assert floored_pct(2, 3) == 66.6666
    assert floored_pct(0, 3) == 0
    assert floored_pct(1, 0) is None


def test_without_measured_time_there_is_no_figure() -> None:
    idle = Sums(unknown=10, maintenance=20, paused=70)
    assert idle.uptime_pct is None
    assert idle.coverage_pct(100) == 0
    assert Sums(paused=100).coverage_pct(100) is None


def test_time_before_creation_is_not_seen() -> None:
    assert Sums(up=50).coverage_pct(100) == 50


def test_intervals_are_clipped_to_the_window() -> None:
    history = [an_interval(0, 100, State.UP), an_interval(100, 160, State.DOWN), an_interval(160, 900, State.UP)]
    assert sums(history, [], 1, (50, 200)) == Sums(up=90, down=60)
    assert sums(history, [], 1, (900, 1000)) == Sums()


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_its_sum_and_pending_is_unknown(state: State) -> None:
    total = sums([an_interval(0, 10, state)], [], 1, (0, 10))
    assert total == Sums(**{"unknown" if state is State.PENDING else state.value: 10})


def test_what_fewer_than_half_of_the_regions_saw_is_unknown() -> None:
    history = [an_interval(0, 100, State.DOWN)]
    assert sums(history, [a_span(1, 10, 30)], 1, (0, 100)) == Sums(down=80, unknown=20)
    assert sums(history, [a_span(1, 10, 30)], 2, (0, 100)) == Sums(down=100)
    both = [a_span(1, 10, 30), a_span(2, 20, 50)]
    assert sums(history, both, 2, (0, 100)) == Sums(down=90, unknown=10)
    assert sums(history, both, 3, (0, 100)) == Sums(down=90, unknown=10)
    assert sums(history, both, 4, (0, 100)) == Sums(down=100)


def test_a_hole_hides_neither_pause_nor_maintenance() -> None:
    history = [an_interval(0, 10, State.PAUSED), an_interval(10, 20, State.MAINTENANCE), an_interval(20, 30, State.UP)]
    assert sums(history, [a_span(1, 0, 30)], 1, (0, 30)) == Sums(paused=10, maintenance=10, unknown=10)


def test_holes_that_meet_leave_nothing_between() -> None:
    assert list(blind_spans([a_span(1, 0, 10), a_span(1, 10, 20)], 1)) == [(0, 10), (10, 20)]
    assert list(blind_spans([a_span(1, 0, 10), a_span(2, 10, 20)], 2)) == []
    assert list(blind_spans([a_span(1, 5, 5)], 1)) == []


@given(histories, holes(), st.integers(0, 1000), st.integers(0, 1000))
def test_the_six_sums_are_the_window_exactly(history: list[Interval], unseen: list[Span], one: int, two: int) -> None:
    start, end = sorted((one, two))
    begun = max(start, history[0].start)
    known_until = min(end, history[-1].end)
    total = sums(history, unseen, 3, (start, end))
    assert total.window == max(0, known_until - begun)
    assert min(total.up, total.degraded, total.down, total.unknown, total.maintenance, total.paused) >= 0


@given(histories, holes(), st.integers(1, 4))
def test_the_sums_are_those_of_every_single_millisecond(
    history: list[Interval], unseen: list[Span], regions: int
) -> None:
    expected = dict.fromkeys(("up", "degraded", "down", "unknown", "maintenance", "paused"), 0)
    for interval in history:
        for at in range(interval.start, interval.end):
            blind = sum(span.start <= at < span.end for span in unseen if span.region <= regions)
            name = interval.state.value
            if name not in ("paused", "maintenance") and (name == "pending" or 2 * (regions - blind) < regions):
                name = "unknown"
            expected[name] += 1
    seen_by = [span for span in unseen if span.region <= regions]
    assert sums(history, seen_by, regions, (0, 1000)) == Sums(**expected)


@given(histories, holes(), st.integers(0, 1000))
def test_the_sums_of_two_parts_are_those_of_the_whole(history: list[Interval], unseen: list[Span], middle: int) -> None:
    parts = [sums(history, unseen, 3, window) for window in ((0, middle), (middle, 1000))]
    whole = sums(history, unseen, 3, (0, 1000))
    assert [getattr(parts[0], name) + getattr(parts[1], name) for name in State if name != "pending"] == [
        getattr(whole, name) for name in State if name != "pending"
    ]
