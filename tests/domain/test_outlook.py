"""Outlooks: the fewest further results that change the health, and they do change it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.health import Health, Position, Rules, Standing, Vote, decide
from statuspulse.domain.outlook import Change, Voter, changes
from statuspulse.domain.result import Verdict
from statuspulse.domain.times import SECOND

REGIONS = ("us-east", "eu-west", "ap-south")
PASSING = Standing(position=Position.PASSING, ok_streak=2, first_ok_at=1)
WOBBLING = Standing(position=Position.PASSING, fail_streak=1, first_fail_at=2, first_ok_at=1)
FAILING = Standing(position=Position.FAILING, fail_streak=2, first_fail_at=1)
RECOVERING = Standing(position=Position.FAILING, ok_streak=1, first_ok_at=2, first_fail_at=1)
NONE = Standing()


def rules(quorum: str | int = "majority") -> Rules:
    return Rules(interval=30 * SECOND, timeout=10 * SECOND, failure_threshold=2, recovery_threshold=2, quorum=quorum)


def voters(*standings: Standing, away: tuple[int, ...] = ()) -> list[Voter]:
    return [
        Voter(region=REGIONS[place], standing=standing, eligible=place not in away)
        for place, standing in enumerate(standings)
    ]


def told(found: list[Change]) -> dict[Health, list[tuple[str, bool, int]]]:
    return {
        change.health: [(need.region, need.verdict is Verdict.OK, need.results) for need in change.needed]
        for change in found
    }


@pytest.mark.parametrize(
    ("health", "standings", "expected"),
    [
        (Health.UP, (WOBBLING,), {Health.DOWN: [("us-east", False, 1)]}),
        (Health.DOWN, (FAILING,), {Health.UP: [("us-east", True, 2)]}),
        (Health.DOWN, (RECOVERING,), {Health.UP: [("us-east", True, 1)]}),
        (Health.PENDING, (NONE,), {Health.DOWN: [("us-east", False, 2)], Health.UP: [("us-east", True, 1)]}),
        (
            Health.UP,
            (PASSING, WOBBLING, PASSING),
            {
                Health.DEGRADED: [("eu-west", False, 1)],
                Health.DOWN: [("eu-west", False, 1), ("us-east", False, 2)],
            },
        ),
        (
            Health.DEGRADED,
            (FAILING, WOBBLING, PASSING),
            {Health.DOWN: [("eu-west", False, 1)], Health.UP: [("us-east", True, 2)]},
        ),
    ],
)
def test_the_nearest_change_is_told(
    health: Health, standings: tuple[Standing, ...], expected: dict[Health, list[tuple[str, bool, int]]]
) -> None:
    assert told(changes(health, voters(*standings), rules())) == expected


def test_a_region_that_was_away_has_to_report_before_it_votes() -> None:
    found = told(changes(Health.UNKNOWN, voters(PASSING, away=(0,)), rules()))
    assert found == {Health.DOWN: [("us-east", False, 2)], Health.UP: [("us-east", True, 1)]}


standing_of = st.sampled_from([PASSING, WOBBLING, FAILING, RECOVERING, NONE])


@given(
    st.sampled_from(list(Health)),
    st.lists(standing_of, min_size=1, max_size=3),
    st.sampled_from(["majority", "any", "all", 2]),
    st.sets(st.integers(0, 2)),
)
def test_what_is_told_does_change_the_health(
    health: Health, standings: list[Standing], quorum: str | int, away: set[int]
) -> None:
    """Played through with the rules themselves, result by result."""
    asked = voters(*standings, away=tuple(away))
    for change in changes(health, asked, rules(quorum)):
        votes = {voter.region: voter.standing for voter in asked if voter.eligible}
        held = {voter.region: voter.standing for voter in asked}
        for need in change.needed:
            assert need.results > 0
            for place in range(need.results):
                held[need.region] = held[need.region].after(need.verdict, 1000 + place, rules(quorum))
            votes[need.region] = held[need.region]
        cast = [Vote(region=region, standing=standing) for region, standing in votes.items()]
        decision = decide(health, cast, len(asked), rules(quorum))
        assert decision is not None
        assert decision.health is change.health
