"""Opens what a process of the control plane stands on: data directory, database in its newest form, keyring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from statuspulse import data_dir
from statuspulse.settings import Settings
from statuspulse.storage import instance, migrate
from statuspulse.storage.connect import sqlite_url
from statuspulse.storage.database import Database, DatabaseUnavailableError
from statuspulse.storage.sealing import Keyring

# By what SQLite says.
_CURES = {
    "not a database": "restore it from the backup",
    "malformed": "restore it from the backup",
    "locked": "end the other program that works on it",
    "readonly": "check its owner and mode",
    "full": "make room on the disk",
}


@dataclass(frozen=True, slots=True)
class Store:
    """An open database and the keyring that it was filled under."""

    database: Database
    keyring: Keyring


@contextmanager
def opened(settings: Settings, now: int) -> Iterator[Store]:
    """Holds the data directory while it is open.

    Raises DataDirError, UnsuitableStorageError or UnknownSchemaError, each in one line.
    """
    data_dir.prepare(settings.data_dir)
    with data_dir.held(settings.data_dir):
        data_dir.ensure_private(settings.database_path)
        database = Database(sqlite_url(settings.database_path))
        try:
            yield Store(database, _made_ready(settings, database, now))
        finally:
            database.close()


def _made_ready(settings: Settings, database: Database, now: int) -> Keyring:
    try:
        migrate.migrate(database.engines.writer)
        return _keyring(settings, database, now)
    except (DBAPIError, DatabaseUnavailableError) as error:
        words = error.orig if isinstance(error, DBAPIError) else error
        cure = next((cure for word, cure in _CURES.items() if word in str(words)), "mend that")
        raise data_dir.DataDirError(f"the database {settings.database_path} cannot be used: {words}; {cure}") from None


def _keyring(settings: Settings, database: Database, now: int) -> Keyring:
    """The key and the database belong together: with the wrong one nothing sealed would ever open."""
    bound = database.read_now(instance.key_fingerprint)
    keyring = data_dir.keyring(settings.data_dir, may_make=bound is None)
    if bound is None:
        database.submit(lambda connection: instance.bind(connection, keyring.fingerprint, now)).result()
    elif bound != keyring.fingerprint:
        message = "the secret key is not the one that the database was filled under; restore secret.key"
        raise data_dir.DataDirError(message)
    return keyring
