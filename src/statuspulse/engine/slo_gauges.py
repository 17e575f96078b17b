"""An objective in figures for those who draw and alert by themselves: what is left, and how fast it goes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.domain.budget import account, burn
from statuspulse.domain.slo import RATE_UNITS
from statuspulse.engine.slo_members import gather_beside_burns
from statuspulse.storage.slos import Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """`remaining_pct` of the budget, None where there is none, and the rate at which it burns by window (ms)."""

    slo: Slo
    remaining_pct: float | None
    rates: dict[int, float]


def gauges(connection: Connection, slo: Slo, now: int) -> Gauges:
    """The same accounts by which objectives are told of, as they are now."""
    period = slo.terms.period_at(now)
    members = gather_beside_burns(connection, slo, now).members
    held = account(members, slo.kind, slo.terms.allowance, period, now)
    burns = [burn(members, pair, now) for pair in slo.terms.pairs]
    spent = {one.pair.long: one.long for one in burns} | {one.pair.short: one.short for one in burns}
    return Gauges(
        slo=slo,
        remaining_pct=held.remaining_pct,
        rates={window: spent[window].rate(slo.terms.allowance) / RATE_UNITS for window in sorted(spent)},
    )
