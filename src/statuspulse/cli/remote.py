"""What commands that call a server have in common: whom they call, how they tell it, and how they fail."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from statuspulse.cli.faults import WRONG_INPUT, fail
from statuspulse.cli.tables import Column, pairs, table

if TYPE_CHECKING:  # it takes 40 ms, and `--version` has no use for it
    from statuspulse.client import ApiError, Client

NO = 1
NOT_FOUND = 3
NOT_ALLOWED = 4
CONFLICT = 5
UNREACHABLE = 69
INTERRUPTED = 130

_USUAL_SERVER = "http://127.0.0.1:8080"
# Text that a spreadsheet would run.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


IF_VERSION = click.option(
    "--if-version", type=int, metavar="N", help="Only if its version is still this; -o json shows which it has."
)


class Remote:
    """The server of one command, and the form of what is told."""

    def __init__(self, *, server: str | None, token_file: Path | None, team: str | None, form: str) -> None:
        self._server = server or os.environ.get("STATUSPULSE_PUBLIC_URL") or _USUAL_SERVER
        self._token_file = token_file
        self._team = team
        self._form = form

    @contextmanager
    def client(self, *, is_open: bool = False, cure: str | None = None) -> Iterator[Client]:
        """A client, and an end with a fitting exit status for whatever it raises; `is_open` needs no token.

        `cure` is what to do where nobody answers, or something else does.
        """
        from statuspulse.client import ApiError, Client, Retries, StatusPulseError

        token = None if is_open else self._token()
        try:
            with Client(self._server, token, team=self._team, call_seconds=30, retries=Retries(attempts=4)) as client:
                yield client
        except ApiError as error:
            _end(error)
        except StatusPulseError as error:
            usual = f"see whether it runs: statuspulse healthcheck --server {self._server}"
            fail(f"{error}; {cure or usual}", UNREACHABLE)
        except ValueError as error:
            fail(f"{error}; see statuspulse --help", WRONG_INPUT)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def show_list(self, columns: Sequence[Column], items: Iterator[Any], row: Callable[[Any], Sequence[str]]) -> None:
        """Many objects: a table, a JSON array with the members of the API, or CSV with those of the table."""
        found = list(items)
        match self._form:
            case "json":
                click.echo(json.dumps([item.document for item in found], indent=2, ensure_ascii=False))
            case "csv":
                _write_csv([column.title.lower() for column in columns], [row(item) for item in found])
            case _ if not found:
                click.echo("There is none.", err=True)
            case _:
                width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
                echo_lines(table(columns, [row(item) for item in found], width, paint))

    def show(self, item: Any, members: Sequence[tuple[str, str]]) -> None:
        """One object: its message and members below one another, or as a list does."""
        match self._form:
            case "json":
                click.echo(json.dumps(item.document, indent=2, ensure_ascii=False))
            case "csv":
                _write_csv([name.lower() for name, _ in members], [[value for _, value in members]])
            case _:
                self.talk(item)
                echo_lines(pairs(members, paint))

    def show_lines(self, item: Any, lines: Sequence[str]) -> None:
        """An account in words; CSV has no form for it."""
        if self._form == "json":
            click.echo(json.dumps(item.document, indent=2, ensure_ascii=False))
        elif self._form == "csv":
            fail("this has no form as CSV; use -o json", WRONG_INPUT)
        else:
            echo_lines(lines)

    def show_table(self, item: Any, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """The parts of one object."""
        match self._form:
            case "json":
                click.echo(json.dumps(item.document, indent=2, ensure_ascii=False))
            case "csv":
                _write_csv([column.title.lower() for column in columns], rows)
            case _:
                self.talk(item)
                width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
                echo_lines(table(columns, rows, width, paint))

    def show_key(self, item: Any, text: str) -> None:
        """What is told this once: alone on standard output, so that it can go into a file."""
        if self._form == "json":
            click.echo(json.dumps(item.document, indent=2, ensure_ascii=False))
            return
        self.talk(item)
        click.echo(text)

    def talk(self, item: Any) -> None:
        """What the server says about it, on standard error."""
        for sentence in (item.message, *(warning.message for warning in item.warnings)):
            if sentence:
                click.echo(sentence, err=True)

    def _token(self) -> str:
        if self._token_file is not None:
            try:
                text = self._token_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is no text"
                fail(f"{self._token_file} cannot be read: {reason}", WRONG_INPUT)
        else:
            text = os.environ.get("STATUSPULSE_TOKEN", "")
        if not text:
            fail("no token; export STATUSPULSE_TOKEN=… or name a file that holds it with --token-file", WRONG_INPUT)
        return text


def asks_server(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of a server, and makes a Remote of them."""

    @click.option("--server", metavar="URL", help="Where it answers; else STATUSPULSE_PUBLIC_URL, or port 8080 here.")
    @click.option(
        "--token-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Holds the token; without it the token is read from STATUSPULSE_TOKEN.",
    )
    @click.option("--team", metavar="SLUG", help="The team, for tokens of several.")
    @click.option(
        "-o", "--output", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
    )
    @functools.wraps(command)
    def with_remote(*, server: str | None, token_file: Path | None, team: str | None, form: str, **words: Any) -> None:
        command(remote=Remote(server=server, token_file=token_file, team=team, form=form), **words)

    return with_remote


def time_text(at: datetime | None) -> str:
    """UTC to the second; a dash for what has no time."""
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def number(value: float | None, unit: str = "") -> str:
    return "-" if value is None else f"{value:g}{unit}"


def percent(value: float | None) -> str:
    """Rounded down: 100 is said only of a time without any downtime."""
    # The API floors to four decimals; what a float adds to those is not its own.
    return "-" if value is None else f"{round(value * 10_000) // 100 / 100:.2f} %"


def paint(text: str, colour: str) -> str:
    return click.style(text, fg=colour) if is_colourful() else text


def is_colourful() -> bool:
    """On a terminal, unless NO_COLOR says no or FORCE_COLOR says yes."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def echo_lines(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line, color=is_colourful())


def _write_csv(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(
        [[f"'{cell}" if cell.startswith(_FORMULAS) and cell != "-" else cell for cell in row] for row in rows]
    )
    click.echo(text.getvalue(), nl=False)


def _end(error: ApiError) -> NoReturn:
    status, cure = _ENDINGS.get(error.status, (WRONG_INPUT, "see the command's --help"))
    if status == NOT_FOUND and (listing := _beside("list")):
        cure = f"see what there is: {listing}"
    if error.status in _ABOUT_VERSIONS and (looking := _beside("get") or _beside("list")):
        cure = f"look at its version: {looking} -o json; then name that with --if-version N"
    if error.status >= 500:
        status, cure = UNREACHABLE, "try again, or see statuspulse healthcheck"
    others = [found.get("message") for found in error.details[1:] if found.get("message")]
    problems = "".join(f"; {found.get('param')}: {found['message']}" for found in error.details[1:] if others)
    fail(f"{error}{problems}; {cure}", status)


def _beside(name: str) -> str | None:
    """The command of that name in the group of the running one, where there is one."""
    group = click.get_current_context().parent
    if group is None or not isinstance(group.command, click.Group) or name not in group.command.commands:
        return None
    return f"{group.command_path} {name}"


_ABOUT_VERSIONS = frozenset({412, 428})
_ENDINGS = {
    401: (NOT_ALLOWED, "export STATUSPULSE_TOKEN=…, or make one: statuspulse admin token create"),
    403: (NOT_ALLOWED, "make a token that may: statuspulse tokens create --scope SCOPE NAME"),
    404: (NOT_FOUND, "see what there is: statuspulse monitors list, statuspulse incidents list"),
    409: (CONFLICT, "look at it first: statuspulse incidents get ID or statuspulse monitors get ID"),
    412: (CONFLICT, "look at its version first"),
    428: (CONFLICT, "look at its version first"),
    429: (UNREACHABLE, "wait, and try again"),
}
