"""The words of `statuspulse tokens` and `statuspulse probes`: what has a key, which is shown once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from statuspulse.cli.groups import PROBES, TOKENS, id_of
from statuspulse.cli.remote import IF_VERSION, Remote, asks_server, time_text
from statuspulse.cli.tables import Column

_LONGEST_DAYS = 366
_TOKEN_COLUMNS = (
    Column("ID"),
    Column("NAME", shrinks=True),
    Column("TEXT"),
    Column("SCOPES", shrinks=True),
    Column("USED (UTC)"),
    Column("ENDS (UTC)"),
)
_PROBE_COLUMNS = (
    Column("ID"),
    Column("STATE"),
    Column("NAME", shrinks=True),
    Column("REGION"),
    Column("VERSION"),
    Column("SEEN (UTC)"),
    Column("MONITORS", is_figure=True),
)


@click.group()
def tokens() -> None:
    """Keys of programs. A text is shown once, alone on standard output.

    \b
    Examples:
      statuspulse tokens list
      statuspulse tokens create --scope read "grafana"
    """


@tokens.command("list")
@asks_server
def list_tokens(*, remote: Remote) -> None:
    """List the tokens of the team, with what they may do.

    \b
    Examples:
      statuspulse tokens list
      statuspulse tokens list -o csv
    """
    with remote.client() as client:
        remote.show_list(_TOKEN_COLUMNS, client.tokens.list(), _token_row)


@tokens.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="A scope, or read, write or admin; repeat it.")
@click.option("--days", type=click.IntRange(1, _LONGEST_DAYS), help="How long it lives.")
@asks_server
def create_token(*, remote: Remote, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make a token that may do no more than the one that makes it.

    \b
    Examples:
      statuspulse tokens create --scope read "grafana"
      statuspulse tokens create --scope monitors:write --days 90 "deploy" > deploy.token
    """
    ends = None if days is None else datetime.now(UTC) + timedelta(days=days)  # noqa: TID251 - the caller's clock
    with remote.client() as client:
        made = client.tokens.create(name=name, scopes=scopes, expires_at=ends)
    remote.show_key(made, made.token.reveal())


@tokens.command()
@click.argument("token_id", metavar="ID")
@click.option("--overlap", type=click.IntRange(0), metavar="SECONDS", help="The old text is good so long.")
@asks_server
def rotate(*, remote: Remote, token_id: str, overlap: int | None) -> None:
    """Give a token a new text.

    \b
    Examples:
      statuspulse tokens rotate "$TOKEN_ID"
      statuspulse tokens rotate --overlap 0 "$TOKEN_ID"
    """
    with remote.client() as client:
        made = client.tokens.rotate(id_of(token_id, TOKENS), overlap_seconds=overlap)
    remote.show_key(made, made.token.reveal())


@tokens.command()
@click.argument("token_id", metavar="ID")
@asks_server
def revoke(*, remote: Remote, token_id: str) -> None:
    """End a token for good. ID is its id, tok_…; never the token itself.

    \b
    Examples:
      statuspulse tokens revoke "$TOKEN_ID"
      statuspulse tokens revoke --help
    """
    with remote.client() as client:
        client.tokens.revoke(id_of(token_id, TOKENS))
        click.echo(f"{token_id} is revoked.", err=True)


@click.group()
def probes() -> None:
    """The processes that look, each for a region.

    \b
    Examples:
      statuspulse probes list
      statuspulse probes create --region eu-west "fra-1"
    """


@probes.command("list")
@asks_server
def list_probes(*, remote: Remote) -> None:
    """List the probes of the instance.

    \b
    Examples:
      statuspulse probes list
      statuspulse probes list -o json
    """
    with remote.client() as client:
        remote.show_list(_PROBE_COLUMNS, client.probes.list(), _probe_row)


@probes.command("create")
@click.argument("name")
@click.option("--region", required=True, metavar="SLUG", help="A new one comes into being with its first probe.")
@click.option("--region-name", metavar="NAME", help="How people call the region.")
@asks_server
def create_probe(*, remote: Remote, name: str, region: str, region_name: str | None) -> None:
    """Make a probe; its key, alone on standard output, is what `statuspulse probe` reads.

    \b
    Examples:
      statuspulse probes create --region eu-west "fra-1" > probe.key
      statuspulse probes create --region eu-west --region-name Frankfurt "fra-2"
    """
    with remote.client() as client:
        made = client.probes.create(name=name, region=region, region_name=region_name)
    remote.show_key(made, made.key.reveal())


@probes.command()
@click.argument("probe_id", metavar="PROBE")
@IF_VERSION
@asks_server
def delete(*, remote: Remote, probe_id: str, if_version: int | None) -> None:
    """Delete a probe, by its id, prb_…, or its name; its key ends with it. Its version is its config_version.

    \b
    Examples:
      statuspulse probes delete "$PROBE"
      statuspulse probes delete --if-version 2 "$PROBE"
    """
    with remote.client() as client:
        found = id_of(probe_id, PROBES, client.probes.list)
        client.probes.delete(found, if_match=if_version)
        click.echo(f"{found} is deleted.", err=True)


def _token_row(token: Any) -> list[str]:
    ends = "revoked" if token.revoked_at is not None else time_text(token.expires_at)
    shown = f"{token.prefix}…{token.last4}"
    return [token.id, token.name, shown, ",".join(token.scopes), time_text(token.last_used_at), ends]


def _probe_row(probe: Any) -> list[str]:
    seen, count = time_text(probe.last_seen_at), str(probe.assigned)
    return [probe.id, probe.status, probe.name, probe.region, probe.version or "-", seen, count]
