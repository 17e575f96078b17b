"""`statuspulse admin seed`."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import click

from statuspulse.api.strict_json import InvalidJsonError, parse
from statuspulse.app import log_lines
from statuspulse.app.clock import now_ms
from statuspulse.app.store import opened
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.seed import Seeded, SeedError, seed
from statuspulse.cli.faults import REFUSED, WRONG_INPUT, told
from statuspulse.data_dir import DataDirError, InUseError
from statuspulse.engine import rollups
from statuspulse.settings import Settings, SettingsError, load
from statuspulse.storage.connect import UnsuitableStorageError
from statuspulse.storage.database import Database, DatabaseUnavailableError
from statuspulse.storage.migrate import UnknownSchemaError

_ENDINGS: dict[type[Exception], int] = {
    InUseError: REFUSED,
    DataDirError: WRONG_INPUT,
    SettingsError: WRONG_INPUT,
    UnsuitableStorageError: WRONG_INPUT,
    UnknownSchemaError: WRONG_INPUT,
    DatabaseUnavailableError: WRONG_INPUT,
    SeedError: WRONG_INPUT,
}


def run(raw: bytes, *, place: str) -> None:
    with told(_ENDINGS):
        settings = load(os.environ, Path.cwd())
        log_lines.configure()
        seeded = _seed(settings, raw, place)
    for line in seeded.lines:
        click.echo(line)
    for probe_id, key in seeded.probe_keys.items():
        click.echo(f"key of probe {probe_id}, shown once: {key.reveal()}")


def _seed(settings: Settings, raw: bytes, place: str) -> Seeded:
    try:
        document = parse(raw)
    except InvalidJsonError as error:
        raise SeedError(f"{place} is not valid JSON: {error}") from None
    with opened(settings, now_ms()) as store:
        instance = Instance(
            keyring=store.keyring, policy=settings.policy, min_interval_seconds=settings.min_interval_seconds
        )
        seeded = store.database.submit(partial(seed, instance=instance, document=document, now=now_ms())).result()
        _roll_up(store.database)
    return seeded


def _roll_up(database: Database) -> None:
    """What was seeded is in the figures from the first answer of the server on."""
    while database.submit(lambda connection: rollups.roll(connection, now_ms(), rollups.ROWS_PER_STEP)).result():
        pass
