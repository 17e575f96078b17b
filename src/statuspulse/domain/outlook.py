"""What would change the health of a monitor: the fewest further results that lead to another decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from statuspulse.domain.health import Health, Position, Rules, Standing, Vote, decide
from statuspulse.domain.result import Verdict

_LEADS_TO = {Verdict.FAILED: Position.FAILING, Verdict.OK: Position.PASSING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    """A region of a monitor with its standing; one that is not eligible votes again with its next result."""

    region: str
    standing: Standing
    eligible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """So many results of one verdict, one after the other, from one region."""

    region: str
    verdict: Verdict
    results: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The health that follows from some further results, as long as the other regions vote as they do now."""

    health: Health
    needed: tuple[Needed, ...]


def changes(health: Health, voters: Sequence[Voter], rules: Rules) -> list[Change]:
    """For each other health the nearest way to it by failures alone and by successes alone."""
    found: dict[Health, Change] = {}
    for verdict in (Verdict.FAILED, Verdict.OK):
        for change in _by(verdict, health, voters, rules):
            found.setdefault(change.health, change)
    return list(found.values())


def _by(verdict: Verdict, health: Health, voters: Sequence[Voter], rules: Rules) -> Iterator[Change]:
    """Has region after region turn, those first that need the fewest results."""
    now = {voter.region: Vote(region=voter.region, standing=voter.standing) for voter in voters if voter.eligible}
    turned = sorted((_turned(voter, verdict, rules) for voter in voters), key=lambda found: found[0].results)
    needed: list[Needed] = []
    for need, vote in turned:
        if need.results == 0:
            continue
        needed.append(need)
        now[vote.region] = vote
        decision = decide(health, list(now.values()), len(voters), rules)
        if decision is not None:
            yield Change(health=decision.health, needed=tuple(needed))


def _turned(voter: Voter, verdict: Verdict, rules: Rules) -> tuple[Needed, Vote]:
    """What the region lacks for the position that the verdict leads to, and its vote then."""
    standing, results = voter.standing, 0
    if not voter.eligible:
        standing, results = standing.after(verdict, _LATER, rules), 1
    while standing.position is not _LEADS_TO[verdict]:
        standing, results = standing.after(verdict, _LATER + results, rules), results + 1
    return Needed(region=voter.region, verdict=verdict, results=results), Vote(region=voter.region, standing=standing)


# Only the order of slots matters here: any that lies behind all others will do.
_LATER = 1 << 50
