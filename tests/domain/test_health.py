"""Votes become health: one outage step by step, and a slow second reading of the quorum table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.health import (
    Decision,
    Health,
    Position,
    Quorum,
    Reason,
    Rules,
    Standing,
    State,
    Vote,
    bounds,
    decide,
    effective,
    may_decide,
    sight_lost_at,
    silence_ends_in,
)
from statuspulse.domain.result import Verdict

RULES = Rules(interval=30_000, timeout=10_000, failure_threshold=2, recovery_threshold=2, quorum="majority")
PASSING = Standing(position=Position.PASSING, ok_streak=2, first_ok_at=0)
FAILING = Standing(position=Position.FAILING, fail_streak=2, first_fail_at=0)
OK, FAILED, VOID = Verdict.OK, Verdict.FAILED, Verdict.VOID
REGIONS = ("us-east", "eu-west", "ap-south")

quorums: st.SearchStrategy[Quorum] = st.one_of(st.sampled_from(["majority", "any", "all"]), st.integers(1, 6))
positions = st.lists(st.sampled_from(Position), max_size=6)
verdicts = st.sampled_from([OK, OK, FAILED, FAILED, VOID])


def a_standing(position: Position, at: int = 0) -> Standing:
    return Standing(
        position=position,
        first_fail_at=at if position is Position.FAILING else None,
        first_ok_at=at if position is Position.PASSING else None,
    )


def votes_of(*standings: Standing) -> list[Vote]:
    return [Vote(region=f"region-{number}", standing=standing) for number, standing in enumerate(standings)]


def after(standing: Standing, *verdicts_at: tuple[Verdict, int], rules: Rules = RULES) -> Standing:
    for verdict, at in verdicts_at:
        standing = standing.after(verdict, at, rules)
    return standing


# --- standings -------------------------------------------------------------------------------------------


def test_the_first_ok_gives_a_standing_and_the_first_failure_does_not() -> None:
    assert after(Standing(), (OK, 10)).position is Position.PASSING
    assert after(Standing(), (FAILED, 10)).position is Position.NONE
    assert after(Standing(), (FAILED, 10), (FAILED, 20)) == Standing(
        position=Position.FAILING, fail_streak=2, first_fail_at=10
    )
    assert after(Standing(), (FAILED, 10), (OK, 20)) == Standing(position=Position.PASSING, ok_streak=1, first_ok_at=20)


def test_a_region_turns_at_its_thresholds_and_not_before() -> None:
    rules = replace(RULES, failure_threshold=3, recovery_threshold=3)
    standing = PASSING
    for at, position in ((10, Position.PASSING), (20, Position.PASSING), (30, Position.FAILING)):
        standing = standing.after(FAILED, at, rules)
        assert standing.position is position
    assert standing.first_fail_at == 10
    for at, position in ((40, Position.FAILING), (50, Position.FAILING), (60, Position.PASSING)):
        standing = standing.after(OK, at, rules)
        assert standing.position is position
    assert standing == Standing(position=Position.PASSING, ok_streak=3, first_ok_at=40)


def test_an_interrupted_streak_begins_anew() -> None:
    standing = after(PASSING, (FAILED, 10), (OK, 20), (FAILED, 30))
    assert (standing.position, standing.fail_streak, standing.first_fail_at) == (Position.PASSING, 1, 30)
    standing = after(FAILING, (OK, 10), (FAILED, 20), (OK, 30))
    assert (standing.position, standing.ok_streak, standing.first_ok_at) == (Position.FAILING, 1, 30)


def test_a_region_keeps_the_instant_at_which_its_position_began() -> None:
    """A lone result of the other kind ends nothing: the outage is as old as it was."""
    assert after(FAILING, (OK, 10)).first_fail_at == after(FAILING, (OK, 10), (FAILED, 20)).first_fail_at == 0
    assert after(PASSING, (FAILED, 10)).first_ok_at == after(PASSING, (FAILED, 10), (OK, 20)).first_ok_at == 0


def test_a_void_result_touches_nothing() -> None:
    for standing in (Standing(), PASSING, FAILING, after(PASSING, (FAILED, 10))):
        assert standing.after(VOID, 99, RULES) is standing


def test_a_steady_state_is_the_same_object() -> None:
    assert PASSING.after(OK, 99, RULES) is PASSING
    assert FAILING.after(FAILED, 99, RULES) is FAILING


def test_a_new_target_keeps_the_position_and_starts_the_streaks_anew() -> None:
    assert after(PASSING, (FAILED, 10)).without_streaks() == Standing(position=Position.PASSING, first_ok_at=0)
    assert after(FAILING, (OK, 10)).without_streaks() == Standing(position=Position.FAILING, first_fail_at=0)
    assert after(Standing(), (FAILED, 10)).without_streaks() == Standing()


@given(st.lists(verdicts, max_size=40), st.integers(1, 4), st.integers(1, 4))
def test_no_region_flips_early(history: list[Verdict], failures: int, recoveries: int) -> None:
    """The position follows from the results alone, read backwards: how many of one kind came last, void left out."""
    rules = replace(RULES, failure_threshold=failures, recovery_threshold=recoveries)
    standing, position, counted = Standing(), Position.NONE, list[Verdict]()
    for at, verdict in enumerate(history):
        standing = standing.after(verdict, at, rules)
        if verdict is not VOID:
            counted.append(verdict)
        if counted[-failures:] == [FAILED] * failures:
            position = Position.FAILING
        elif counted[-recoveries:] == [OK] * recoveries or (counted[-1:] == [OK] and position is Position.NONE):
            position = Position.PASSING
        assert standing.position is position
        assert (standing.first_fail_at is None) <= (position is not Position.FAILING)
        assert (standing.first_ok_at is None) <= (position is not Position.PASSING)


# --- quorum ----------------------------------------------------------------------------------------------


def reads_down(quorum: Quorum, failing: int, eligible: int) -> bool:
    """The table in words: more than half; at least one; every one; n of them, or all where there are fewer."""
    if quorum == "majority":
        return failing > eligible - failing
    if quorum == "any":
        return failing > 0
    if quorum == "all":
        return failing == eligible
    assert isinstance(quorum, int)
    return failing >= quorum or failing == eligible


def reads_recovered(quorum: Quorum, passing: int, eligible: int) -> bool:
    """Recovered is what could not be down even if everyone who does not pass failed; a majority has to say so."""
    if quorum == "majority":
        return passing > eligible - passing
    return not reads_down(quorum, eligible - passing, eligible)


@given(quorums, positions, st.integers(1, 6), st.sampled_from([health for health in Health if health != "unknown"]))
def test_a_decision_is_what_the_table_says(
    quorum: Quorum, standing: list[Position], configured: int, health: Health
) -> None:
    failing, passing = standing.count(Position.FAILING), standing.count(Position.PASSING)
    expected = health
    if standing and 2 * len(standing) >= configured:
        stays_down = health is Health.DOWN and not reads_recovered(quorum, passing, len(standing))
        if stays_down or reads_down(quorum, failing, len(standing)):
            expected = Health.DOWN
        elif failing:
            expected = Health.DEGRADED
        elif passing:
            expected = Health.UP
    votes = votes_of(*(a_standing(position, at) for at, position in enumerate(standing)))
    decision = decide(health, votes, configured, replace(RULES, quorum=quorum))
    assert (health if decision is None else decision.health) is expected
    if decision is not None:
        assert decision.reason is Reason.PROBE_RESULT


@given(quorums, st.integers(1, 6), st.integers(0, 6))
def test_what_makes_it_down_never_ends_it_too(quorum: Quorum, eligible: int, failing: int) -> None:
    need_down, need_up = bounds(quorum, eligible)
    assert 1 <= need_down <= eligible
    assert 1 <= need_up <= eligible
    assert not (failing >= need_down and eligible - failing >= need_up)


def test_an_even_split_moves_nothing() -> None:
    split = votes_of(PASSING, PASSING, FAILING, FAILING)
    assert decide(Health.DOWN, split, 4, RULES) is None
    assert decide(Health.DEGRADED, split, 4, RULES) is None


def test_fewer_than_half_of_the_regions_decide_nothing() -> None:
    assert not may_decide(0, 0)
    assert not may_decide(1, 3)
    assert may_decide(1, 2)
    assert may_decide(2, 3)
    assert decide(Health.UP, votes_of(FAILING), 3, RULES) is None


def test_nobody_with_a_standing_decides_nothing() -> None:
    assert decide(Health.PENDING, votes_of(Standing(), Standing()), 2, RULES) is None


# --- when it began ---------------------------------------------------------------------------------------


def down_since(*first_fails: int) -> int:
    standings = [Standing(position=Position.FAILING, fail_streak=2, first_fail_at=at) for at in first_fails]
    rest = [PASSING] * (3 - len(standings))
    decision = decide(Health.UP, votes_of(*standings, *rest), 3, RULES)
    assert decision is not None
    assert decision.health is Health.DOWN
    return decision.first_observed_at


def test_an_outage_begins_with_the_turn_in_which_enough_regions_began_to_fail() -> None:
    assert down_since(100_000, 110_000) == 100_000
    assert down_since(80_000, 110_000) == 80_000
    # Alone for longer than a turn: that region's trouble was its own.
    assert down_since(79_999, 110_000) == 110_000
    assert down_since(10_000, 100_000, 110_000) == 100_000


def test_an_outage_of_which_a_region_has_seen_one_ok_is_as_old_as_it_was() -> None:
    wavering = after(replace(FAILING, first_fail_at=100_000), (OK, 160_000))
    votes = votes_of(wavering, replace(FAILING, first_fail_at=110_000), PASSING)
    assert decide(Health.DOWN, votes, 3, RULES) is None
    again = decide(Health.UNKNOWN, votes, 3, RULES)
    assert again is not None
    assert again.first_observed_at == 100_000


def test_a_recovery_counts_regions_that_have_wavered_meanwhile() -> None:
    wavering = after(PASSING, (FAILED, 40_000))
    recovered = replace(PASSING, first_ok_at=60_000)
    decision = decide(Health.DOWN, votes_of(recovered, wavering, FAILING), 3, RULES)
    assert decision == Decision(health=Health.DEGRADED, first_observed_at=60_000, reason=Reason.PROBE_RESULT)


class Example:
    """Three regions of the worked example; times in tenths of a second."""

    def __init__(self) -> None:
        self.standings = dict.fromkeys(REGIONS, PASSING)
        self.health = Health.UP
        self.history: list[tuple[int, Health]] = [(-1000, Health.UP)]

    def see(self, region: str, slot: int, verdict: Verdict) -> None:
        self.standings[region] = self.standings[region].after(verdict, slot * 100, RULES)
        votes = [Vote(region=name, standing=standing) for name, standing in self.standings.items()]
        decision = decide(self.health, votes, 3, RULES)
        if decision is not None:
            begun = decision.first_observed_at // 100
            self.history = [entry for entry in self.history if entry[0] < begun]
            self.history.append((begun, decision.health))
            self.health = decision.health


def test_the_worked_example() -> None:
    example = Example()
    us, eu, ap = REGIONS
    for region, slot, verdict, health in (
        (us, 0, FAILED, Health.UP),
        (eu, 17, FAILED, Health.UP),
        (ap, 17, OK, Health.UP),
        (us, 65, FAILED, Health.DEGRADED),
        (eu, 100, FAILED, Health.DOWN),
        (ap, 200, OK, Health.DOWN),
        (us, 300, FAILED, Health.DOWN),
        (us, 600, OK, Health.DOWN),
        (eu, 605, OK, Health.DOWN),
        (us, 654, OK, Health.DEGRADED),
        (eu, 700, OK, Health.UP),
    ):
        example.see(region, slot, verdict)
        assert example.health is health, (region, slot)
    assert example.history == [(-1000, Health.UP), (0, Health.DOWN), (600, Health.DEGRADED), (605, Health.UP)]


@given(
    st.lists(st.tuples(st.sampled_from(REGIONS), st.sampled_from([OK, FAILED])), max_size=80),
    quorums,
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_no_recovery_begins_before_its_outage(
    history: list[tuple[str, Verdict]], quorum: Quorum, failures: int, recoveries: int
) -> None:
    rules = replace(RULES, quorum=quorum, failure_threshold=failures, recovery_threshold=recoveries)
    standings = dict.fromkeys(REGIONS, Standing())
    health, begun = Health.PENDING, -1
    for at, (region, verdict) in enumerate(history):
        standings[region] = standings[region].after(verdict, at * 1000, rules)
        votes = [Vote(region=name, standing=standing) for name, standing in standings.items()]
        decision = decide(health, votes, 3, rules)
        if decision is None:
            continue
        assert decision.first_observed_at <= at * 1000
        if health is Health.DOWN:
            assert decision.first_observed_at > begun
        health, begun = decision.health, decision.first_observed_at


# --- silence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen_until", "configured", "lost_at"),
    [([70], 1, 70), ([70, 50], 2, 70), ([70, 50, 60], 3, 60), ([10, 40, 30, 20], 4, 30), ([1, 5, 3, 2, 4], 5, 3)],
)
def test_sight_is_lost_when_fewer_than_half_of_the_regions_see(
    seen_until: list[int], configured: int, lost_at: int
) -> None:
    assert sight_lost_at(seen_until, configured) == lost_at
    seeing = [sum(until > at for until in seen_until) for at in (lost_at - 1, lost_at)]
    assert 2 * seeing[0] >= configured > 2 * seeing[1]


def test_silence_lasts_three_intervals_and_at_least_ninety_seconds() -> None:
    assert RULES.longest_silence == 90_000
    assert replace(RULES, interval=31_000).longest_silence == 93_000
    assert silence_ends_in(RULES, last_decision_at=1000, now=31_000) == 60_000
    assert silence_ends_in(RULES, last_decision_at=1000, now=91_000) == 0


def test_a_vote_lives_two_intervals_and_a_timeout_and_at_least_thirty_seconds() -> None:
    assert RULES.vote_lifetime == 70_000
    assert replace(RULES, interval=10_000, timeout=5000).vote_lifetime == 30_000


def test_what_people_see_is_the_health_unless_it_is_paused() -> None:
    assert [effective(health, paused=False, in_maintenance=False).value for health in Health] == [
        health.value for health in Health
    ]
    assert {effective(health, paused=True, in_maintenance=False) for health in Health} == {State.PAUSED}
