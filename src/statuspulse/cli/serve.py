"""`statuspulse serve`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from statuspulse.app import log_lines
from statuspulse.app.serve import serve
from statuspulse.app.web_server import CannotListenError
from statuspulse.cli.faults import WRONG_INPUT, told
from statuspulse.data_dir import DataDirError
from statuspulse.settings import SettingsError, load
from statuspulse.storage.connect import UnsuitableStorageError
from statuspulse.storage.database import DatabaseUnavailableError
from statuspulse.storage.migrate import UnknownSchemaError

_FAULTS = (
    SettingsError,
    DataDirError,
    UnsuitableStorageError,
    UnknownSchemaError,
    DatabaseUnavailableError,
    CannotListenError,
)


def run(*, no_probe: bool) -> None:
    with told(dict.fromkeys(_FAULTS, WRONG_INPUT)):
        settings = load(os.environ, Path.cwd())
        log_lines.configure()
        serve(replace(settings, runs_probe=False) if no_probe else settings)
