"""How fast incidents were taken on and ended: counts, medians and 95th percentiles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from statuspulse.domain.times import SECOND


@dataclass(frozen=True, slots=True)
class Course:
    """One incident: of which group it is, and its instants (ms), None for what has not happened."""

    group: str | None
    triggered_at: int
    acknowledged_at: int | None
    resolved_at: int | None


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile in seconds by nearest rank; None where there is nothing to count."""

    median: float | None
    p95: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What some incidents have in common; one that ended without an acknowledgement has no time to it."""

    count: int
    open: int
    to_acknowledge: Spread
    to_resolve: Spread


def figures(courses: Iterable[Course]) -> Figures:
    found = list(courses)
    taken = [one.acknowledged_at - one.triggered_at for one in found if one.acknowledged_at is not None]
    ended = [one.resolved_at - one.triggered_at for one in found if one.resolved_at is not None]
    return Figures(
        count=len(found),
        open=len(found) - len(ended),
        to_acknowledge=_spread(taken),
        to_resolve=_spread(ended),
    )


def grouped(courses: Iterable[Course]) -> dict[str | None, Figures]:
    """The figures of each group, in the order in which the groups come."""
    groups: dict[str | None, list[Course]] = {}
    for one in courses:
        groups.setdefault(one.group, []).append(one)
    return {group: figures(members) for group, members in groups.items()}


def _spread(lengths: list[int]) -> Spread:
    """An acknowledgement may lie before a trigger that was back-dated wrongly: nothing takes less than no time."""
    ordered = sorted(max(0, length) / SECOND for length in lengths)
    if not ordered:
        return Spread(None, None)
    return Spread(ordered[(len(ordered) - 1) // 2], ordered[-(-95 * len(ordered) // 100) - 1])
