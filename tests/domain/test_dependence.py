"""What may depend on what: circles are refused with the way they go, and chains have an end."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.dependence import circle, longest_chain

NAMES = [f"mon_{number:08d}" for number in range(8)]
EDGES = st.lists(st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3, unique=True)))


def has_circle(graph: dict[str, list[str]]) -> bool:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return True
    return False


@given(EDGES)
def test_whatever_is_asked_for_no_circle_is_ever_stored(asked: list[tuple[str, list[str]]]) -> None:
    graph: dict[str, list[str]] = {}
    for child, wanted in asked:
        way = circle(graph, child, wanted)
        would_be = {**graph, child: wanted}
        assert (way is not None) == has_circle(would_be)
        if way is None:
            graph = would_be
            continue
        assert way[0] == way[-1] == child
        assert all(parent in would_be[one] for one, parent in pairwise(way))


@given(EDGES)
def test_the_longest_chain_is_a_chain_and_none_is_longer(asked: list[tuple[str, list[str]]]) -> None:
    graph: dict[str, list[str]] = {}
    for child, wanted in asked:
        if circle(graph, child, wanted) is not None:
            continue
        chain = longest_chain(graph, child, wanted)
        graph = {**graph, child: wanted}
        assert child in chain
        assert all(parent in graph.get(one, []) for one, parent in pairwise(chain))
        assert len(chain) == longest_below(graph, child) + longest_above(graph, child) - 1


def longest_above(graph: dict[str, list[str]], one: str) -> int:
    return 1 + max((longest_above(graph, parent) for parent in graph.get(one, [])), default=0)


def longest_below(graph: dict[str, list[str]], one: str) -> int:
    return 1 + max((longest_below(graph, child) for child, parents in graph.items() if one in parents), default=0)


def test_a_monitor_that_depends_on_itself_is_a_circle() -> None:
    assert circle({}, "a", ["b", "a"]) == ("a", "a")


def test_the_way_of_a_circle_is_the_shortest_one() -> None:
    graph = {"b": ["c", "d"], "c": ["d"], "d": ["a"]}
    assert circle(graph, "a", ["b"]) == ("a", "b", "d", "a")


def test_many_ways_between_few_monitors_take_no_time() -> None:
    """A ladder of 200 rungs has more ways through it than there are atoms."""
    graph = {f"{number}{side}": [f"{number + 1}l", f"{number + 1}r"] for number in range(200) for side in "lr"}
    assert circle(graph, "x", ["0l"]) is None
    assert len(longest_chain(graph, "x", ["0l"])) == 202
