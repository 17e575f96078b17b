"""The words of `statuspulse admin token`."""

from __future__ import annotations

import click

_LONGEST_DAYS = 366


@click.group()
def token() -> None:
    """Make, list and revoke tokens on the data directory of a server that is stopped.

    For when no token is left that could; a running server does the same at /v1/tokens.

    \b
    Examples:
      statuspulse admin token create --name "after the holidays"
      statuspulse admin token list
    """


@token.command()
@click.option("--name", default="operator", show_default=True, help="How people shall know it.")
@click.option(
    "--team", "teams", multiple=True, metavar="SLUG", help="Repeat it for several.  [default: the first team]"
)
@click.option(
    "--scope", "scopes", multiple=True, metavar="SCOPE", help="A scope or a bundle; repeat it.  [default: admin]"
)
@click.option("--days", type=click.IntRange(1, _LONGEST_DAYS), help="How long it lives.  [default: for ever]")
@click.option("--network", "networks", multiple=True, metavar="CIDR", help="From where it may be used; repeat it.")
def create(
    *, name: str, teams: tuple[str, ...], scopes: tuple[str, ...], days: int | None, networks: tuple[str, ...]
) -> None:
    """Make a token; its text is the only line on standard output and is shown this once.

    \b
    Examples:
      statuspulse admin token create --name grafana --scope read
      statuspulse admin token create --team payments --scope write --days 90
    """
    from statuspulse.cli.tokens import make

    make(name=name, team_slugs=teams, scopes=scopes or ("admin",), days=days, networks=networks)


@token.command("list")
def list_() -> None:
    """List the tokens of every team, with what they may do and when they were used last.

    \b
    Examples:
      statuspulse admin token list
      statuspulse admin token list | grep revoked
    """
    from statuspulse.cli.tokens import show

    show()


@token.command()
@click.argument("token_id", metavar="ID")
def revoke(*, token_id: str) -> None:
    """Revoke a token for good. ID is its id, tok_…; never the token itself.

    \b
    Examples:
      statuspulse admin token revoke "$TOKEN_ID"
      statuspulse admin token revoke --help
    """
    from statuspulse.cli.tokens import end

    end(token_id)
