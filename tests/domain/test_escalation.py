"""The ladder as a decision: whatever happens when, each step comes once, in order, and never too early."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import example, given
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
    due_routes,
    hasten,
    over,
    reopened,
    tell,
    timers,
)
from statuspulse.domain.hours import Hours
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.routing import not_before
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.domain.waiting import frozen, released, up_to

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


def at(clock: str) -> int:
    """The time of the second day of 1970."""
    hours, minutes, seconds = (int(part) for part in clock.split(":"))
    return DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND


def quiet(begin: str, end: str) -> dict[str, Any]:
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return {"timezone": "UTC", "days": days, "from": begin, "to": end}


def freeze(escalation: Escalation, now: int) -> Escalation:
    return frozen(escalation, "mwn_1", now + HOUR, now)


def told_at(escalation: Escalation, begun_at: int, window: tuple[int, int] | None) -> tuple[list[int], list[int]]:
    """When the steps are taken and when the first route is told, by a clock that stops at nothing but timers."""
    escalation, taken = begun(escalation, begun_at)
    steps = [begun_at for _ in taken]
    routes: list[int] = []
    edges = [] if window is None else [(window[0], freeze), (window[1], released)]
    now = begun_at
    for _ in range(100):
        due = [one.due_at for one in timers(IncidentState.TRIGGERED, escalation)]
        if not due and not edges:
            return steps, routes
        now = max(now, min([*due, *(edge for edge, _ in edges)]))
        if edges and edges[0][0] == now:
            escalation = edges.pop(0)[1](escalation, now)
            continue
        escalation, told = due_routes(escalation, now)
        routes += [now for _ in told]
        ladder = escalation.ladder
        if ladder is not None:
            climbed = climb(ladder, escalation.progress, now)
            steps += [now for _ in climbed.taken]
            escalation = replace(escalation, progress=climbed.progress)
    raise AssertionError("it goes on for ever")


CLOCKS = st.integers(0, 24 * 60 - 1).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")


@given(
    begin=CLOCKS,
    end=CLOCKS,
    after=st.integers(0, 36_000),
    begun_at=st.integers(DAY, 2 * DAY),
    waited=st.integers(1, 12 * HOUR),
    lasted=st.integers(1, 12 * HOUR),
)
@example(begin="23:50", end="23:57", after=0, begun_at=at("23:55:11"), waited=4 * SECOND, lasted=6 * SECOND)
@example(begin="23:50", end="23:57", after=0, begun_at=at("23:55:11"), waited=10 * SECOND, lasted=109 * SECOND)
@example(begin="22:00", end="07:00", after=0, begun_at=at("23:00:00"), waited=3 * HOUR, lasted=2 * HOUR)
def test_a_window_puts_off_a_delay_that_runs_and_no_end_of_quiet_hours(
    begin: str, end: str, after: int, begun_at: int, waited: int, lasted: int
) -> None:
    if begin == end:
        return
    route = {**ROUTE, "after_seconds": after, "repeat_seconds": None, "quiet_hours": quiet(begin, end)}
    window = (begun_at + waited, begun_at + waited + lasted)
    plain = not_before(route, begun_at + after * SECOND)
    _, told = told_at(Escalation(routes=(route,)), begun_at, window)
    delayed_to = begun_at + after * SECOND
    if plain < window[0]:
        expected = plain
    elif delayed_to > window[0]:
        expected = not_before(route, delayed_to + lasted)
    else:
        expected = not_before(route, max(plain, window[1]))
    immediately = [] if plain == begun_at else [expected]
    assert told == immediately
    if told and after == 0 and not_before(route, window[1]) == window[1]:
        assert plain <= told[0] <= max(plain, window[1])


@given(
    delays=st.lists(st.integers(0, 7200), min_size=1, max_size=5),
    waited=st.integers(0, 3 * HOUR),
    lasted=st.integers(1, 3 * HOUR),
)
def test_between_two_steps_as_much_time_passes_beside_a_window_as_the_policy_says(
    delays: list[int], waited: int, lasted: int
) -> None:
    steps: list[dict[str, Any]] = [{"delay_seconds": one, "targets": [], "only_between": None} for one in delays]
    rules = {**RULES, "steps": steps, "repeat": {"count": 0, "delay_seconds": 0}, "auto_resolve_seconds": None}
    window = (at("01:00:00") + waited, at("01:00:00") + waited + lasted)
    plain, _ = told_at(Escalation(rules=rules), at("01:00:00"), None)
    found, _ = told_at(Escalation(rules=rules), at("01:00:00"), window)
    assert found == [one if one <= window[0] else one + lasted for one in plain]


def test_a_delay_that_was_over_before_the_window_stays_where_it_was() -> None:
    route = {**ROUTE, "after_seconds": 0, "quiet_hours": quiet("22:00", "07:00")}
    escalation, _ = begun(Escalation(routes=(route,)), at("23:00:00"))
    behind = released(freeze(escalation, at("23:30:00")), at("23:50:00"))
    assert [one.due_at for one in behind.repeating] == [at("23:00:00")]
    running, _ = begun(Escalation(routes=({**route, "after_seconds": 3600},)), at("23:00:00"))
    behind = released(freeze(running, at("23:30:00")), at("23:50:00"))
    assert [one.due_at for one in behind.repeating] == [at("23:00:00") + HOUR + 20 * MINUTE]


def test_a_snooze_ends_when_it_was_said_to_and_a_time_of_the_policy_waits_for_the_window() -> None:
    begun_one, _ = begun(Escalation(rules=RULES), 0)
    for until, expected in ((200_000, 200_000), (None, 300_000 + 50_000)):
        taken = acknowledged(begun_one, 0, until)
        assert released(freeze(taken, 100_000), 150_000).ack_expires_at == expected


def test_what_somebody_begins_in_a_window_waits_for_what_is_left_of_it_alone() -> None:
    waiting = freeze(begun(Escalation(rules=RULES), 0)[0], 100_000)
    taken = acknowledged(up_to(waiting, 140_000), 140_000, None)
    assert released(taken, 150_000).ack_expires_at == 140_000 + 300_000 + 10_000
