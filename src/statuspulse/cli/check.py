"""`statuspulse check`: looks at a target from this process. It imports little: the first look begins within 0.4 s."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NoReturn

import click

from statuspulse.app import log_lines
from statuspulse.app.looks import Target, looks
from statuspulse.cli import nagios, verdict
from statuspulse.cli.faults import REFUSED, UNKNOWN, WRONG_INPUT, fail
from statuspulse.cli.targets import TargetError, target_of
from statuspulse.domain.result import Result, Verdict
from statuspulse.egress.policy import Policy
from statuspulse.protocol.result_members import result_members
from statuspulse.settings import SettingsError, probe_policy

_INTERRUPTED = 130


class Form(Enum):
    """How the outcome is told."""

    TEXT = "text"
    JSON = "json"
    NAGIOS = "nagios"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for on the command line."""

    url: str
    timeout_ms: int
    expected_status: str | None
    form: Form
    count: int


def run(wish: Wish) -> None:
    """Ends the process: 0 up, 1 down, 2 wrong usage, 3 unknown, or the statuses of a Nagios plugin."""
    try:
        target, policy = target_of(wish.url, wish.expected_status), probe_policy(os.environ, Path.cwd())
    except (TargetError, SettingsError) as error:
        _refuse(wish, str(error))
    log_lines.configure()
    try:
        results = asyncio.run(_look(wish, target, policy))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    if wish.form is Form.NAGIOS:
        click.echo(nagios.line(target.address, results, wish.timeout_ms))
        sys.exit(nagios.level_of(results))
    sys.exit(status_of([result.verdict for result in results]))


def status_of(verdicts: Collection[Verdict]) -> int:
    """A failure outweighs everything; a look without a verdict keeps the others from being a yes."""
    if Verdict.FAILED in verdicts:
        return REFUSED
    return UNKNOWN if Verdict.VOID in verdicts else 0


def _refuse(wish: Wish, message: str) -> NoReturn:
    if wish.form is Form.NAGIOS:
        click.echo(nagios.plain(nagios.Level.UNKNOWN, message))
        sys.exit(nagios.Level.UNKNOWN)
    fail(message, WRONG_INPUT)


async def _look(wish: Wish, target: Target, policy: Policy) -> list[Result]:
    results = []
    async for result in looks(target, policy, timeout_ms=wish.timeout_ms, count=wish.count):
        results.append(result)
        _tell(wish, target, result, len(results))
    if wish.form is Form.TEXT and wish.count > 1:
        _echo(verdict.summary(results))
    return results


def _tell(wish: Wish, target: Target, result: Result, number: int) -> None:
    """Tells of one look as soon as it has ended."""
    match wish.form:
        case Form.JSON:
            members = {"object": "result", "target": target.address, "type": target.type.value}
            click.echo(json.dumps(members | result_members(result), ensure_ascii=False))
        case Form.TEXT if wish.count == 1:
            for line in verdict.report(target.address, result, _paint, _bar()):
                _echo(line)
        case Form.TEXT:
            if number == 1:
                _echo(target.address)
            _echo(verdict.one_line(number, result, _paint))
        case Form.NAGIOS:
            pass


def _echo(line: str) -> None:
    click.echo(line, color=_is_colourful())


def _paint(text: str, colour: str) -> str:
    return click.style(text, fg=colour) if _is_colourful() else text


def _is_colourful() -> bool:
    """On a terminal, unless NO_COLOR says no or FORCE_COLOR says yes."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def _bar() -> str:
    """A full block where the output can show one."""
    try:
        "█".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "#"
    return "█"
