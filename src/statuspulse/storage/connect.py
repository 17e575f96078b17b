"""Opens the database with the guarantees the product relies on: durable commits, one writer, read-only readers."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import QueuePool

from statuspulse.storage import driver
from statuspulse.storage.file_systems import current_mounts, network_file_system

log = structlog.get_logger(__name__)

READERS = 6
_BUSY_TIMEOUT_MS = 5000
_POOL_TIMEOUT_SECONDS = 5
# Older versions can corrupt the write-ahead log when two connections checkpoint (fixed in 3.51.3).
_SAFE_SQLITE = (3, 51, 3)


class UnsuitableStorageError(Exception):
    """The database cannot be kept where the settings say; the text tells why and what to do."""


@dataclass(frozen=True, slots=True)
class Engines:
    """The writer's engine and the readers'; on PostgreSQL one server, two pools.

    `near` is there on SQLite: a reader that waits for no lock, so that the event loop itself may use it.
    """

    writer: Engine
    reader: Engine
    near: Engine | None = None

    @property
    def is_sqlite(self) -> bool:
        return self.writer.dialect.name == "sqlite"

    def dispose(self) -> None:
        self.writer.dispose()
        self.reader.dispose()
        if self.near is not None:
            self.near.dispose()


def sqlite_url(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string()


def open_engines(url: str) -> Engines:
    """Engines for a SQLAlchemy URL, `sqlite:///…` or `postgresql://…`; connects on first use.

    Raises UnsuitableStorageError for a SQLite file on a network file system and for a missing PostgreSQL driver.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _refuse_network_file_system(Path(parsed.database or ""))
        return Engines(
            _sqlite(parsed, "BEGIN IMMEDIATE", 1),
            _sqlite(parsed, "BEGIN", READERS, query_only=True),
            _sqlite(parsed, "BEGIN", 1, query_only=True, busy_timeout_ms=0),
        )
    return Engines(_postgres(parsed, 1), _postgres(parsed, READERS, read_only=True))


def _refuse_network_file_system(path: Path) -> None:
    kind = network_file_system(path.resolve(), current_mounts())
    if kind is not None:
        raise UnsuitableStorageError(
            f"the SQLite database {path} lies on a network file system ({kind}), where its locks do not hold: "
            "set STATUSPULSE_DATA_DIR to a local disk or STATUSPULSE_DATABASE_URL to a PostgreSQL server"
        )


def sqlite_module() -> ModuleType:
    """The SQLite with the current library inside, else the standard one with a warning."""
    try:
        from pysqlite3 import dbapi2  # noqa: PLC0415 - absent on platforms without a wheel
    except ImportError:
        module: ModuleType = sqlite3
    else:
        module = dbapi2
    if module.sqlite_version_info < _SAFE_SQLITE:
        log.warning("storage.old_sqlite", version=module.sqlite_version, safe_from="3.51.3")
    return module


def _sqlite(
    url: URL, begin: str, size: int, *, query_only: bool = False, busy_timeout_ms: int = _BUSY_TIMEOUT_MS
) -> Engine:
    engine = create_engine(
        url,
        module=sqlite_module(),
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT_SECONDS,
        hide_parameters=True,  # they may hold what is secret, and errors are logged
        connect_args={
            "check_same_thread": False,
            "timeout": busy_timeout_ms / 1000,
            "cached_statements": 256,
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver must not open transactions of its own: BEGIN is ours, see below.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "wal_autocheckpoint=0",  # the writer thread does it, between its commits
            f"busy_timeout={busy_timeout_ms}",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            "cache_size=-32768",
            "temp_store=MEMORY",
            f"query_only={'ON' if query_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver.tell(connection, begin)

    return engine


def _postgres(url: URL, size: int, *, read_only: bool = False) -> Engine:
    options = "-c timezone=UTC -c lock_timeout=2s -c statement_timeout=15s -c idle_in_transaction_session_timeout=10s"
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=size,
            max_overflow=0,
            pool_timeout=_POOL_TIMEOUT_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
            # A reader sees one snapshot, as on SQLite.
            isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
            # A server that has vanished from the network must not hold the writer for the kernel's patience.
            connect_args={"options": options, "connect_timeout": 5, "tcp_user_timeout": 20_000},
        )
    except ModuleNotFoundError as error:
        raise UnsuitableStorageError(
            "PostgreSQL needs a driver that is not installed: pip install 'statuspulse[postgres]'"
        ) from error

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.read_only = read_only

    return engine
