"""The ladder as a decision: whatever happens when, each step comes once, in order, and never too early."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.escalation import (
    Escalation,
    Ladder,
    Place,
    Progress,
    Rung,
    acknowledged,
    begin,
    begun,
    climb,
    hasten,
    over,
    reopened,
    tell,
    timers,
)
from statuspulse.domain.hours import Hours
from statuspulse.domain.incident import IncidentState

LADDERS = st.builds(
    Ladder,
    rungs=st.lists(
        st.builds(Rung, delay=st.integers(0, 600_000), targets=st.just(()), hours=st.none()), min_size=1, max_size=10
    ).map(tuple),
    repeats=st.integers(0, 9),
    repeat_delay=st.integers(0, 600_000),
    ack_timeout=st.none(),
    auto_resolve=st.none(),
    severities=st.just(frozenset()),
)


@given(ladder=LADDERS, looks=st.lists(st.integers(0, 900_000), min_size=300, max_size=300))
def test_every_step_is_taken_once_in_order_and_not_too_early(ladder: Ladder, looks: list[int]) -> None:
    """`looks` are the times between two looks: a stop of any length is one of them."""
    now, found = 0, begin(ladder, 0)
    taken = [(place, 0) for place in found.taken]
    for wait in looks:
        now += wait
        found = climb(ladder, found.progress, now)
        taken += [(place, now) for place in found.taken]
    places = [place for place, _ in taken]
    whole = [Place(repeat, step) for repeat in range(ladder.repeats + 1) for step in range(len(ladder.rungs))]
    assert places == whole[: len(places)]
    assert found.progress.exhausted is (places == whole)
    at = 0
    for place, then in taken:
        delay = ladder.repeat_delay if place.step == 0 and place.repeat else ladder.rungs[place.step].delay
        assert then >= at + delay
        at = then


@given(ladder=LADDERS)
def test_a_clock_that_is_looked_at_in_time_makes_no_step_late(ladder: Ladder) -> None:
    found = begin(ladder, 0)
    at = 0
    while found.progress.next_at is not None:
        assert found.progress.next_at >= at
        at = found.progress.next_at
        found = climb(ladder, found.progress, at)
        assert found.taken


@given(ladder=LADDERS)
def test_what_is_halted_comes_to_nothing(ladder: Ladder) -> None:
    halted = begin(ladder, 0).progress.halted()
    assert climb(ladder, halted, 10**12).taken == ()
    assert hasten(ladder, halted, 10**12).taken == ()


def ladder_of(*hours: Hours | None) -> Ladder:
    rungs = tuple(Rung(delay=1000, targets=(), hours=one) for one in hours)
    return Ladder(rungs=rungs, repeats=0, repeat_delay=0, ack_timeout=None, auto_resolve=None, severities=frozenset())


def test_a_step_outside_of_its_hours_takes_no_time() -> None:
    never = Hours.of({"timezone": "UTC", "days": ["sun"], "from": "00:00", "to": "00:01"})
    found = climb(ladder_of(never, None, never), begin(ladder_of(never, None, never), 0).progress, 2000)
    assert found.taken == (Place(0, 1),)
    passed = climb(ladder_of(never, None, never), found.progress, 3000)
    assert (passed.taken, passed.progress.exhausted) == ((), True)


def test_hastening_takes_the_next_step_alone() -> None:
    ladder = ladder_of(None, None, None)
    found = hasten(ladder, Progress(at=Place(0, 0), upcoming=Place(0, 1), next_at=10_000), 500)
    assert (found.taken, found.progress.next_at) == ((Place(0, 1),), 1500)


RULES = {
    "steps": [{"delay_seconds": 0, "targets": [], "only_between": None}] * 2,
    "repeat": {"count": 1, "delay_seconds": 60},
    "ack_timeout_seconds": 300,
    "auto_resolve_seconds": 900,
    "severities": [],
}
ROUTE = {"notify": ["nch_1"], "after_seconds": 60, "repeat_seconds": 60, "send_resolved": True, "quiet_hours": None}


def test_what_is_stored_is_read_back() -> None:
    started, _ = begun(Escalation(rules=RULES, routes=(ROUTE,), facts={"note": "x"}), 1000)
    whole = replace(started, told=("nch_1",), quiet=("nch_2",), ack_expires_at=5)
    assert Escalation.read(whole.document()) == whole


def test_only_what_a_state_waits_for_is_a_timer() -> None:
    started, _ = begun(Escalation(rules=RULES, routes=(ROUTE,)), 0)
    started = tell(started, 0, loud=["nch_1"], quiet=[])
    kinds = {
        state: [timer.kind.value for timer in timers(state, escalation)]
        for state, escalation in (
            (IncidentState.TRIGGERED, started),
            (IncidentState.ACKNOWLEDGED, acknowledged(started, 0, None)),
            (IncidentState.RESOLVED, over(started)),
        )
    }
    assert kinds == {
        IncidentState.TRIGGERED: ["step", "reach", "route", "auto_resolve"],
        IncidentState.ACKNOWLEDGED: ["ack_end", "auto_resolve"],
        IncidentState.RESOLVED: [],
    }


def test_who_once_heard_loudly_hears_of_the_end() -> None:
    first = tell(Escalation(), 0, loud=["a"], quiet=["b"])
    assert first.quiet == ("b",)
    second = tell(first, 0, loud=["b"], quiet=["a", "c"])
    assert second.quiet == ("c",)


def test_a_step_that_reaches_nobody_is_followed_at_once_and_a_round_keeps_its_distance() -> None:
    ladder = replace(ladder_of(None, None, None), repeats=1, repeat_delay=5000)

    def reaches(place: Place) -> bool:
        return place.step == 1

    found = climb(ladder, begin(ladder, 0, reaches).progress, 1000, reaches)
    assert found.taken == (Place(0, 0), Place(0, 1))
    assert found.progress.upcoming == Place(0, 2)
    # Nobody is reached by the last step either: the next round comes when it would have come anyway.
    found = climb(ladder, found.progress, 2000, reaches)
    assert (found.taken, found.progress.upcoming, found.progress.next_at) == ((Place(0, 2),), Place(1, 0), 7000)


def test_another_outage_is_heard_of_by_those_who_are_told_again() -> None:
    first = tell(Escalation(), 0, loud=["a"], quiet=["b"])
    again = tell(reopened(first), 10, loud=["c"], quiet=[])
    assert (first.heard, again.heard, again.quiet) == (("a", "b"), ("c",), ())
