"""One result against one monitor: which standing it leads to, whether it may decide, and what it lets us see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from statuspulse.domain.doubt import contradicts, recheck_at, wavers
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.health import Decision, Health, Standing, Vote, decide, is_confirmed, may_decide
from statuspulse.domain.result import Result, ResultKind, Verdict
from statuspulse.domain.slowness import NOT_SLOW, Sample, Slowness, newest_rounds, slowness
from statuspulse.domain.times import MINUTE
from statuspulse.domain.uptime import Span
from statuspulse.engine.watchlist import Sight, Watched

_LIVE_WITHIN = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Recheck:
    """A region is to look at a monitor once more, at an instant (ms) beside its slots."""

    watched: Watched
    region_key: int
    not_before: int


@dataclass(slots=True)
class Evaluated:
    """What became of one result.

    It `moves_lateness` where the rows of results alone do not say any more, or do so again, what of the region counted.
    It `opens_doubt` where it is the first failure of what may have been up, and `confirms` an outage of which nobody
    was told that it goes on.
    """

    standing: Standing | None = None
    moves_lateness: bool = False
    unseen: tuple[Span, ...] = ()
    decision: Decision | None = None
    confirms: bool = False
    rechecks: tuple[Recheck, ...] = ()
    opens_doubt: bool = False


def evaluate(watched: Watched, region_key: int, result: Result, absent: frozenset[str], now: int) -> Evaluated:
    """Moves the monitor's standings and sight by one result that is newer than any stored one of its region.

    `absent` are the regions of which no probe is heard any more, or sees targets of this kind.
    """
    sight = watched.sights[region_key]
    sight.stored = result.scheduled_at
    outcome = Evaluated()
    if result.kind is not ResultKind.MANUAL:
        failure = result.observation.failure
        sight.is_blind = failure is not None and failure.kind is FailureClass.PROBE_BLIND
    verdict = result.verdict
    if verdict is Verdict.VOID or result.kind is ResultKind.MANUAL or watched.monitor.paused:
        return outcome
    live = is_live(watched, result, now)
    if live and _was_away(sight, watched, now):
        watched.standings.pop(region_key, None)
    if live or _agrees(watched.state.health, verdict):
        outcome.unseen = _see(sight, region_key, result.scheduled_at, watched)
        sight.last = result
    _note_lateness(sight, result, outcome, is_late=not live)
    if live:
        _vote(watched, region_key, result, absent, now, outcome)
    return outcome


def is_live(watched: Watched, result: Result, now: int) -> bool:
    """Whether the result may move the state: fresh, and made under the rules and since the start that hold now."""
    fresh = now - result.observed_at <= min(watched.rules.vote_lifetime, _LIVE_WITHIN)
    current = result.config_version >= watched.monitor.judged_from_version
    return fresh and current and result.observed_at >= watched.state.votes_from


def eligible(watched: Watched, absent: frozenset[str], now: int) -> list[int]:
    """The regions that may vote: heard since votes count, not absent, not blind, and heard of lately."""
    oldest = now - watched.rules.vote_lifetime
    return [key for key, slug in watched.regions.items() if slug not in absent and _may_vote(watched, key, oldest)]


def _may_vote(watched: Watched, key: int, oldest: int) -> bool:
    sight = watched.sights[key]
    return (sight.counted or 0) >= oldest and not sight.is_blind and watched.standing_of(key).is_heard


def _was_away(sight: Sight, watched: Watched, now: int) -> bool:
    """Whether the region had no vote for so long that what it thought then is worth nothing now.

    Late results that tell of the time between move no streak, and so they do not keep one either.
    """
    return sight.voted is not None and now - sight.voted > watched.rules.longest_absence


def _note_lateness(sight: Sight, result: Result, outcome: Evaluated, *, is_late: bool) -> None:
    outcome.moves_lateness = is_late or sight.is_late
    sight.is_late = is_late
    if not is_late:
        sight.voted = result.scheduled_at


def _vote(
    watched: Watched, region_key: int, result: Result, absent: frozenset[str], now: int, outcome: Evaluated
) -> None:
    verdict, before = result.verdict, watched.standing_of(region_key)
    after = before.after(verdict, result.scheduled_at, watched.rules)
    if after is not before:
        watched.standings[region_key] = outcome.standing = after
    slow = _time(watched, result)
    voters = eligible(watched, absent, now)
    is_contradicted = contradicts(before, verdict)
    outcome.opens_doubt = is_contradicted and verdict is Verdict.FAILED and not watched.is_doubted
    if is_contradicted or watched.is_doubted:
        outcome.rechecks = tuple(_follow_doubt(watched, region_key, voters, now, is_contradicted=is_contradicted))
    if not may_decide(len(voters), len(watched.regions)):
        return
    watched.last_decision_at = max(watched.last_decision_at, now)
    votes = [Vote(region=watched.regions[key], standing=watched.standing_of(key)) for key in voters]
    outcome.decision = decide(watched.state.health, votes, len(watched.regions), watched.rules, slow)
    if watched.state.untold and outcome.decision is None:
        outcome.confirms = is_confirmed(votes, len(watched.regions), watched.rules)


def _follow_doubt(
    watched: Watched, region_key: int, voters: list[int], now: int, *, is_contradicted: bool
) -> Iterator[Recheck]:
    """A doubt that opens asks every region that may vote; while it is open, those ask again that waver still."""
    asked: list[int] = []
    if not watched.is_doubted and is_contradicted:
        watched.is_doubted = True
        asked = [key for key in voters if key != region_key]
    if wavers(watched.standing_of(region_key)):
        asked.append(region_key)
    watched.is_doubted = any(wavers(watched.standing_of(key)) for key in voters)
    yield from look_now(watched, asked, now)


def look_now(watched: Watched, regions: Iterable[int], now: int) -> Iterator[Recheck]:
    """Asks the regions for a look as soon as it tells something new; where a slot comes soon, that serves."""
    for key in regions:
        last = watched.sights[key].last
        at = recheck_at(
            last_end=None if last is None else last.observed_at,
            next_slot=watched.grid(key).next_slot(now),
            interval=watched.rules.interval,
            now=now,
        )
        if at is not None:
            yield Recheck(watched, key, at)


def _time(watched: Watched, result: Result) -> Slowness:
    """Counts the latency of a good scheduled check in, where the monitor has a limit for it."""
    limit_us = watched.rules.degraded_latency_us
    if limit_us is None:
        return NOT_SLOW
    before = watched.samples
    latency_us = result.observation.latency_us
    if result.verdict is Verdict.OK and result.kind is ResultKind.SCHEDULED and latency_us is not None:
        turn = watched.grid(next(iter(watched.regions))).round_of(result.scheduled_at)
        watched.samples = newest_rounds([*before, Sample(round=turn, latency_us=latency_us)])
    return slowness(before, watched.samples, limit_us, watched.rules.failure_threshold)


def _see(sight: Sight, region_key: int, scheduled_at: int, watched: Watched) -> tuple[Span, ...]:
    """Counts the slot as seen; what lay between the end of the last sight and it is a hole.

    Where the regions take turns, each sees for all of them, and a hole is one of all of them.
    """
    sight.counted = scheduled_at
    rules = watched.rules
    sights = watched.sights if rules.rotates else {region_key: sight}
    holes: tuple[Span, ...] = ()
    for key, one in sights.items():
        if one.seen_until is not None and scheduled_at > one.seen_until:
            holes = (*holes, Span(region=key, start=one.seen_until, end=scheduled_at))
        one.seen_until = max(one.seen_until or 0, scheduled_at + rules.interval)
    return holes


def _agrees(health: Health, verdict: Verdict) -> bool:
    """A late result lets us see only where it confirms what was decided; otherwise the time stays unknown."""
    if verdict is Verdict.OK:
        return health in (Health.UP, Health.DEGRADED)
    return health is Health.DOWN
