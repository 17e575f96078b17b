"""Breaches, recoveries and burn rates, on random histories in virtual time and held against other arithmetic."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from datetime import UTC
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

import pytest

from statuspulse.domain.budget import Member, account, member
from statuspulse.domain.health import State
from statuspulse.domain.slo import USUAL_ALERTING, WHOLE, Kind, Period, Terms, Window, allowance_of, pairs_of
from statuspulse.domain.slo_course import Course, Judgement, News, Pace, burning, judge, projected_exhaustion
from statuspulse.domain.timeline import PLANNED, Timeline
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND, from_text
from statuspulse.domain.uptime import Interval
from tests.deep import deep
from tests.domain.histories import BEGUN, DOWN, History, Oracle, random_history

LENGTHS = {Window.DAY: DAY, Window.WEEK: 7 * DAY, Window.MONTH: 30 * DAY}
NOW = from_text("2026-11-23T06:25:32.279Z")


def terms(window: Window, objective: float, zone: str = "UTC") -> Terms:
    return Terms(
        kind=Kind.AVAILABILITY,
        allowance=allowance_of(objective),
        window=window,
        zone=ZoneInfo(zone),
        pairs=pairs_of(USUAL_ALERTING),
    )


class Watch:
    """Looks as the engine does: when a look has said so, and when the state changes; counts how often."""

    def __init__(self, promised: Terms, history: History) -> None:
        self.promised = promised
        self.history = history
        self.course = Course()
        self.told: list[tuple[News, int, Judgement]] = []
        self.looks = 0
        self._starts = [one.start for one in history.stretches]

    def run(self) -> None:
        changes = iter([*self._starts, self.history.end])
        change = next(changes)
        due: int | None = None
        while (now := change if due is None else min(due, change)) < self.history.end:
            if now == change:
                change = next(changes)
            due = self._look(now)

    def _look(self, now: int) -> int | None:
        self.looks += 1
        place = bisect_right(self._starts, now)
        known = self.history.stretches[:place]
        current = known[-1]
        cut = [*known[:-1], *([replace(current, end=now)] if current.start < now else [])]
        pace = Pace(spenders=int(current.state is State.DOWN), planned=int(current.state in PLANNED))
        found = judge(self.promised, [member(Timeline(cut))], self.course, pace, now)
        self.told += [(news, now, found) for news in found.news]
        self.course = found.course
        return found.due_at

    def times(self, news: News) -> list[int]:
        return [at for kind, at, _ in self.told if kind is news]


@pytest.mark.parametrize("part", [0, *deep(range(1, 10))])
def test_a_breach_is_told_once_when_the_budget_ends_in_a_thousand_histories(part: int) -> None:
    breaches = recoveries = 0
    for seed in range(part * 100, part * 100 + 100):
        random = Random(seed)
        window = random.choice([*LENGTHS, Window.CALENDAR_MONTH])
        zone = random.choice(["UTC", "America/New_York", "Asia/Kolkata"])
        objective = random.choice([90, 95, 99, 99.5, 99.9])
        history = random_history(random, days=random.choice([12, 35]))
        watch = Watch(terms(window, objective, zone), history)
        watch.run()
        allowed = 1 - Fraction(str(objective)) / 100
        oracle = Oracle(history, allowed, LENGTHS.get(window), ZoneInfo(zone))
        expected = oracle.breaches()
        ended = [end for _, end in expected if end is not None]
        told, over = watch.times(News.BREACHED), watch.times(News.RECOVERED)
        assert len(told) == len(expected), seed
        for at, (begun, _) in zip(told, expected, strict=True):
            assert begun <= at <= begun + SECOND, seed
        # What gives budget back without a change of the state is seen within the hour.
        assert len(over) in {len(ended), len(ended) - 1}, seed
        for at, end in zip(over, ended, strict=False):
            assert end <= at <= end + HOUR, seed
        breaches, recoveries = breaches + len(told), recoveries + len(over)
        assert watch.looks < 40 * len(history.stretches) + 24 * 35 * 2, seed
    assert breaches > 50
    assert recoveries > 10


@pytest.mark.parametrize("part", [0, *deep(range(1, 4))])
def test_what_is_at_risk_burns_in_both_windows_and_for_a_minute_at_least(part: int) -> None:
    told = 0
    for seed in range(part * 25, part * 25 + 25):
        random = Random(seed + 5000)
        history = random_history(random, days=30)
        promised = terms(Window.MONTH, random.choice([99, 99.9, 99.99]))
        watch = Watch(promised, history)
        watch.run()
        allowed = Fraction(promised.allowance, WHOLE)
        for news, at, found in watch.told:
            if news is News.AT_RISK:
                told += 1
                assert found.burn is not None
                pair = found.burn.pair
                assert history.time_in(DOWN, at - pair.long, at) >= 60 * SECOND, seed
                for length in (pair.long, pair.short):
                    assert rate_of(history, length, at, allowed) > Fraction(pair.rate, 100), seed
        _nothing_that_burns_is_missed(watch, promised, allowed, seed)
    assert told > 20


def rate_of(history: History, length: int, at: int, allowed: Fraction) -> Fraction:
    planned = history.time_in(frozenset(PLANNED), at - length, at)
    basis = length - planned
    return Fraction(history.time_in(DOWN, at - length, at), basis) / allowed if basis > 0 else Fraction(0)


def _nothing_that_burns_is_missed(watch: Watch, promised: Terms, allowed: Fraction, seed: int) -> None:
    """Two seconds after the end of each outage whatever burns was told of while it began to."""
    oracle = Oracle(watch.history, allowed, 30 * DAY, UTC)
    risks = watch.times(News.AT_RISK)
    for outage in watch.history.stretches:
        at = outage.end
        if outage.state is not State.DOWN or oracle.over(at) > 0 or watch_breached(watch, at):
            continue
        for pair in promised.pairs:
            hot = watch.history.time_in(DOWN, at - pair.long, at) >= 62 * SECOND and all(
                rate_of(watch.history, length, at, allowed) > Fraction(pair.rate + 1, 100) * Fraction(21, 20)
                for length in (pair.long, pair.short)
            )
            if hot:
                assert any(at - pair.long - outage.end + outage.start <= one <= at for one in risks), (seed, pair.name)


def watch_breached(watch: Watch, at: int) -> bool:
    before = [news for news, when, _ in watch.told if when <= at and news is not News.AT_RISK]
    return bool(before) and before[-1] is News.BREACHED


def held(*stretches: tuple[State, int], end: int = NOW) -> Member:
    """The last stretches before the instant, the newest last."""
    found, at = [], end
    for state, length in reversed(stretches):
        found.append(Interval(start=at - length, end=at, state=state))
        at -= length
    return member(Timeline(found[::-1]))


def look(
    one: Member, window: Window = Window.MONTH, objective: float = 99.9, course: Course | None = None
) -> Judgement:
    return judge(terms(window, objective), [one], course or Course(), Pace(spenders=1, planned=0), NOW)


def test_an_outage_that_is_shorter_than_a_minute_is_no_risk() -> None:
    """At 99.99 % one recheck of 59.9 s burns 166 times too fast, and is one recheck."""
    short = look(held((State.UP, 40 * DAY), (State.DOWN, 59_999)), objective=99.99)
    assert (short.news, short.due_at) == ((), NOW + SECOND)
    long = look(held((State.UP, 40 * DAY), (State.DOWN, 60_000)), objective=99.99)
    assert long.news == (News.AT_RISK,)
    assert long.burn is not None
    assert long.burn.pair.name == "fast"


def test_an_old_outage_burns_no_more() -> None:
    assert look(held((State.UP, 40 * DAY), (State.DOWN, 10 * MINUTE), (State.UP, 6 * MINUTE))).news == (News.AT_RISK,)
    assert look(held((State.UP, 40 * DAY), (State.DOWN, 10 * MINUTE), (State.UP, 7 * HOUR))).news == ()


def test_only_a_faster_pair_is_news_while_one_burns() -> None:
    burning = held((State.UP, 40 * DAY), (State.DOWN, 3 * MINUTE))
    first = look(burning)
    assert first.course.burning == "fast"
    assert look(burning, course=first.course).news == ()
    assert look(burning, course=Course(burning="ticket")).news == (News.AT_RISK,)


def test_what_burnt_the_last_month_does_not_burn_a_budget_of_which_nothing_is_spent() -> None:
    promised = terms(Window.CALENDAR_MONTH, 99.9)
    begun = from_text("2026-12-01T00:00:00Z")
    past = [
        Interval(start=begun - 30 * DAY, end=begun - 50 * MINUTE, state=State.UP),
        Interval(start=begun - 50 * MINUTE, end=begun - 30 * SECOND, state=State.DOWN),
    ]
    course = Course(breached_at=begun - 5 * MINUTE, told_for=begun - 30 * DAY, burning="fast")
    calm = member(Timeline([*past, Interval(start=begun - 30 * SECOND, end=begun + MINUTE, state=State.UP)]))
    found = judge(promised, [calm], course, Pace(spenders=0, planned=0), begun + MINUTE)
    assert (found.news, found.course, found.burn) == ((News.RECOVERED,), Course(told_for=begun - 30 * DAY), None)
    assert found.due_at == from_text("2027-01-01T00:00:00Z")
    down = member(Timeline([*past, Interval(start=begun - 30 * SECOND, end=begun + 1, state=State.DOWN)]))
    going_on = judge(promised, [down], found.course, Pace(spenders=1, planned=0), begun + 1)
    assert (going_on.news, going_on.course.burning) == ((News.AT_RISK,), "fast")


def test_an_outage_with_pauses_is_one_alarm_and_burns_only_while_both_windows_do() -> None:
    course = Course(burning="fast")
    paused = held((State.UP, 40 * DAY), (State.DOWN, 2 * MINUTE), (State.UP, 6 * MINUTE))
    found = look(paused, course=course)
    assert (found.news, found.course.burning, found.burn) == ((), "fast", None)
    assert burning(terms(Window.MONTH, 99.9), [paused], found.account, NOW) is None
    again = look(held((State.DOWN, 2 * MINUTE), (State.UP, 6 * MINUTE), (State.DOWN, MINUTE)), course=course)
    assert (again.news, again.burn is not None) == ((), True)


def test_a_budget_that_is_over_is_not_at_risk() -> None:
    found = look(held((State.UP, 40 * DAY), (State.DOWN, HOUR)))
    assert found.news == (News.BREACHED,)
    assert look(held((State.UP, 40 * DAY), (State.DOWN, HOUR)), course=found.course).news == ()


def test_unknown_time_spends_nothing_and_gives_nothing_back() -> None:
    members = [held((State.UP, 10 * DAY), (State.UNKNOWN, 19 * DAY), (State.DOWN, 2592 * SECOND), (State.UP, DAY))]
    found = account(members, Kind.AVAILABILITY, allowance_of(99.9), Period(NOW - 30 * DAY, NOW), NOW)
    assert (found.budget, found.consumed, found.is_over) == (2_592_000, 2_592_000, False)
    assert found.sums.unknown == 19 * DAY
    assert found.remaining_pct == 0


def test_a_breach_is_not_over_while_nothing_is_seen() -> None:
    course = Course(breached_at=NOW - 31 * DAY, told_for=0)
    assert look(held((State.UNKNOWN, 31 * DAY)), course=course).news == ()
    assert look(held((State.UNKNOWN, 31 * DAY), (State.UP, 1)), course=course).news == (News.RECOVERED,)


def test_the_figures_of_the_contract() -> None:
    """The budget of `sla.at_risk` and `sla.breached` in `events.examples.json`."""
    maintained = (State.MAINTENANCE, 1800 * SECOND)
    one = held(
        (State.UP, 31 * DAY),
        (State.MAINTENANCE, 1800 * SECOND),
        (State.DOWN, 940_300),
        (State.UP, DAY),
        (State.DOWN, 60_400),
    )
    found = look(one)
    assert found.account.budget == 2_590_200
    assert found.account.consumed == 1_000_700
    assert found.account.remaining_pct == 61.3659
    assert found.account.observed_pct == 99.9613
    assert found.burn is not None
    assert found.burn.long.rate(allowance_of(99.9)) == 1677
    ends_at = projected_exhaustion(found.account, found.burn, found.period, terms(Window.MONTH, 99.9), NOW)
    assert ends_at is not None
    assert abs(ends_at - from_text("2026-11-24T08:45:14.279Z")) < MINUTE
    over = held((State.UP, 31 * DAY), maintained, (State.DOWN, 2_590_700))
    assert (look(over).account.observed_pct, look(over).account.remaining_pct) == (99.8999, -0.0194)


def test_a_month_is_that_of_its_zone_and_its_breach_is_told_once() -> None:
    promised = terms(Window.CALENDAR_MONTH, 99.9, "America/New_York")
    period = promised.period_at(from_text("2026-11-15T00:00:00Z"))
    assert (period.start, period.end) == (from_text("2026-11-01T04:00:00Z"), from_text("2026-12-01T05:00:00Z"))
    down = Timeline([Interval(start=period.start, end=period.start + HOUR, state=State.DOWN)])
    pace = Pace(spenders=1, planned=0)
    first = judge(promised, [member(down)], Course(), pace, period.start + HOUR)
    assert (first.news, first.course.told_for) == ((News.BREACHED,), period.start)
    cut = replace(first.course, breached_at=None)
    assert judge(promised, [member(down)], cut, pace, period.start + HOUR).news == ()


def test_a_member_that_was_deleted_has_the_budget_of_its_time() -> None:
    living = member(Timeline([Interval(start=0, end=DAY, state=State.UP)]))
    gone = replace(living, ended_at=DAY)
    period = Period(0, 10 * DAY)
    found = account([living, gone], Kind.AVAILABILITY, allowance_of(99), period, 5 * DAY)
    assert (found.basis, found.absent, found.ahead) == (11 * DAY, 8 * DAY, 10 * DAY)
    assert found.sums.window + found.absent + found.ahead == 20 * DAY


def test_the_history_begins_where_the_oracle_says() -> None:
    assert random_history(Random(1), 3).stretches[0].start == BEGUN
