"""`statuspulse admin token`: tokens by the hand of the operator, straight on the data directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import click
from sqlalchemy import Connection

from statuspulse.app import log_lines
from statuspulse.app.clock import now_ms
from statuspulse.app.store import Store, opened
from statuspulse.catalog import operator_tokens
from statuspulse.catalog.operator_tokens import UnknownTeamError, Wish
from statuspulse.catalog.refusals import MissingError
from statuspulse.cli.faults import REFUSED, WRONG_INPUT, fail, told
from statuspulse.data_dir import DataDirError, InUseError
from statuspulse.domain.networks import parse_network
from statuspulse.domain.scope import BUNDLES, SCOPES, is_scope
from statuspulse.domain.times import to_text
from statuspulse.settings import PREFIX, Settings, SettingsError, load
from statuspulse.storage.connect import UnsuitableStorageError
from statuspulse.storage.database import DatabaseUnavailableError
from statuspulse.storage.migrate import UnknownSchemaError
from statuspulse.storage.tokens import Token

T = TypeVar("T")

_NOT_FOUND = 3
_ENDINGS: dict[type[Exception], int] = {
    InUseError: REFUSED,
    DataDirError: WRONG_INPUT,
    SettingsError: WRONG_INPUT,
    UnsuitableStorageError: WRONG_INPUT,
    UnknownSchemaError: WRONG_INPUT,
    DatabaseUnavailableError: WRONG_INPUT,
    UnknownTeamError: _NOT_FOUND,
}


def make(
    *,
    name: str,
    team_slugs: tuple[str, ...],
    scopes: tuple[str, ...],
    days: int | None,
    networks: tuple[str, ...],
) -> None:
    """Prints the text on standard output, and what it belongs to on standard error."""
    if not name.strip():
        fail("--name must not be empty: people shall know the token by it", WRONG_INPUT)
    for scope in scopes:
        if not is_scope(scope):
            fail(f"{scope} is no scope; there are {', '.join([*BUNDLES, *sorted(SCOPES)])}", WRONG_INPUT)
    wish = Wish(name=name, team_slugs=team_slugs, scopes=scopes, days=days, networks=tuple(map(_network, networks)))
    with _store() as store:
        issued = _write(store, partial(operator_tokens.create, keyring=store.keyring, wish=wish, now=now_ms()))
    click.echo(f'token {issued.token.id} "{issued.token.name}", shown this once:', err=True)
    click.echo(issued.text.reveal())


def show() -> None:
    with _store() as store:
        for token, slugs in _write(store, operator_tokens.listed):
            click.echo(_line(token, slugs))


def end(token_id: str) -> None:
    with _store() as store:
        try:
            was_live = _write(store, partial(operator_tokens.revoke, token_id=token_id, now=now_ms()))
        except MissingError:
            fail("there is no token with this id; statuspulse admin token list shows them", _NOT_FOUND)
    click.echo(f"token {token_id} {'' if was_live else 'was already '}revoked", err=True)


@contextmanager
def _store() -> Iterator[Store]:
    with told(_ENDINGS):
        settings = load(os.environ, Path.cwd())
        log_lines.configure()
        _check_filled(settings)
        with opened(settings, now_ms()) as store:
            yield store


def _check_filled(settings: Settings) -> None:
    """A token in a database that no server has filled opens nothing, and whoever asks for one means another place."""
    if not settings.database_path.exists():
        message = (
            f"there is no database in {settings.data_dir.absolute()}; set {PREFIX}DATA_DIR to the data directory of "
            "your server, which it tells at every start"
        )
        raise DataDirError(message)


def _write(store: Store, work: Callable[[Connection], T]) -> T:
    return store.database.submit(work).result()


def _network(text: str) -> str:
    try:
        return str(parse_network(text))
    except ValueError as error:
        fail(f"--network {text}: {error}", WRONG_INPUT)


def _line(token: Token, slugs: list[str]) -> str:
    """One token, its members apart by two spaces so that they can be cut."""
    members = [
        token.id,
        f"{token.prefix}…{token.last4}",
        ",".join(slugs),
        ",".join(token.scopes),
        "from " + ",".join(token.networks or ("anywhere",)),
        f"used {_time(token.last_used_at)}",
        f"revoked {_time(token.revoked_at)}" if token.revoked_at is not None else f"ends {_time(token.expires_at)}",
        token.name,
    ]
    return "  ".join(members)


def _time(at: int | None) -> str:
    return "never" if at is None else to_text(at)
