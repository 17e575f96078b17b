"""The words of `statuspulse incidents`."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from statuspulse.cli.groups import INCIDENTS, id_of, monitor_id
from statuspulse.cli.remote import Remote, asks_server, time_text
from statuspulse.cli.tables import Column

_COLUMNS = (
    Column("ID"),
    Column("STATE"),
    Column("SEVERITY"),
    Column("TRIGGERED (UTC)"),
    Column("ASSIGNEE", shrinks=True),
    Column("TITLE", shrinks=True),
)
_ID = click.argument("incident_id", metavar="ID")


@click.group()
def incidents() -> None:
    """What needs people. ID is an incident's, inc_….

    \b
    Examples:
      statuspulse incidents list
      statuspulse incidents ack --assignee maya@example.com "$INCIDENT"
    """


@incidents.command("list")
@click.option("--state", multiple=True, help="triggered, acknowledged, resolved; repeat it.  [default: the open ones]")
@click.option("--monitor", help="Those of one monitor, by id or name.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@asks_server
def list_(*, remote: Remote, state: tuple[str, ...], monitor: str | None, limit: int) -> None:
    """List incidents, the newest first.

    \b
    Examples:
      statuspulse incidents list
      statuspulse incidents list --state resolved -o csv
    """
    with remote.client() as client:
        of_monitor = None if monitor is None else monitor_id(client, monitor)
        found = client.incidents.list(state=state or ("triggered", "acknowledged"), monitor_id=of_monitor)
        remote.show_list(_COLUMNS, islice(found, limit), _row)


@incidents.command()
@_ID
@asks_server
def get(*, remote: Remote, incident_id: str) -> None:
    """Show one incident; -o json has every member.

    \b
    Examples:
      statuspulse incidents get "$INCIDENT"
      statuspulse incidents get -o json "$INCIDENT"
    """
    with remote.client() as client:
        _show(remote, client.incidents.get(id_of(incident_id, INCIDENTS)))


@incidents.command()
@click.argument("title")
@click.option("--monitor", help="Which monitor it is about, by id or name.")
@click.option("--severity", help="critical, error, warning or info.")
@click.option("--dedup-key", metavar="KEY", help="An open incident with it absorbs this one.")
@click.option("--note", help="What is known.")
@click.option("--quiet", is_flag=True, help="Page nobody.")
@asks_server
def trigger(
    *,
    remote: Remote,
    title: str,
    monitor: str | None,
    severity: str | None,
    dedup_key: str | None,
    note: str | None,
    quiet: bool,
) -> None:
    """Open an incident and page whoever is due.

    \b
    Examples:
      statuspulse incidents trigger --severity error "Redis is full"
      statuspulse incidents trigger --quiet --dedup-key deploy-42 "Deploy 42 failed"
    """
    with remote.client() as client:
        about = None if monitor is None else monitor_id(client, monitor)
        opened = client.incidents.trigger(
            title=title,
            monitor_id=about,
            severity=severity,
            dedup_key=dedup_key,
            notes=note,
            notify=False if quiet else None,
        )
        _show(remote, opened)


@incidents.command()
@_ID
@click.option("--assignee", help="Who has it, as an address or a name.")
@click.option("--note", help="What is known.")
@asks_server
def ack(*, remote: Remote, incident_id: str, assignee: str | None, note: str | None) -> None:
    """Acknowledge: somebody has it, so nobody else is paged.

    \b
    Examples:
      statuspulse incidents ack "$INCIDENT"
      statuspulse incidents ack --assignee maya@example.com --note "On it." "$INCIDENT"
    """
    with remote.client() as client:
        _show(remote, client.incidents.acknowledge(id_of(incident_id, INCIDENTS), assignee=assignee, notes=note))


@incidents.command()
@_ID
@click.option("--note", help="What it was.")
@asks_server
def resolve(*, remote: Remote, incident_id: str, note: str | None) -> None:
    """Resolve an incident.

    \b
    Examples:
      statuspulse incidents resolve "$INCIDENT"
      statuspulse incidents resolve --note "Pool enlarged." "$INCIDENT"
    """
    with remote.client() as client:
        _show(remote, client.incidents.resolve(id_of(incident_id, INCIDENTS), notes=note))


@incidents.command()
@_ID
@click.argument("text")
@asks_server
def note(*, remote: Remote, incident_id: str, text: str) -> None:
    """Add a note to the timeline.

    \b
    Examples:
      statuspulse incidents note "$INCIDENT" "Scaling the read replicas."
      statuspulse incidents note -o json "$INCIDENT" "It was the pool."
    """
    with remote.client() as client:
        added = client.incidents.note(id_of(incident_id, INCIDENTS), text)
    remote.show(added, [("id", added.id), ("at", time_text(added.created_at)), ("by", added.actor.label)])


def _row(incident: Any) -> list[str]:
    at, who = time_text(incident.triggered_at), incident.assignee or "-"
    return [incident.id, incident.state, incident.severity, at, who, incident.title]


def _show(remote: Remote, incident: Any) -> None:
    remote.show(
        incident,
        [
            ("id", incident.id),
            ("title", incident.title),
            ("state", incident.state),
            ("severity", incident.severity),
            ("triggered", time_text(incident.triggered_at)),
            ("acknowledged", time_text(incident.acknowledged_at)),
            ("resolved", time_text(incident.resolved_at)),
            ("assignee", incident.assignee or "-"),
            ("monitor", incident.monitor_id or "-"),
        ],
    )
