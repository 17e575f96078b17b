"""The words of `statuspulse slos`."""

from __future__ import annotations

from typing import Any

import click

from statuspulse.cli.groups import SLOS, id_of
from statuspulse.cli.remote import Remote, asks_server, number, percent, time_text
from statuspulse.cli.tables import Column

_COLUMNS = (
    Column("ID"),
    Column("STATUS"),
    Column("NAME", shrinks=True),
    Column("OVER", shrinks=True),
    Column("OBJECTIVE", is_figure=True),
    Column("OBSERVED", is_figure=True),
    Column("LEFT", is_figure=True),
)
_DAYS = (
    Column("DAY"),
    Column("OBSERVED", is_figure=True),
    Column("SPENT", is_figure=True),
    Column("MAINTENANCE", is_figure=True),
    Column("UNKNOWN", is_figure=True),
)


@click.group()
def slos() -> None:
    """What was promised, and what is left of the budget for failing it.

    SLO is an id, slo_…, or a name that only one has.

    \b
    Examples:
      statuspulse slos list
      statuspulse slos report --period 2026-11 slo_3c5e7g9j
    """


@slos.command("list")
@asks_server
def list_(*, remote: Remote) -> None:
    """List objectives with what the period under way has spent of their budgets.

    \b
    Examples:
      statuspulse slos list
      statuspulse slos list -o csv
    """
    with remote.client() as client:
        remote.show_list(_COLUMNS, client.slos.list(), _row)


@slos.command()
@click.argument("slo", metavar="SLO")
@asks_server
def get(*, remote: Remote, slo: str) -> None:
    """Show one objective and its budget.

    \b
    Examples:
      statuspulse slos get "Checkout"
      statuspulse slos get -o json slo_3c5e7g9j
    """
    with remote.client() as client:
        found = client.slos.get(id_of(slo, SLOS, client.slos.list))
    budget = found.budget
    members = [
        ("id", found.id),
        ("name", found.name),
        ("over", _over(found)),
        ("status", found.status),
        ("objective", percent(found.objective_pct)),
        ("period", f"{time_text(budget.period_start)} to {time_text(budget.period_end)}"),
        ("timezone", found.timezone),
        ("observed", percent(budget.observed_pct)),
        ("budget", _seconds(budget.budget_seconds)),
        ("spent", _seconds(budget.consumed_seconds)),
        ("left", percent(budget.remaining_pct)),
    ]
    remote.show(found, members)


@slos.command()
@click.argument("slo", metavar="SLO")
@click.option("--period", metavar="MONTH", help="Such as 2026-11; without it, the period under way.")
@asks_server
def report(*, remote: Remote, slo: str, period: str | None) -> None:
    """The days of a period, and what each has spent.

    \b
    Examples:
      statuspulse slos report slo_3c5e7g9j
      statuspulse slos report --period 2026-11 -o csv slo_3c5e7g9j
    """
    with remote.client() as client:
        found = client.slos.report(id_of(slo, SLOS, client.slos.list), period=period)
    remote.show_table(found, _DAYS, [_day(day) for day in found.daily])


def _row(slo: Any) -> list[str]:
    budget = slo.budget
    objective, observed, left = map(percent, (slo.objective_pct, budget.observed_pct, budget.remaining_pct))
    return [slo.id, slo.status, slo.name, _over(slo), objective, observed, left]


def _day(day: Any) -> list[str]:
    seconds = (day.consumed_seconds, day.excluded_maintenance_seconds, day.unknown_seconds)
    return [day.date, percent(day.observed_pct), *map(_seconds, seconds)]


def _over(slo: Any) -> str:
    return slo.monitor_id or ", ".join(slo.tags)


def _seconds(value: float | None) -> str:
    return number(value, " s")
