"""What monitors depend on: circles and long chains are refused, because somebody has to be told in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# A chain of so many monitors at most. Each waits for the doubt of the next one only, but people have to read it.
MOST_LEVELS = 10

# The ids of what each monitor depends on; one that depends on nothing may be missing.
Parents = Mapping[str, Sequence[str]]


def circle(parents: Parents, child: str, wanted: Sequence[str]) -> tuple[str, ...] | None:
    """The way from the child back to itself if it depended on what is wanted; None where there is none."""
    seen: set[str] = set()
    ways: list[tuple[str, ...]] = [(child, parent) for parent in wanted]
    for way in ways:
        if way[-1] == child:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [(*way, parent) for parent in parents.get(way[-1], ())]
    return None


def longest_chain(parents: Parents, child: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """The longest chain through the child, from what depends on it to what it would depend on. No circles are in it."""
    children: dict[str, list[str]] = {}
    for one, named in parents.items():
        for parent in named:
            children.setdefault(parent, []).append(one)
    known: dict[str, tuple[str, ...]] = {}
    above = max((_chain(parents, parent, known) for parent in wanted), key=len, default=())
    below = _chain(children, child, {})
    return (*reversed(below), *above)


def _chain(edges: Parents, start: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The longest way along the edges, without recursion: nobody promises that stored chains are short."""
    stack = [start]
    while stack:
        one = stack[-1]
        open_ones = [following for following in edges.get(one, ()) if following not in known]
        if open_ones:
            stack += open_ones
            continue
        stack.pop()
        known[one] = (one, *max((known[following] for following in edges.get(one, ())), key=len, default=()))
    return known[start]
