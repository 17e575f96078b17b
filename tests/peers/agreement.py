"""When two clients took as long as each other, though the machine is busy with something else besides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from statistics import quantiles

Phases = Mapping[str, int]

_LOOKS = 5
_ROUNDS = 8


async def disagreements(ours: Callable[[], Awaitable[Phases]], reference: Callable[[], Awaitable[Phases]]) -> list[str]:
    """The phases, in µs, that differ by more than 1 ms and by more than 5 %.

    Both look in turn, and while they differ there are more looks. A wrong phase is wrong in every look, so that
    shortest, lower quartile and median all differ; a busy machine spoils one or the other of them: it makes most
    looks longer, and a few shorter, where a client began to count late.
    """
    seen: list[Phases] = []
    told: list[Phases] = []
    differing: list[str] = []
    for _ in range(_ROUNDS):
        for _ in range(_LOOKS):
            seen.append(await ours())
            told.append(await reference())
        differing = _differing(seen, told)
        if not differing:
            break
    return differing


def _differing(seen: Sequence[Phases], told: Sequence[Phases]) -> list[str]:
    assert {*seen[0]} == {*told[0]}
    pairs = {name: (_marks([one[name] for one in seen]), _marks([one[name] for one in told])) for name in seen[0]}
    return [
        f"{name}: {one} µs and {other} µs"
        for name, (one, other) in pairs.items()
        if not any(_agree(*marks) for marks in zip(one, other, strict=True))
    ]


def _marks(durations: list[int]) -> tuple[float, float, float]:
    """Shortest, lower quartile and median."""
    quartile, median, _ = quantiles(durations, n=4)
    return min(durations), quartile, median


def _agree(ours: float, reference: float) -> bool:
    return abs(ours - reference) <= max(1000, 0.05 * reference)
