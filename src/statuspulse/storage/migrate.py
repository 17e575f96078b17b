"""Brings the schema to the newest revision, in one transaction: all of it happens or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, inspect, text

from statuspulse.storage.schema import teams

log = structlog.get_logger(__name__)

# The last revision in `migrations/versions`, known here without the cost of loading them. Revisions count up.
HEAD = "0001"
_MIGRATIONS = Path(__file__).with_name("migrations")
# Any number will do that is always the same; "SPmigrat" in ASCII.
_LOCK = 0x53506D6967726174
_PATIENCE_ON_POSTGRES = ("SET LOCAL lock_timeout = '60s'", "SET LOCAL statement_timeout = 0")


class UnknownSchemaError(Exception):
    """The database is not one that this version can bring up to date; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationOutcome:
    """Which revision was found, None in an empty database, and which one stands there now."""

    found: str | None
    now: str

    @property
    def has_changed(self) -> bool:
        return self.found != self.now


def migrate(engine: Engine) -> MigrationOutcome:
    """Brings the database of the writer's engine up to date; does next to nothing where it is.

    Of several processes that start together one migrates and the others wait. A database of a newer version, or with
    tables of unknown origin, is left alone: UnknownSchemaError. There is no way back but a backup.
    """
    with engine.begin() as connection:
        if is_current(connection):
            return MigrationOutcome(found=HEAD, now=HEAD)
        _wait_for_our_turn(connection)
        found = current(connection)
        _ensure_known(connection, found)
        if found != HEAD:
            _upgrade(connection)
            log.info("storage.migrated", found=found, now=HEAD)
        return MigrationOutcome(found=found, now=HEAD)


def current(connection: Connection) -> str | None:
    """The revision that the database is at, None before the first one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def is_current(connection: Connection) -> bool:
    return current(connection) == HEAD


def _wait_for_our_turn(connection: Connection) -> None:
    """SQLite has one writer anyway. The lock ends with the transaction, so poolers between do no harm."""
    if connection.dialect.name == "postgresql":
        for statement in _PATIENCE_ON_POSTGRES:
            connection.execute(text(statement))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


def _ensure_known(connection: Connection, found: str | None) -> None:
    if found is None and inspect(connection).has_table(teams.name):
        raise UnknownSchemaError(
            "the database has tables but no schema revision: it was not made by StatusPulse's migrations; "
            "name an empty database"
        )
    if found is not None and not "0000" < found <= HEAD:
        raise UnknownSchemaError(
            f"the database was written by a newer StatusPulse (schema {found}, this version knows up to {HEAD}): "
            "start that version again, or restore a backup made before it"
        )


def _upgrade(connection: Connection) -> None:
    # Loading alembic takes 0.4 s: only a start that has something to migrate pays for it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
