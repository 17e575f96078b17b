"""The words of `statuspulse status`, `openapi` and `healthcheck`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from statuspulse.cli.faults import fail
from statuspulse.cli.groups import monitor_id
from statuspulse.cli.remote import NO, UNREACHABLE, Remote, asks_server, number, percent, time_text
from statuspulse.cli.tables import Column

_COLUMNS = (
    Column("STATE"),
    Column("NAME", shrinks=True),
    Column("SINCE (UTC)"),
    Column("P95", is_figure=True),
    Column("UPTIME 24H", is_figure=True),
    Column("30D", is_figure=True),
    Column("FAILING", shrinks=True),
)


@click.command()
@click.argument("monitor", required=False)
@click.option("--exit-status", is_flag=True, help="End with 1 unless it is up, or all are.")
@asks_server
def status(*, remote: Remote, monitor: str | None, exit_status: bool) -> None:
    """How MONITOR is now, by id or name; without it how all are, the most urgent first.

    \b
    Examples:
      statuspulse status
      statuspulse status --exit-status "Shop"
    """
    with remote.client() as client:
        if monitor is None:
            seen = list(client.status.list(sort="state"))
            remote.show_list(_COLUMNS, iter(seen), _row)
        else:
            seen = [client.status.get(monitor_id(client, monitor))]
            remote.show(seen[0], _members(seen[0]))
    if exit_status and any(found.state != "up" for found in seen):
        sys.exit(NO)


@click.command()
@click.option("--server", metavar="URL", help="Where it answers; else STATUSPULSE_PUBLIC_URL, or port 8080 here.")
def openapi(*, server: str | None) -> None:
    """Print the description of the server's API (OpenAPI 3.1, JSON). It needs no token.

    \b
    Examples:
      statuspulse openapi > openapi.json
      statuspulse openapi --server https://status.example.com
    """
    with Remote(server=server, token_file=None, team=None, form="json").client(is_open=True) as client:
        click.echo(json.dumps(client.openapi(), indent=2, ensure_ascii=False))


@click.command()
@click.option("--server", metavar="URL", help="Where it answers; else STATUSPULSE_PUBLIC_URL, or port 8080 here.")
def healthcheck(*, server: str | None) -> None:
    """Ask a server whether it is there; it needs no token. Exit status 0: it is, 69: it does not answer.

    \b
    Examples:
      statuspulse healthcheck
      statuspulse healthcheck --server http://127.0.0.1:9000
    """
    cure = "start it with statuspulse serve, or name where it answers with --server"
    with Remote(server=server, token_file=None, team=None, form="json").client(is_open=True, cure=cure) as client:
        told = client.call("GET")
        if told.get("object") != "api":
            fail("something else answers there; name the server with --server", UNREACHABLE)
        click.echo(f"StatusPulse {told['version']} answers.")


def _row(seen: Any) -> list[str]:
    figures = seen.metrics
    return [
        seen.state,
        seen.name,
        time_text(seen.state_since),
        number(figures.p95_latency_ms, " ms"),
        percent(figures.uptime_24h_pct),
        percent(figures.uptime_30d_pct),
        ",".join(seen.failing_regions) or "-",
    ]


def _members(seen: Any) -> list[tuple[str, str]]:
    figures = seen.metrics
    incident = seen.active_incident
    return [
        ("state", seen.state),
        ("since", time_text(seen.state_since)),
        ("last check", time_text(seen.last_probe_at)),
        ("p95", number(figures.p95_latency_ms, " ms")),
        ("uptime 24h", percent(figures.uptime_24h_pct)),
        ("uptime 30d", percent(figures.uptime_30d_pct)),
        ("seen", percent(figures.coverage_pct)),
        *((found.region, _of_region(found)) for found in seen.regions or ()),
        ("incident", "-" if incident is None else f"{incident.id} {incident.state}: {incident.title}"),
    ]


def _of_region(found: Any) -> str:
    why = "" if found.failure is None else f" ({found.failure.class_}: {found.failure.detail})"
    return f"{found.health}{why}"
