"""Keeps SQLite's write-ahead log small: moves it into the database file between commits."""

from __future__ import annotations

from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 2.0
_LARGEST_BYTES = 64 << 20
# Cutting the file waits for readers, and every write waits for that: rather try again a little later.
_PATIENCE_MS = 100


class WriteAheadLog:
    """Belongs to the writer thread: SQLite before 3.51.3 is safe only while one connection does checkpoints."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._path = Path(f"{engine.url.database}-wal")
        self._due: float | None = None

    def grown(self, now: float) -> None:
        """Something was committed at `now` (seconds, monotonic)."""
        if self._due is None:
            self._due = now + _EVERY_SECONDS

    def rest(self, now: float) -> float | None:
        """Seconds until there is something to do, None when nothing is left to move."""
        return None if self._due is None else max(0.0, self._due - now)

    def tend(self, now: float) -> None:
        """Moves what was committed, if it is time; cuts the file where it has grown beyond its bound."""
        if self._due is None or now < self._due:
            return
        moved = self._checkpoint("PASSIVE")
        if self._size() > _LARGEST_BYTES:
            moved = self._checkpoint("TRUNCATE")
        self._due = None if moved else now + _EVERY_SECONDS

    def close(self) -> None:
        self._checkpoint("TRUNCATE")

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def _checkpoint(self, mode: str) -> bool:
        """Whether everything was moved: readers may hold a part, which a later call moves."""
        try:
            raw = self._engine.raw_connection()
            try:
                cursor = raw.cursor()
                (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
                cursor.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
                try:
                    busy, frames, moved = cursor.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
                finally:
                    cursor.execute(f"PRAGMA busy_timeout={patience}")
            finally:
                raw.close()
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:  # the raw driver speaks here
            log.warning("database.checkpoint_failed", reason=str(error))
            return False
        return not busy and frames == moved
