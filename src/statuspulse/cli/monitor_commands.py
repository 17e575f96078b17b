"""The words of `statuspulse monitors`."""

from __future__ import annotations

import sys
from io import BufferedIOBase
from itertools import islice
from typing import Any

import click

from statuspulse.cli.groups import monitor_id
from statuspulse.cli.remote import IF_VERSION, NO, Remote, asks_server, number, time_text
from statuspulse.cli.tables import Column

_COLUMNS = (
    Column("ID"),
    Column("STATE"),
    Column("NAME", shrinks=True),
    Column("TYPE"),
    Column("TARGET", shrinks=True),
    Column("EVERY", is_figure=True),
    Column("TAGS", shrinks=True),
)
_NAME = click.argument("monitor", metavar="MONITOR")


@click.group()
def monitors() -> None:
    """What is watched. MONITOR is an id, mon_…, or a name that only one has.

    \b
    Examples:
      statuspulse monitors list --state down
      statuspulse monitors create --name "Shop" https://shop.example/health
    """


@monitors.command("list")
@click.option("--state", multiple=True, help="up, degraded, down, unknown, pending, maintenance or paused; repeat it.")
@click.option("--tag", multiple=True, help="Those that have it; repeat it for several, all of which must hold.")
@click.option("--search", metavar="TEXT", help="A part of the name or the target.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.  [default: all]")
@asks_server
def list_(
    *, remote: Remote, state: tuple[str, ...], tag: tuple[str, ...], search: str | None, limit: int | None
) -> None:
    """List monitors, the most urgent state first.

    \b
    Examples:
      statuspulse monitors list --state down --state unknown
      statuspulse monitors list --tag prod -o json
    """
    with remote.client() as client:
        found = client.monitors.list(state=state or None, tag=tag, q=search, sort="state")
        remote.show_list(_COLUMNS, islice(found, limit), _row)


@monitors.command()
@_NAME
@asks_server
def get(*, remote: Remote, monitor: str) -> None:
    """Show one monitor; -o json has every member.

    \b
    Examples:
      statuspulse monitors get "Shop"
      statuspulse monitors get -o json "Shop"
    """
    with remote.client() as client:
        _show(remote, client.monitors.get(monitor_id(client, monitor)))


def _members(command: Any) -> Any:
    """The options by which members are given."""
    for option in (
        click.option(
            "--set", "settings", multiple=True, metavar="MEMBER=JSON", help="Any member of the API; repeat it."
        ),
        click.option("--file", type=click.File("rb"), help='The body as JSON; "-" reads standard input.'),
        click.option("--channel", "channels", multiple=True, metavar="NCH", help="An id, nch_…, of whom to tell."),
        click.option("--policy", metavar="SLUG", help="The escalation policy."),
        click.option("--tag", "tags", multiple=True, help="Repeat it."),
        click.option("--region", "regions", multiple=True, metavar="SLUG", help="From where to look; repeat it."),
        click.option("--interval", type=int, metavar="SECONDS", help="How often to look."),
        click.option("--name", help="How people know it."),
    ):
        command = option(command)
    return command


@monitors.command()
@click.argument("target", required=False)
@_members
@asks_server
def create(*, remote: Remote, target: str | None, file: BufferedIOBase | None, **given: Any) -> None:
    """Watch TARGET: http(s)://…, tcp://host:port, tls://host:port, dns://name?type=MX, icmp://host or grpc://host:port.

    What holds a secret, such as the URL of a channel, belongs into a file: arguments show in the list of processes.

    \b
    Examples:
      statuspulse monitors create --name "Shop" --interval 30 https://shop.example/health
      statuspulse monitors create --file monitor.json
    """
    from statuspulse.cli.monitor_members import members_of

    members = members_of(target, file, **given)
    with remote.client() as client:
        _show(remote, client.monitors.create(**members))


@monitors.command()
@_NAME
@_members
@IF_VERSION
@click.option("--dry-run", is_flag=True, help="Check the change and show what it would make; store nothing.")
@asks_server
def update(
    *, remote: Remote, monitor: str, file: BufferedIOBase | None, if_version: int | None, dry_run: bool, **given: Any
) -> None:
    """Change what is given and leave the rest.

    \b
    Examples:
      statuspulse monitors update --interval 60 "Shop"
      statuspulse monitors update --dry-run --set failure_threshold=3 "Shop"
    """
    from statuspulse.cli.monitor_members import members_of

    members = members_of(None, file, **given)
    with remote.client() as client:
        found = monitor_id(client, monitor)
        _show(remote, client.monitors.update(found, if_match=if_version, dry_run=dry_run, **members))


@monitors.command()
@_NAME
@IF_VERSION
@asks_server
def delete(*, remote: Remote, monitor: str, if_version: int | None) -> None:
    """Delete a monitor: its checks stop at once and its incident is resolved.

    \b
    Examples:
      statuspulse monitors delete "Shop"
      statuspulse monitors delete --if-version 3 "Shop"
    """
    with remote.client() as client:
        found = monitor_id(client, monitor)
        client.monitors.delete(found, if_match=if_version)
        click.echo(f"{found} is deleted.", err=True)


@monitors.command()
@_NAME
@asks_server
def pause(*, remote: Remote, monitor: str) -> None:
    """Stop the checks until they are resumed.

    \b
    Examples:
      statuspulse monitors pause "Shop"
      statuspulse monitors pause -o json "Shop"
    """
    with remote.client() as client:
        _show(remote, client.monitors.pause(monitor_id(client, monitor)))


@monitors.command()
@_NAME
@asks_server
def resume(*, remote: Remote, monitor: str) -> None:
    """Look again.

    \b
    Examples:
      statuspulse monitors resume "Shop"
      statuspulse monitors resume -o json "Shop"
    """
    with remote.client() as client:
        _show(remote, client.monitors.resume(monitor_id(client, monitor)))


@monitors.command()
@_NAME
@click.option("--region", "regions", multiple=True, metavar="SLUG", help="From where; repeat it.  [default: all its]")
@asks_server
def check(*, remote: Remote, monitor: str, regions: tuple[str, ...]) -> None:
    """Look now, from its regions; it does not count for uptime. Exit status 1 unless every look was good.

    \b
    Examples:
      statuspulse monitors check "Shop"
      statuspulse monitors check --region eu-west "Shop"
    """
    from statuspulse.cli.monitor_words import CHECK_COLUMNS, check_row

    with remote.client() as client:
        run = client.monitors.check(monitor_id(client, monitor), regions=regions or None)
    remote.show_table(run, CHECK_COLUMNS, [check_row(result) for result in run.results])
    if not all(result.ok for result in run.results):
        sys.exit(NO)


@monitors.command()
@_NAME
@asks_server
def explain(*, remote: Remote, monitor: str) -> None:
    """Say why its state is what it is, and what would change it.

    \b
    Examples:
      statuspulse monitors explain "Shop"
      statuspulse monitors explain -o json "Shop"
    """
    with remote.client() as client:
        told = client.monitors.explain(monitor_id(client, monitor))
    remote.show_lines(told, told.sentences)


@monitors.command()
@_NAME
@click.option("--days", type=click.IntRange(1, 30), default=7, show_default=True, help="How far back.")
@click.option("--interval", type=int, metavar="SECONDS", help="A multiple of the one it has.")
@click.option("--region", "regions", multiple=True, metavar="SLUG", help="Repeat it.")
@click.option("--quorum", metavar="RULE", help="any, majority, all or a number.")
@click.option("--failures", type=int, metavar="N", help="The failure_threshold.")
@click.option("--recoveries", type=int, metavar="N", help="The recovery_threshold.")
@click.option("--slow", type=int, metavar="MS", help="The degraded_latency_ms.")
@asks_server
def simulate(*, remote: Remote, monitor: str, days: int, **rules: Any) -> None:
    """Show whom other rules would have paged over what was seen, beside what happened. Stores and sends nothing.

    \b
    Examples:
      statuspulse monitors simulate --failures 3 "Shop"
      statuspulse monitors simulate --days 30 --quorum all "Shop"
    """
    from statuspulse.cli.monitor_words import simulation_lines, simulation_members

    with remote.client() as client:
        found = monitor_id(client, monitor)
        told = client.monitors.simulate(found, **simulation_members(days, **rules))
    remote.show_lines(told, simulation_lines(told))


def _row(monitor: Any) -> list[str]:
    every = number(monitor.interval_seconds or monitor.document.get("period_seconds"), " s")
    return [monitor.id, monitor.state, monitor.name, monitor.type, monitor.target, every, ",".join(monitor.tags)]


def _show(remote: Remote, monitor: Any) -> None:
    remote.show(
        monitor,
        [
            ("id", monitor.id),
            ("name", monitor.name),
            ("state", monitor.state),
            ("since", time_text(monitor.state_since)),
            ("type", monitor.type),
            ("target", monitor.target),
            ("interval", number(monitor.interval_seconds, " s")),
            ("regions", ", ".join(monitor.regions) or "-"),
            ("policy", monitor.escalation_policy or "-"),
            ("tags", ", ".join(monitor.tags) or "-"),
            ("incident", monitor.open_incident_id or "-"),
            ("version", str(monitor.config_version)),
        ],
    )
