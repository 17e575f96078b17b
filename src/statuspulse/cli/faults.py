"""How a command ends that cannot do what was asked: one line on standard error and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

REFUSED = 1
WRONG_INPUT = 2
# As the UNKNOWN of a Nagios plugin: nothing failed, and nobody could tell.
UNKNOWN = 3


def fail(message: str, status: int) -> NoReturn:
    click.echo(f"statuspulse: {' '.join(message.split())}", err=True)
    sys.exit(status)


@contextmanager
def told(errors: dict[type[Exception], int]) -> Iterator[None]:
    """Turns errors of these kinds, each of which is one line for the operator, into exit statuses."""
    try:
        yield
    except tuple(errors) as error:
        fail(str(error), next(status for kind, status in errors.items() if isinstance(error, kind)))
