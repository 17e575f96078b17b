"""The words of `statuspulse maintenance`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from statuspulse.cli.groups import WINDOWS, id_of, monitor_id
from statuspulse.cli.remote import IF_VERSION, Remote, asks_server, time_text
from statuspulse.cli.tables import Column

if TYPE_CHECKING:
    from statuspulse.client import Client

_COLUMNS = (
    Column("ID"),
    Column("STATUS"),
    Column("NAME", shrinks=True),
    Column("MONITORS", shrinks=True),
    Column("FROM"),
    Column("UNTIL"),
)
_LENGTH = re.compile(r"([1-9][0-9]{0,6})([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class _Length(click.ParamType[int]):
    """Seconds, or a number with s, m, h or d behind it."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = _LENGTH.fullmatch(str(value))
        if found is None:
            self.fail(f'"{value}" is no length such as 90s, 30m, 2h or 1d', param, ctx)
        return int(found[1]) * _SECONDS[found[2]]


_WINDOW = click.argument("window", metavar="WINDOW")
_FOR = click.option("--for", "length", type=_Length(), required=True, metavar="LENGTH", help="90s, 30m, 2h or 1d.")


@click.group()
def maintenance() -> None:
    """Times in which nothing is expected of monitors. MONITOR and WINDOW are ids or names that only one has.

    \b
    Examples:
      statuspulse maintenance start --for 30m --reason "Deploy 42" "Shop"
      statuspulse maintenance list --status active
    """


@maintenance.command("list")
@click.option("--status", multiple=True, help="scheduled, active, ended or cancelled; repeat it.")
@click.option("--monitor", metavar="MONITOR", help="Those that name it, or that it joined.")
@click.option("--tag", help="Those for monitors with it.")
@asks_server
def list_(*, remote: Remote, status: tuple[str, ...], monitor: str | None, tag: str | None) -> None:
    """List maintenance windows.

    \b
    Examples:
      statuspulse maintenance list --status active --status scheduled
      statuspulse maintenance list --monitor "Shop" -o json
    """
    with remote.client() as client:
        found = None if monitor is None else monitor_id(client, monitor)
        windows = client.maintenance.list(status=status or None, monitor_id=found, tag=tag)
        remote.show_list(_COLUMNS, windows, _row)


@maintenance.command()
@click.argument("monitor", metavar="MONITOR")
@_FOR
@click.option("--reason", help="Shown as the name of the window.")
@asks_server
def start(*, remote: Remote, monitor: str, length: int, reason: str | None) -> None:
    """Begin maintenance of one monitor now: it is still looked at, and nobody is told.

    \b
    Examples:
      statuspulse maintenance start --for 30m --reason "Deploy 42" "Shop"
      statuspulse maintenance start --for 2h -o json mon_9x2k4p7q
    """
    with remote.client() as client:
        _show(remote, client.maintenance.start(monitor_id(client, monitor), length, reason=reason))


@maintenance.command()
@click.option("--name", required=True, help="How people know it.")
@click.option(
    "--at", "starts_at", required=True, metavar="TIME", help="As 2027-01-03T02:00:00Z, or without Z by --timezone."
)
@_FOR
@click.option("--timezone", metavar="ZONE", help="Such as Europe/Berlin: it goes by the clock there.")
@click.option("--rrule", metavar="RULE", help="When it comes again, such as FREQ=WEEKLY;BYDAY=SU.")
@click.option("--monitor", "monitors", multiple=True, metavar="MONITOR", help="For whom; repeat it.")
@click.option("--tag", "tags", multiple=True, help="For all with this tag; repeat it.")
@click.option("--all", "is_for_all", is_flag=True, help="For all monitors of the team.")
@asks_server
def create(
    *, remote: Remote, length: int, monitors: tuple[str, ...], tags: tuple[str, ...], is_for_all: bool, **given: Any
) -> None:
    """Plan a window, once or by a rule.

    \b
    Examples:
      statuspulse maintenance create --name "Patch" --at 2027-01-03T02:00:00 --timezone Asia/Tokyo --for 1h --tag prod
      statuspulse maintenance create --name "Move" --at 2027-01-03T02:00:00Z --for 4h --all
    """
    if sum((bool(monitors), bool(tags), is_for_all)) != 1:
        raise click.UsageError("say for whom: --monitor, --tag or --all, one of the three")
    members = {name: value for name, value in given.items() if value is not None}
    with remote.client() as client:
        whom: dict[str, Any] = {"all": True}
        if monitors:
            whom = {"ids": [monitor_id(client, monitor) for monitor in monitors]}
        elif tags:
            whom = {"tags": list(tags)}
        _show(remote, client.maintenance.create(monitors=whom, duration_seconds=length, **members))


@maintenance.command()
@_WINDOW
@asks_server
def end(*, remote: Remote, window: str) -> None:
    """End what is under way of a window; what comes later stays.

    \b
    Examples:
      statuspulse maintenance end mwn_7mg9dkej
      statuspulse maintenance end -o json mwn_7mg9dkej
    """
    with remote.client() as client:
        _show(remote, client.maintenance.end(_id(client, window)))


@maintenance.command()
@_WINDOW
@IF_VERSION
@asks_server
def cancel(*, remote: Remote, window: str, if_version: int | None) -> None:
    """Cancel a window with all that is to come; one that is active ends.

    \b
    Examples:
      statuspulse maintenance cancel mwn_7mg9dkej
      statuspulse maintenance cancel --if-version 2 mwn_7mg9dkej
    """
    with remote.client() as client:
        _show(remote, client.maintenance.cancel(_id(client, window), if_match=if_version))


def _id(client: Client, text: str) -> str:
    """Of the one that a word names; many windows of the past may share a name."""
    return id_of(text, WINDOWS, lambda: client.maintenance.list(status=("scheduled", "active")))


def _row(window: Any) -> list[str]:
    begins, ends = _times(window)
    return [window.id, window.status, window.name, _whom(window), begins, ends]


def _show(remote: Remote, window: Any) -> None:
    begins, ends = _times(window)
    remote.show(
        window,
        [
            ("id", window.id),
            ("name", window.name),
            ("status", window.status),
            ("monitors", _whom(window)),
            ("from", begins),
            ("until", ends),
            ("rule", window.rrule or "-"),
            ("timezone", window.timezone or "-"),
            ("version", str(window.version)),
        ],
    )


def _whom(window: Any) -> str:
    whom = window.monitors
    return "all" if whom.all else ", ".join((*(whom.ids or ()), *(whom.tags or ()), *window.joined_monitor_ids)) or "-"


def _times(window: Any) -> tuple[str, str]:
    """Of what is under way, else of what comes next, else of what was last."""
    occurrence = window.active_occurrence or window.next_occurrence or window.last_occurrence
    return ("-", "-") if occurrence is None else (time_text(occurrence.start_at), time_text(occurrence.end_at))
