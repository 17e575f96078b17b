"""Replays results by the rules that decide live, in the order of their slots: what would have held (`ENGINE.md` 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from statuspulse.domain.health import (
    Decision,
    Health,
    Position,
    Rules,
    Standing,
    State,
    Vote,
    begins_at,
    decide,
    may_decide,
    sight_lost_at,
)
from statuspulse.domain.result import Verdict
from statuspulse.domain.uptime import Interval

_DECIDED = frozenset({Health.UP, Health.DEGRADED, Health.DOWN})


@dataclass(frozen=True, slots=True)
class Observed:
    """A verdict of one region for the slot `at`; void is none."""

    at: int
    region: int
    verdict: Verdict


def warm_up(rules: Rules) -> int:
    """How much time (ms) before and after a stretch settles what every region thinks at its ends."""
    return (max(rules.failure_threshold, rules.recovery_threshold) + 1) * rules.interval


def replayed(
    observed: Sequence[Observed], regions: Sequence[int], rules: Rules, *, health: Health, since: int
) -> list[Interval]:
    """What held from `since` on, where at least half of the regions saw the target; `health` held before.

    The same results give the same answer however and whenever they came. Degraded latency is not replayed.
    """
    ordered = sorted(observed, key=lambda seen: (seen.at, regions.index(seen.region)))
    replay = _Replay(tuple(regions), rules, health, since)
    for seen in ordered:
        replay.take(seen)
    covered = _covered(ordered, len(regions), rules.interval)
    return list(_within(replay.pieces, covered))


@dataclass(slots=True)
class _Replay:
    """The mind of the engine over one monitor, without anything that follows from it."""

    regions: tuple[int, ...]
    rules: Rules
    health: Health
    since: int
    standings: dict[int, Standing] = field(default_factory=dict)
    counted: dict[int, int] = field(default_factory=dict)
    pieces: list[tuple[int, Health]] = field(default_factory=list)
    last_decision: int = 0

    def __post_init__(self) -> None:
        self.pieces.append((self.since, self.health))
        self.last_decision = self.since
        first = _first_standing(self.health, self.since, self.rules)
        self.standings = dict.fromkeys(self.regions, first)

    def take(self, seen: Observed) -> None:
        if self.health is not Health.UNKNOWN and seen.at - self.last_decision > self.rules.longest_silence:
            self._lose_sight()
        region = seen.region
        if seen.at - self.counted.get(region, seen.at) > self.rules.longest_silence:
            self.standings.pop(region, None)
        self.counted[region] = seen.at
        standing = self.standings.get(region) or Standing()
        self.standings[region] = standing.after(seen.verdict, seen.at, self.rules)
        votes = list(self._votes(seen.at))
        if may_decide(len(votes), len(self.regions)):
            self.last_decision = seen.at
            decision = decide(self.health, votes, len(self.regions), self.rules)
            if decision is not None:
                self._follow(decision, seen.at)

    def _votes(self, now: int) -> Iterator[Vote]:
        oldest = now - self.rules.vote_lifetime
        for region in self.regions:
            if self.counted.get(region, oldest - 1) >= oldest:
                yield Vote(region=str(region), standing=self.standings.get(region) or Standing())

    def _follow(self, decision: Decision, now: int) -> None:
        begun = begins_at(decision, self.health, since=self.since, interval=self.rules.interval, now=now)
        self._turn(decision.health, max(begun, self.pieces[0][0]))

    def _lose_sight(self) -> None:
        ends = [self.counted.get(region, self.since) + self.rules.interval for region in self.regions]
        self._turn(Health.UNKNOWN, max(self.since, sight_lost_at(ends, len(self.regions))))
        self.standings.clear()

    def _turn(self, health: Health, begun: int) -> None:
        """From `begun` on it is this; what began later is dropped, as in the history of live decisions."""
        while self.pieces and self.pieces[-1][0] >= begun:
            self.pieces.pop()
        if not self.pieces or self.pieces[-1][1] is not health:
            self.pieces.append((begun, health))
        self.health, self.since = health, begun


def _first_standing(health: Health, since: int, rules: Rules) -> Standing:
    """What each region thinks at the beginning: what held, until its own results say otherwise."""
    if health is Health.UP:
        return Standing(position=Position.PASSING, ok_streak=rules.recovery_threshold, first_ok_at=since)
    if health is Health.DOWN:
        return Standing(position=Position.FAILING, fail_streak=rules.failure_threshold, first_fail_at=since)
    return Standing()


def _covered(observed: Iterable[Observed], regions: int, interval: int) -> list[tuple[int, int]]:
    """The disjoint stretches that at least half of the regions saw: a verdict sees [slot, slot + interval)."""
    steps: list[tuple[int, int]] = []
    for start, end in _sights(observed, interval):
        steps += [(start, 1), (end, -1)]
    found: list[tuple[int, int]] = []
    seeing, began = 0, 0
    for at, step in sorted(steps):
        enough_before = 2 * seeing >= regions
        seeing += step
        enough = 2 * seeing >= regions
        if enough and not enough_before:
            began = at
        elif enough_before and not enough and began < at:
            found.append((began, at))
    return found


def _sights(observed: Iterable[Observed], interval: int) -> Iterator[tuple[int, int]]:
    """What each region saw without a break."""
    open_sights: dict[int, tuple[int, int]] = {}
    for seen in observed:
        start, end = open_sights.get(seen.region, (seen.at, seen.at))
        if seen.at > end:
            yield start, end
            start = seen.at
        open_sights[seen.region] = start, max(end, seen.at + interval)
    yield from open_sights.values()


def _within(pieces: Sequence[tuple[int, Health]], covered: Sequence[tuple[int, int]]) -> Iterator[Interval]:
    """What was decided, as far as it was seen."""
    if not covered:
        return
    ended = [*pieces, (max(covered[-1][1], pieces[-1][0]), Health.UNKNOWN)]
    for (start, health), (end, _) in pairwise(ended):
        if health not in _DECIDED:
            continue
        for low, high in covered:
            if max(low, start) < min(high, end):
                yield Interval(start=max(low, start), end=min(high, end), state=State(health.value))
