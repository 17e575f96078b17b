"""Error budgets: how much was bad of what may be, over one monitor or several.

The budget is the allowed share of the period without maintenance and pauses. Unknown time spends nothing of it and
takes nothing away. A monitor that is younger than the period has the budget of all of it, since that is what was
promised; one that was deleted has that of its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statuspulse.domain.health import State
from statuspulse.domain.slo import RATE_UNITS, WHOLE, Kind, Pair, Period
from statuspulse.domain.spending import Spending
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.uptime import Sums, floored_pct

_FOUR_DECIMALS = 10**4
# Below this share of the budget a breach is over, in tenths.
_RECOVERED_TENTHS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One monitor under an objective: what held, what was bad of it, and when it was deleted, if it was."""

    timeline: Timeline
    spending: Spending
    ended_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The budget of a period in ms, of all members together.

    The six kinds of `sums`, `absent` (a monitor did not exist) and `ahead` are the period times the members, exactly.
    """

    kind: Kind
    allowance: int
    sums: Sums
    consumed: int
    basis: int
    absent: int
    ahead: int

    @property
    def budget(self) -> int:
        """What may be bad, rounded down."""
        return self.basis * self.allowance // WHOLE

    @property
    def measured(self) -> int:
        """Time that was judged; where latency is, that in which it answered."""
        return self.sums.measured if self.kind is Kind.AVAILABILITY else self.sums.up + self.sums.degraded

    @property
    def observed_pct(self) -> float | None:
        """Share of the measured time that was good; None where nothing was measured."""
        return floored_pct(max(0, self.measured - self.consumed), self.measured)

    @property
    def remaining_pct(self) -> float | None:
        """What is left of the budget, below zero where more was spent; None where there is none."""
        whole = self.basis * self.allowance
        if whole <= 0:
            return None
        return (whole - self.consumed * WHOLE) * 100 * _FOUR_DECIMALS // whole / _FOUR_DECIMALS

    @property
    def is_over(self) -> bool:
        """Whether more than the budget is spent."""
        return self.consumed * WHOLE > self.basis * self.allowance

    @property
    def is_well_below(self) -> bool:
        """Whether less than nine tenths are spent, and something good was seen."""
        spent, whole = self.consumed * WHOLE * 10, self.basis * self.allowance
        return self.measured > self.consumed and spent < _RECOVERED_TENTHS * whole

    @property
    def too_much(self) -> int:
        """How much less (ms) would have to be bad for the breach to be over."""
        spare = self.consumed * WHOLE * 10 - _RECOVERED_TENTHS * self.basis * self.allowance
        return max(0, spare // (WHOLE * 10) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was bad in one window of a pair, and the time that counts in it."""

    bad: int
    basis: int

    def exceeds(self, rate: int, allowance: int) -> bool:
        """Whether it burns faster than `rate` hundredths of what would last for just the period."""
        return self.bad * WHOLE * RATE_UNITS > rate * self.basis * allowance

    def missing(self, rate: int, allowance: int) -> int:
        """How much more (ms) may be bad until it does."""
        return max(0, (rate * self.basis * allowance - self.bad * WHOLE * RATE_UNITS) // (WHOLE * RATE_UNITS) + 1)

    def spare(self, rate: int, allowance: int) -> int:
        """How much less (ms) would have to be bad for it not to."""
        spare = self.bad * WHOLE * RATE_UNITS - rate * self.basis * allowance
        return max(0, -(-spare // (WHOLE * RATE_UNITS)))

    def rate(self, allowance: int) -> int:
        """How fast it burns, in hundredths, rounded down."""
        whole = self.basis * allowance
        return 0 if whole <= 0 else self.bad * WHOLE * RATE_UNITS // whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """How fast both windows of a pair burn."""

    pair: Pair
    long: Spent
    short: Spent


def member(timeline: Timeline, *, spending: Spending | None = None, ended_at: int | None = None) -> Member:
    """A member of what held; without other `spending` what is bad is what was down.

    What shall not count, as maintenance does not, is laid over the timeline before.
    """
    if spending is None:
        spending = Spending(
            (one.start, one.end, one.end - one.start) for one in timeline.stretches if one.state is State.DOWN
        )
    return Member(timeline=timeline, spending=spending, ended_at=ended_at)


def account(members: Sequence[Member], kind: Kind, allowance: int, period: Period, now: int) -> Account:
    """The account of a period up to now."""
    until = max(period.start, min(period.end, now))
    whole, consumed, basis, absent = Sums(), 0, 0, 0
    ahead = period.end - until
    for one in members:
        sums = one.timeline.sums(period.start, until)
        missing = until - period.start - sums.window
        planned = sums.maintenance + sums.paused
        basis += period.end - period.start - planned - (0 if one.ended_at is None else missing + ahead)
        absent += missing
        consumed += one.spending.between(period.start, until)
        whole = _added(whole, sums)
    return Account(
        kind=kind,
        allowance=allowance,
        sums=whole,
        consumed=consumed,
        basis=basis,
        absent=absent,
        ahead=ahead * len(members),
    )


def burn(members: Sequence[Member], pair: Pair, now: int) -> Burn:
    """How fast the pair burns up to now."""
    return Burn(pair=pair, long=_spent(members, pair.long, now), short=_spent(members, pair.short, now))


def _spent(members: Sequence[Member], length: int, now: int) -> Spent:
    bad = basis = 0
    for one in members:
        sums = one.timeline.sums(now - length, now)
        bad += one.spending.between(now - length, now)
        basis += length - sums.maintenance - sums.paused
    return Spent(bad=bad, basis=basis)


def _added(one: Sums, other: Sums) -> Sums:
    return Sums(
        up=one.up + other.up,
        degraded=one.degraded + other.degraded,
        down=one.down + other.down,
        unknown=one.unknown + other.unknown,
        maintenance=one.maintenance + other.maintenance,
        paused=one.paused + other.paused,
    )
