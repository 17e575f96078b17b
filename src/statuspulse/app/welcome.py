"""What a start tells the person before the screen: where it listens, where the data is, and the next line to type."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from statuspulse import __version__
from statuspulse.catalog.setup import FirstStart
from statuspulse.settings import PREFIX, Settings
from statuspulse.storage.connect import sqlite_module

_FIRST_MONITOR = {"name": "Example", "type": "http", "url": "https://example.com"}


def greet(settings: Settings, url: str, made: FirstStart) -> None:
    """Prints to standard output; the token only in the start that made it."""
    token = "$TOKEN" if made.admin_token is None else made.admin_token.reveal()
    lines = [
        f"StatusPulse {__version__} is watching.",
        f"  api        {url}/v1   ready: {url}/readyz   description: {url}/v1/openapi.json",
        f"  data       {settings.data_dir}  (SQLite {sqlite_module().sqlite_version})",
        f"  token      {_token_line(settings, made)}",
        "  first monitor:",
        f'    curl -X POST {url}/v1/monitors -H "Authorization: Bearer {token}" \\',
        f"      -H \"Content-Type: application/json\" -d '{json.dumps(_FIRST_MONITOR, separators=(',', ':'))}'",
        f"  region     local ({'1 probe' if settings.runs_probe else 'no probe'}) · no default password exists",
        *(f"  note       {remark}" for remark in settings.remarks),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _token_line(settings: Settings, made: FirstStart) -> str:
    if made.admin_token is not None:
        return f"{made.admin_token.reveal()}   shown once; keep it"
    if settings.bootstrap_token is not None:
        return f"the one in {PREFIX}BOOTSTRAP_TOKEN"
    return f"shown at the first start; if it is lost, stop and make another: {_command(settings)}"


def _command(settings: Settings) -> str:
    """What works from any directory and in any shell: this program, on this data."""
    folder, program = settings.data_dir.absolute(), Path(sys.argv[0])
    words = [sys.executable, "-m", "statuspulse"] if program.name == "__main__.py" else [str(program.absolute())]
    return f"{PREFIX}DATA_DIR={shlex.quote(str(folder))} {shlex.join(words)} admin token create"
