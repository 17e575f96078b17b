"""The quorum as properties: nothing is down below its need, even splits hold, and one failure more never helps."""

from __future__ import annotations

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from statuspulse.domain.health import Health, Position, Quorum, Rules, Standing, Vote, bounds, decide
from statuspulse.domain.slowness import Slowness

quorums: st.SearchStrategy[Quorum] = st.one_of(st.sampled_from(["majority", "any", "all"]), st.integers(1, 8))
settled = st.lists(st.sampled_from([Position.PASSING, Position.FAILING]), min_size=1, max_size=8)
healths = st.sampled_from([Health.PENDING, Health.UP, Health.DEGRADED, Health.DOWN, Health.UNKNOWN])
_GRAVITY = {Health.UP: 0, Health.DEGRADED: 1, Health.DOWN: 2}


def decided(health: Health, positions: list[Position], quorum: Quorum, slow: Slowness | None = None) -> Health:
    """The health after the votes of so many regions, all of which report."""
    rules = Rules(interval=30_000, timeout=10_000, failure_threshold=2, recovery_threshold=2, quorum=quorum)
    votes = [
        Vote(region=f"region-{number}", standing=Standing(position=position, first_fail_at=1, first_ok_at=1))
        for number, position in enumerate(positions)
    ]
    decision = decide(health, votes, len(votes), rules, slow or Slowness())
    return health if decision is None else decision.health


@given(healths, settled, quorums)
def test_nothing_goes_down_while_fewer_fail_than_are_needed(
    health: Health, positions: list[Position], quorum: Quorum
) -> None:
    need, _ = bounds(quorum, len(positions))
    assume(health is not Health.DOWN)
    assert (decided(health, positions, quorum) is Health.DOWN) == (positions.count(Position.FAILING) >= need)


@given(st.integers(1, 4), st.randoms(use_true_random=False))
def test_an_even_split_ends_no_outage_and_begins_none(half: int, chance: Random) -> None:
    positions = [Position.FAILING, Position.PASSING] * half
    chance.shuffle(positions)
    assert decided(Health.DOWN, positions, "majority") is Health.DOWN
    assert decided(Health.DEGRADED, positions, "majority") is Health.DEGRADED
    assert decided(Health.UP, positions, "majority") is Health.DEGRADED


@given(healths, settled, quorums, st.data())
def test_one_more_region_that_fails_never_makes_it_better(
    health: Health, positions: list[Position], quorum: Quorum, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(positions) - 1))
    worse = [*positions[:place], Position.FAILING, *positions[place + 1 :]]
    assert _GRAVITY[decided(health, worse, quorum)] >= _GRAVITY[decided(health, positions, quorum)]


@given(healths, settled, quorums)
def test_a_decision_stands_when_the_same_votes_come_again(
    health: Health, positions: list[Position], quorum: Quorum
) -> None:
    once = decided(health, positions, quorum)
    assert decided(once, positions, quorum) is once


@given(healths, settled, st.booleans(), st.booleans(), st.booleans())
def test_slow_answers_degrade_what_is_up_and_nothing_else(
    health: Health, positions: list[Position], begins: bool, lasts: bool, lasted: bool
) -> None:
    assume(lasts or not begins)
    plain = decided(health, positions, "majority")
    slow = decided(health, positions, "majority", Slowness(begins=begins, lasts=lasts, lasted=lasted))
    is_slow = begins or (lasts and health is Health.DEGRADED)
    assert slow is (Health.DEGRADED if plain is Health.UP and is_slow else plain)
