"""Timelines: late results fill what was unknown and nothing else, and every millisecond is counted once."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.health import State
from statuspulse.domain.timeline import PLANNED, UNDECIDED, Timeline
from statuspulse.domain.uptime import Interval, Span, Sums

TOLD = (State.UP, State.DEGRADED, State.DOWN)


def an_interval(start: int, end: int, state: State) -> Interval:
    return Interval(start=start, end=end, state=state)


@st.composite
def intervals(draw: st.DrawFn, states: tuple[State, ...], *, gaps: bool) -> list[Interval]:
    places = sorted(draw(st.lists(st.integers(0, 120), min_size=2, max_size=10, unique=True)))
    made = [an_interval(start, end, draw(st.sampled_from(states))) for start, end in pairwise(places)]
    return [one for one in made if not gaps or draw(st.booleans())]


@given(
    decided=intervals(tuple(State), gaps=False),
    late=intervals(TOLD, gaps=True),
    hole=st.tuples(st.integers(0, 100), st.integers(1, 40)),
    start=st.integers(0, 60),
    length=st.integers(1, 80),
)
def test_a_timeline_is_what_counting_every_millisecond_gives(
    decided: list[Interval], late: list[Interval], hole: tuple[int, int], start: int, length: int
) -> None:
    begun, long = hole
    timeline = Timeline.of(decided, [Span(region=1, start=begun, end=begun + long)], 1, late)
    counted: Counter[State] = Counter()
    for at in range(start, start + length):
        own = next((one.state for one in decided if one.start <= at < one.end), None)
        if own is None:
            continue
        unknown = own in UNDECIDED or (own not in PLANNED and begun <= at < begun + long)
        told = next((one.state for one in late if one.start <= at < one.end), State.UNKNOWN)
        counted[told if unknown else own] += 1
    assert timeline.sums(start, start + length) == Sums(
        up=counted[State.UP],
        degraded=counted[State.DEGRADED],
        down=counted[State.DOWN],
        unknown=counted[State.UNKNOWN],
        maintenance=counted[State.MAINTENANCE],
        paused=counted[State.PAUSED],
    )
    assert all(before.end <= after.start for before, after in pairwise(timeline.stretches))


def test_an_outage_is_counted_where_it_begins() -> None:
    timeline = Timeline(
        [
            an_interval(0, 10, State.UP),
            an_interval(10, 20, State.DOWN),
            an_interval(20, 25, State.DOWN),
            an_interval(25, 30, State.UNKNOWN),
            an_interval(30, 40, State.DOWN),
            an_interval(40, 50, State.UP),
        ]
    )
    assert timeline.outages(0, 50) == 2
    assert timeline.outages(10, 11) == 1
    assert timeline.outages(11, 30) == 0
    assert timeline.outages(31, 50) == 0


def test_an_outage_that_a_window_interrupts_is_one_and_the_window_none_of_its_time() -> None:
    seen = Timeline([an_interval(0, 10, State.UP), an_interval(10, 40, State.DOWN), an_interval(40, 50, State.UP)])
    through = seen.with_maintenance([(15, 20), (25, 30)])
    assert (through.outages(0, 50), through.sums(0, 50).down) == (1, 20)
    assert (through.outages(0, 15), through.outages(15, 50)) == (1, 0)
    # What begins in a window is told of from its end on.
    assert seen.with_maintenance([(5, 20)]).outages(0, 50) == 1
    assert seen.with_maintenance([(5, 45)]).outages(0, 50) == 0
    # Up again behind the window, and down anew: two.
    healed = Timeline([an_interval(0, 5, State.DOWN), an_interval(9, 12, State.UP), an_interval(12, 20, State.DOWN)])
    assert healed.with_maintenance([(5, 9)]).outages(0, 20) == 2
