"""What an objective has to tell now, and when it has to be looked at next: pure, given what held.

Nothing is looked at all the time. Each look says the earliest instant at which the next thing can happen if everything
that may be bad is bad from now on; a change of a monitor's state asks for a look by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from statuspulse.domain.budget import Account, Burn, Member, account, burn
from statuspulse.domain.slo import LEAST_BAD, RATE_UNITS, WHOLE, Pair, Period, Terms
from statuspulse.domain.times import HOUR, MINUTE

# While a breach lasts, maintenance that leaves the window gives budget back, which nothing tells of.
_LONGEST_WAIT = HOUR
# What gets better is looked for less eagerly than what gets worse.
_CALM_WAIT = MINUTE


class News(StrEnum):
    """What people are told."""

    AT_RISK = "sla.at_risk"
    BREACHED = "sla.breached"
    RECOVERED = "sla.recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What was told so far: since when it is breached, for which calendar month that was, and which pair burns."""

    breached_at: int | None = None
    told_for: int | None = None
    burning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How things may go on: members that spend now, and members that are planned not to count now.

    `lag` is how far (ms) what is certain lies behind now, `rest` how long two looks are apart at least.
    """

    spenders: int
    planned: int
    lag: int = 0
    rest: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`news` in the order in which they are told, `burn` the pair that is at risk, `due_at` the next look (ms)."""

    course: Course
    news: tuple[News, ...]
    period: Period
    account: Account
    burn: Burn | None
    due_at: int | None


def judge(terms: Terms, members: Sequence[Member], course: Course, pace: Pace, now: int) -> Judgement:
    """One look. Of each member only what is certain is spent: nothing is told that a later result could take back."""
    period = terms.period_at(now)
    held = account(members, terms.kind, terms.allowance, period, now)
    after, news = _after_budget(terms, course, held, period, now)
    burns = [burn(members, pair, now) for pair in terms.pairs]
    hottest = _hottest(burns, held)
    after, is_new = _after_burn(terms, after, burns, hottest, held)
    told = (*news, News.AT_RISK) if is_new else news
    dues = [
        *_dues(terms, after, held, period, members, pace, now),
        *_burn_dues(terms, after, burns, held, members, pace, now),
    ]
    due_at = min(dues, default=None)
    return Judgement(
        course=after,
        news=told,
        period=period,
        account=held,
        burn=hottest,
        due_at=None if due_at is None else max(due_at, now + pace.rest),
    )


def burning(terms: Terms, members: Sequence[Member], held: Account, now: int) -> Burn | None:
    """The fastest pair of which both windows burn now."""
    return _hottest([burn(members, pair, now) for pair in terms.pairs], held)


def projected_exhaustion(held: Account, at_rate: Burn, period: Period, terms: Terms, now: int) -> int | None:
    """When the budget ends if it goes on like in the long window; None where it is over, or holds for the month."""
    left, bad = held.basis * held.allowance - held.consumed * WHOLE, at_rate.long.bad
    if left <= 0 or bad <= 0:
        return None
    at = now + left * at_rate.pair.long // (bad * WHOLE)
    return at if terms.is_rolling or at < period.end else None


def _after_budget(
    terms: Terms, course: Course, held: Account, period: Period, now: int
) -> tuple[Course, tuple[News, ...]]:
    if held.is_over:
        was_told = course.breached_at is not None if terms.is_rolling else course.told_for == period.start
        if was_told:
            return course, ()
        return replace(course, breached_at=now, told_for=period.start), (News.BREACHED,)
    if course.breached_at is not None and held.is_well_below:
        return replace(course, breached_at=None), (News.RECOVERED,)
    return course, ()


def _after_burn(
    terms: Terms, course: Course, burns: Sequence[Burn], hottest: Burn | None, held: Account
) -> tuple[Course, bool]:
    """The pair that was told of stays it until its long window has calmed down; only a faster one is news then.

    A budget of which nothing is spent, as at the beginning of a month, knows of none: what burnt was the one before.
    """
    if held.consumed == 0:
        return replace(course, burning=None), False
    told = next((one for one in burns if one.pair.name == course.burning), None)
    if told is not None and not told.long.exceeds(told.pair.rate, terms.allowance):
        colder = hottest if hottest is not None and hottest.pair.rate < told.pair.rate else None
        course, told = replace(course, burning=None if colder is None else colder.pair.name), colder
    elif told is None:
        course = replace(course, burning=None)
    if hottest is None or held.is_over or (told is not None and hottest.pair.rate <= told.pair.rate):
        return course, False
    return replace(course, burning=hottest.pair.name), True


def _hottest(burns: Sequence[Burn], held: Account) -> Burn | None:
    """Of the pairs that stand fastest first; what has spent nothing of the period's budget does not burn it."""
    return next((one for one in burns if held.consumed and _is_hot(one, held.allowance)), None)


def _is_hot(one: Burn, allowance: int) -> bool:
    rate = one.pair.rate
    return one.long.bad >= LEAST_BAD and one.long.exceeds(rate, allowance) and one.short.exceeds(rate, allowance)


def _dues(
    terms: Terms,
    course: Course,
    held: Account,
    period: Period,
    members: Sequence[Member],
    pace: Pace,
    now: int,
) -> Iterator[int]:
    if not terms.is_rolling:
        yield period.end
    closing = pace.spenders * WHOLE + pace.planned * terms.allowance
    if not held.is_over and closing and (pace.spenders or held.consumed):
        left = held.basis * held.allowance - held.consumed * WHOLE
        yield now - pace.lag + left // closing + 1
    if course.breached_at is not None:
        yield now + _LONGEST_WAIT
        if terms.is_rolling and pace.spenders < len(members):
            yield now + max(_CALM_WAIT, _until_leaves(members, period.start, held.too_much))


def _burn_dues(
    terms: Terms,
    course: Course,
    burns: Sequence[Burn],
    held: Account,
    members: Sequence[Member],
    pace: Pace,
    now: int,
) -> Iterator[int]:
    told = next((one.pair for one in burns if one.pair.name == course.burning), None)
    for one in burns:
        pair = one.pair
        if told is not None and pair.rate <= told.rate:
            if pair.name == told.name and pace.spenders < len(members):
                spare = one.long.spare(pair.rate, terms.allowance)
                yield now + max(_CALM_WAIT, _until_leaves(members, now - pair.long, spare) + 1)
            continue
        if pair.rate * terms.allowance >= WHOLE * RATE_UNITS:
            continue  # not even time that is bad as a whole burns so fast
        if not pace.spenders and (held.consumed == 0 or one.short.bad == 0 or one.long.bad < LEAST_BAD):
            continue  # what is planned shortens the time that counts, and spends nothing
        closing = pace.spenders * WHOLE * RATE_UNITS + pace.planned * pair.rate * terms.allowance
        if closing and course.breached_at is None:
            yield now - pace.lag + _missing(one, pair, terms.allowance) * WHOLE * RATE_UNITS // closing


def _missing(one: Burn, pair: Pair, allowance: int) -> int:
    """How much more (ms) has to be bad at least until the pair is hot."""
    return max(
        LEAST_BAD - one.long.bad, one.long.missing(pair.rate, allowance), one.short.missing(pair.rate, allowance)
    )


def _until_leaves(members: Sequence[Member], start: int, amount: int) -> int:
    """After how long at the earliest a window has lost so much of what is bad at its beginning."""
    if amount <= 0:
        return 0
    if len(members) == 1:
        at = members[0].spending.reaches(start, amount)
        return _LONGEST_WAIT if at is None else min(at - start, _LONGEST_WAIT)
    low, high = 0, _LONGEST_WAIT
    while low < high:
        middle = (low + high) // 2
        if sum(one.spending.between(start, start + middle) for one in members) >= amount:
            high = middle
        else:
            low = middle + 1
    return low
