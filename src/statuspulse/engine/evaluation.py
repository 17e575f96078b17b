"""One result against one monitor: which standing it leads to, whether it may decide, and what it lets us see."""

from __future__ import annotations

from dataclasses import dataclass

from statuspulse.domain.health import Decision, Health, Standing, Vote, decide, may_decide
from statuspulse.domain.result import Result, ResultKind, Verdict
from statuspulse.domain.times import MINUTE
from statuspulse.domain.uptime import Span
from statuspulse.engine.watchlist import Sight, Watched

_LIVE_WITHIN = 10 * MINUTE


@dataclass(slots=True)
class Evaluated:
    """What became of one result."""

    standing: Standing | None = None
    unseen: Span | None = None
    decision: Decision | None = None


def evaluate(watched: Watched, region_key: int, result: Result, now: int) -> Evaluated:
    """Moves the monitor's standings and sight by one result that is newer than any stored one of its region."""
    sight = watched.sights[region_key]
    sight.stored = result.scheduled_at
    outcome = Evaluated()
    if result.verdict is Verdict.VOID or result.kind is ResultKind.MANUAL or watched.monitor.paused:
        return outcome
    live = is_live(watched, result, now)
    if live and _was_away(sight, watched, now):
        watched.standings.pop(region_key, None)
    if live or _agrees(watched.state.health, result.verdict):
        outcome.unseen = _see(sight, region_key, result.scheduled_at, watched)
        sight.last = result
    if live:
        _vote(watched, region_key, result, now, outcome)
    return outcome


def is_live(watched: Watched, result: Result, now: int) -> bool:
    """Whether the result may move the state: fresh, and made under the rules and since the start that hold now."""
    fresh = now - result.observed_at <= min(watched.rules.vote_lifetime, _LIVE_WITHIN)
    current = result.config_version >= watched.monitor.judged_from_version
    return fresh and current and result.observed_at >= watched.state.votes_from


def eligible(watched: Watched, now: int) -> list[Vote]:
    """The votes of the regions whose last counted result is young enough."""
    oldest = now - watched.rules.vote_lifetime
    return [
        Vote(region=slug, standing=watched.standings.get(key, Standing()))
        for key, slug in watched.regions.items()
        if (watched.sights[key].counted or 0) >= oldest
    ]


def _was_away(sight: Sight, watched: Watched, now: int) -> bool:
    """Whether the region was silent for so long that what it thought then is worth nothing now."""
    return sight.counted is not None and now - sight.counted > watched.rules.longest_silence


def _vote(watched: Watched, region_key: int, result: Result, now: int, outcome: Evaluated) -> None:
    before = watched.standings.get(region_key) or Standing()
    after = before.after(result.verdict, result.scheduled_at, watched.rules)
    if after is not before:
        watched.standings[region_key] = outcome.standing = after
    votes = eligible(watched, now)
    if not may_decide(len(votes), len(watched.regions)):
        return
    watched.last_decision_at = max(watched.last_decision_at, now)
    outcome.decision = decide(watched.state.health, votes, len(watched.regions), watched.rules)


def _see(sight: Sight, region_key: int, scheduled_at: int, watched: Watched) -> Span | None:
    """Counts the slot as seen; what lay between the end of the last sight and it is a hole."""
    hole = None
    if sight.seen_until is not None and scheduled_at > sight.seen_until:
        hole = Span(region=region_key, start=sight.seen_until, end=scheduled_at)
    sight.counted = scheduled_at
    sight.seen_until = max(sight.seen_until or 0, scheduled_at + watched.rules.interval)
    return hole


def _agrees(health: Health, verdict: Verdict) -> bool:
    """A late result lets us see only where it confirms what was decided; otherwise the time stays unknown."""
    if verdict is Verdict.OK:
        return health in (Health.UP, Health.DEGRADED)
    return health is Health.DOWN
