"""Replays results by the rules that decide live, in the order of their slots: what would have held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from statuspulse.domain.health import (
    Decision,
    Health,
    Position,
    Reason,
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
from statuspulse.domain.slowness import NOT_SLOW, Slowness
from statuspulse.domain.uptime import Interval

_DECIDED = frozenset({Health.UP, Health.DEGRADED, Health.DOWN})


@dataclass(frozen=True, slots=True)
class Observed:
    """A verdict of one region for the slot `at`; void is none."""

    at: int
    region: int
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A change of health, decided at one instant (ms); history has it from another on."""

    before: Health
    health: Health
    decided_at: int
    begun: int
    reason: Reason


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
    replay = Replay(tuple(regions), rules, health, since)
    for seen in ordered:
        replay.wait(seen.at)
        replay.take(seen, seen.at)
    return replay.history(ordered)


@dataclass(slots=True)
class Replay:
    """The mind of the engine over one monitor, without anything that follows from it."""

    regions: tuple[int, ...]
    rules: Rules
    health: Health
    since: int
    standings: dict[int, Standing] = field(default_factory=dict)
    counted: dict[int, int] = field(default_factory=dict)
    pieces: list[tuple[int, Health]] = field(default_factory=list)
    last_decision: int = 0
    votes_from: int = 0

    def __post_init__(self) -> None:
        self.pieces.append((self.since, self.health))
        self.last_decision = self.votes_from = self.since
        first = _first_standing(self.health, self.since, self.rules)
        self.standings = dict.fromkeys(self.regions, first)

    @property
    def silent_at(self) -> int | None:
        """Without a further decision it is unknown after this instant; None where it is so already."""
        return None if self.health is Health.UNKNOWN else self.last_decision + self.rules.longest_silence

    def wait(self, until: int) -> Turn | None:
        """Time goes on without a verdict, which may be too long."""
        silent_at = self.silent_at
        return None if silent_at is None or until <= silent_at else self._lose_sight(silent_at)

    def take(self, seen: Observed, now: int, slow: Slowness = NOT_SLOW) -> Turn | None:
        """One more verdict, decided about at `now`; its slot is later than all of its region before it."""
        region = seen.region
        if now - self.counted.get(region, now) > self.rules.longest_absence:
            self.standings.pop(region, None)
        self.counted[region] = seen.at
        standing = self.standings.get(region) or Standing()
        self.standings[region] = standing.after(seen.verdict, seen.at, self.rules)
        votes = list(self._votes(now))
        if not may_decide(len(votes), len(self.regions)):
            return None
        self.last_decision = now
        decision = decide(self.health, votes, len(self.regions), self.rules, slow)
        return None if decision is None else self._follow(decision, now)

    def history(self, observed: Sequence[Observed]) -> list[Interval]:
        """What held as far as these verdicts, by their slots, saw it; where regions take turns, each sees for all."""
        if self.rules.rotates:
            shared = [Observed(seen.at, 0, seen.verdict) for seen in observed]
            return list(_within(self.pieces, _covered(shared, 1, self.rules.interval)))
        return list(_within(self.pieces, _covered(observed, len(self.regions), self.rules.interval)))

    def _votes(self, now: int) -> Iterator[Vote]:
        oldest = now - self.rules.vote_lifetime
        for region in self.regions:
            standing = self.standings.get(region)
            if standing is not None and standing.is_heard and self.counted.get(region, oldest - 1) >= oldest:
                yield Vote(region=str(region), standing=standing)

    def _lose_sight(self, now: int) -> Turn:
        ends = [self.counted.get(region, self.since) + self.rules.interval for region in self.regions]
        if self.rules.rotates:
            ends = [max(ends)] * len(ends)
        lost = sight_lost_at(ends, len(self.regions))
        turn = self._follow(Decision(health=Health.UNKNOWN, first_observed_at=lost, reason=Reason.SIGHT_LOST), now)
        self.votes_from = now
        self.standings.clear()
        return turn

    def _follow(self, decision: Decision, now: int) -> Turn:
        """What began later in history is dropped, as with live decisions."""
        before = self.health
        begun = begins_at(decision, before, since=self.since, interval=self.rules.interval, now=now)
        begun = max(begun, self.votes_from)
        while self.pieces and self.pieces[-1][0] >= begun:
            self.pieces.pop()
        if not self.pieces or self.pieces[-1][1] is not decision.health:
            self.pieces.append((begun, decision.health))
        self.health, self.since = decision.health, begun
        return Turn(before=before, health=decision.health, decided_at=now, begun=begun, reason=decision.reason)


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
