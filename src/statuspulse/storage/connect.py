"""Opens the database with the guarantees the product relies on: durable commits, one writer, read-only readers."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import QueuePool

log = structlog.get_logger(__name__)

READERS = 4
_BUSY_TIMEOUT_MS = 5000
# Older versions can corrupt the write-ahead log when two connections checkpoint (fixed in 3.51.3).
_SAFE_SQLITE = (3, 51, 3)


@dataclass(frozen=True, slots=True)
class Engines:
    """The writer's engine and the readers'; on PostgreSQL one server, two pools."""

    writer: Engine
    reader: Engine

    @property
    def is_sqlite(self) -> bool:
        return self.writer.dialect.name == "sqlite"

    def dispose(self) -> None:
        self.writer.dispose()
        self.reader.dispose()


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def open_engines(url: str) -> Engines:
    """Engines for a SQLAlchemy URL, `sqlite:///…` or `postgresql://…`; connects on first use."""
    if make_url(url).get_backend_name() == "sqlite":
        return Engines(_sqlite(url, "BEGIN IMMEDIATE", 1), _sqlite(url, "BEGIN", READERS, query_only=True))
    return Engines(_postgres(url, 1), _postgres(url, READERS))


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


def _sqlite(url: str, begin: str, size: int, *, query_only: bool = False) -> Engine:
    engine = create_engine(
        url,
        module=sqlite_module(),
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        connect_args={
            "check_same_thread": False,
            "timeout": _BUSY_TIMEOUT_MS / 1000,
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
            f"busy_timeout={_BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
            "trusted_schema=OFF",
            "cache_size=-32768",
            "temp_store=MEMORY",
            f"query_only={'ON' if query_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgres(url: str, size: int) -> Engine:
    options = "-c timezone=UTC -c lock_timeout=2s -c statement_timeout=15s -c idle_in_transaction_session_timeout=10s"
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"options": options},
    )
