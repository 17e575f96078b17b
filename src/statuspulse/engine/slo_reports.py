"""How an objective stands, and reports of it: a period, its days, and the incidents that cost most."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from sqlalchemy import Connection

from statuspulse.domain.budget import Account, Member, account
from statuspulse.domain.periods import Width, edges
from statuspulse.domain.slo import Kind, Period
from statuspulse.domain.slo_course import burning
from statuspulse.domain.timeline import Timeline
from statuspulse.engine.figures import Figures
from statuspulse.engine.slo_members import Gathered, gather, gather_beside_burns
from statuspulse.storage import incidents, slos
from statuspulse.storage.incidents import Incident
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.slos import Slo

_WORST = 10


class SloStatus(StrEnum):
    """How an objective stands in its period; `no_data` where nothing was measured."""

    MET = "met"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """An objective with the account of the period that holds now.

    `burning` is the pair of which both windows burn. That it was told of is remembered for longer, so that an outage
    with pauses is one alarm.
    """

    slo: Slo
    period: Period
    account: Account
    burning: str | None = None

    @property
    def status(self) -> SloStatus:
        if self.account.is_over:
            return SloStatus.BREACHED
        if self.account.measured == 0:
            return SloStatus.NO_DATA
        return SloStatus.MET if self.burning is None else SloStatus.AT_RISK


@dataclass(frozen=True, slots=True, kw_only=True)
class Costly:
    """An incident and how much of the budget it spent in the period."""

    incident: Incident
    consumed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A period of an objective, `month` is its name where it is one; the days are cut to it and end by now."""

    slo: Slo
    month: str | None
    period: Period
    account: Account
    days: tuple[tuple[Period, Account], ...]
    worst: tuple[Costly, ...]
    generated_at: int

    @property
    def is_met(self) -> bool | None:
        """None where nothing was measured."""
        return None if self.account.measured == 0 else not self.account.is_over


def stand(connection: Connection, slo: Slo, now: int) -> Stand:
    """How the objective stands now."""
    period = slo.terms.period_at(now)
    if slo.course.burning is not None:
        return _stand_beside_burn(connection, slo, period, now)
    until = max(period.start, min(period.end, now))
    held = gather(connection, slo, period.start, _days(slo, period.start, until), now)
    return Stand(slo=slo, period=period, account=_account(held.members, slo, period, now))


def _stand_beside_burn(connection: Connection, slo: Slo, period: Period, now: int) -> Stand:
    """The same where a pair was told of, whose windows may begin before the period."""
    members = gather_beside_burns(connection, slo, now).members
    held = _account(members, slo, period, now)
    burns = burning(slo.terms, members, held, now)
    return Stand(slo=slo, period=period, account=held, burning=None if burns is None else burns.pair.name)


def stands_beside(
    connection: Connection, team_id: str, shown: Collection[Monitor], figures: Mapping[int, Figures], now: int
) -> dict[int, Stand]:
    """How the objectives of monitors' own configurations stand, by monitor key; from the figures where they tell it."""
    keys = [monitor.key for monitor in shown if monitor.config["sla"] is not None]
    found = slos.of_configs(connection, team_id, keys) if keys else {}
    return {key: _beside(connection, slo, figures[key], now) for key, slo in found.items()}


def _beside(connection: Connection, slo: Slo, figures: Figures, now: int) -> Stand:
    sums = figures.sums.get(slo.window.value)
    if sums is None or slo.kind is not Kind.AVAILABILITY or slo.course.burning is not None:
        return stand(connection, slo, now)
    period = slo.terms.period_at(now)
    length = period.end - period.start
    held = Account(
        kind=slo.kind,
        allowance=slo.terms.allowance,
        sums=sums,
        consumed=sums.down,
        basis=length - sums.maintenance - sums.paused,
        absent=length - sums.window,
        ahead=0,
    )
    return Stand(slo=slo, period=period, account=held)


def report(connection: Connection, slo: Slo, period: Period, month: str | None, now: int) -> Report:
    """The report of a period that has begun."""
    until = min(period.end, now)
    days = _days(slo, period.start, until)
    held = gather(connection, slo, period.start, days, now)
    return Report(
        slo=slo,
        month=month,
        period=period,
        account=_account(held.members, slo, period, now),
        days=tuple((day, _account(held.members, slo, day, now)) for day in (Period(*pair) for pair in pairwise(days))),
        worst=tuple(_worst(connection, slo, held, Period(period.start, until))),
        generated_at=now,
    )


def _days(slo: Slo, start: int, until: int) -> Sequence[int]:
    """Where days of the objective's zone begin, and the two ends."""
    return edges(start, until, Width.DAY, slo.terms.zone) if start < until else (start, until)


def _account(members: Sequence[Member], slo: Slo, period: Period, now: int) -> Account:
    return account(members, slo.kind, slo.terms.allowance, period, now)


def _worst(connection: Connection, slo: Slo, held: Gathered, period: Period) -> Iterator[Costly]:
    """Slow rounds open no incident, so that only availability has some."""
    if slo.kind is not Kind.AVAILABILITY:
        return
    by_key = {monitor.key: one for monitor, one in zip(held.monitors, held.members, strict=True)}
    found = incidents.of_outages(connection, slo.team_id, list(by_key), period.start, period.end)
    costs = []
    for incident in found:
        assert incident.monitor_key is not None
        one = by_key[incident.monitor_key]
        start = max(period.start, _begun(one.timeline, incident.triggered_at))
        end = period.end if incident.resolved_at is None else min(period.end, incident.resolved_at)
        if consumed := one.spending.between(start, end):
            costs.append(Costly(incident=incident, consumed=consumed))
    yield from sorted(costs, key=lambda cost: (-cost.consumed, cost.incident.triggered_at))[:_WORST]


def _begun(timeline: Timeline, at: int) -> int:
    """Where the stretch that the instant lies in began: an outage is older than the decision that it is one."""
    return next((stretch.start for stretch in timeline.stretches if stretch.start <= at < stretch.end), at)
