"""When two clients took as long as each other, though the machine is busy with something else besides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

Phases = Mapping[str, int]

_LOOKS = 5
_ROUNDS = 8


async def disagreements(ours: Callable[[], Awaitable[Phases]], reference: Callable[[], Awaitable[Phases]]) -> list[str]:
    """The phases, in µs, that differ by more than 1 ms and by more than 5 %.

    Both look in turn. What other work on the machine adds is never negative and not in every look, so that the shortest
    ones are compared; while they differ there are more looks.
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
    pairs = {name: (min(one[name] for one in seen), min(one[name] for one in told)) for name in seen[0]}
    return [
        f"{name}: {one} µs and {other} µs"
        for name, (one, other) in pairs.items()
        if abs(one - other) > max(1000, 0.05 * other)
    ]
