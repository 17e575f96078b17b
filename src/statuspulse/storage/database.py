"""The database as the rest sees it: `read` and `write` run a function in a thread; writes commit in groups."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from statuspulse.storage.connect import READERS, open_engines

log = structlog.get_logger(__name__)
T = TypeVar("T")

_GROUP_LIMIT = 200
_CHECKPOINT_EVERY_SECONDS = 2.0


class DatabaseUnavailableError(Exception):
    """The database is full, locked, read-only or gone. Nothing of the change was stored."""


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    outcome: Future[Any]
    value: Any = None


class Database:
    """One writer thread with group commit and a few readers, on SQLite and PostgreSQL alike.

    A write is durable once its future is done. Jobs that wait together share one commit; each runs in a savepoint of
    its own, so that one that raises undoes only itself.
    """

    def __init__(self, url: str) -> None:
        self.engines = open_engines(url)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")
        self._writer = threading.Thread(target=self._write_forever, name="db-write", daemon=True)
        self._closed = False
        self._writer.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in the writer's transaction; returns its value once that has committed.

        Raises whatever `work` raised, or DatabaseUnavailableError when the commit failed.
        """
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """The same for callers outside the event loop."""
        if self._closed:
            raise DatabaseUnavailableError("the database is closed")
        outcome: Future[T] = Future()
        self._jobs.put(_Job(work, outcome))
        return outcome

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` on a reader's snapshot; raises DatabaseUnavailableError when there is none."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, work)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """The same in the caller's thread."""
        try:
            with self.engines.reader.connect() as connection:
                return work(connection)
        except DBAPIError as error:
            raise DatabaseUnavailableError(_reason(error)) from error

    def close(self) -> None:
        """Finishes what was submitted, then closes."""
        self._closed = True
        self._jobs.put(None)
        self._writer.join()
        self._readers.shutdown()
        self.engines.dispose()

    def _write_forever(self) -> None:
        checkpointed = time.monotonic()
        while group := self._next_group():
            self._commit(group)
            if time.monotonic() - checkpointed > _CHECKPOINT_EVERY_SECONDS:
                self._checkpoint("PASSIVE")
                checkpointed = time.monotonic()
        self._checkpoint("TRUNCATE")

    def _next_group(self) -> list[_Job]:
        """Waits for a job and takes along what is already there; empty when closing."""
        group: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            group.append(job)
            if len(group) == _GROUP_LIMIT:
                return group
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group
        if group:
            self._jobs.put(None)  # the next call shall see the end, too
        return group

    def _commit(self, group: list[_Job]) -> None:
        done: list[_Job] = []
        try:
            with self.engines.writer.begin() as connection:
                for job in group:
                    if job.outcome.set_running_or_notify_cancel():
                        _run(connection, job, done)
        except DBAPIError as error:
            reason = _reason(error)
            log.warning("database.commit_failed", reason=reason)
            for job in group:
                if not job.outcome.done():
                    job.outcome.set_exception(DatabaseUnavailableError(reason))
            return
        for job in done:
            job.outcome.set_result(job.value)

    def _checkpoint(self, mode: str) -> None:
        """Moves the write-ahead log into the database file; only the writer thread does so."""
        if not self.engines.is_sqlite:
            return
        with contextlib.suppress(DBAPIError):
            raw = self.engines.writer.raw_connection()
            try:
                raw.cursor().execute(f"PRAGMA wal_checkpoint({mode})").close()
            finally:
                raw.close()


def _run(connection: Connection, job: _Job, done: list[_Job]) -> None:
    savepoint = connection.begin_nested()
    try:
        job.value = job.work(connection)
    except Exception as error:
        # A fault of the storage itself ends the whole group; anything else is the job's own.
        if isinstance(error, OperationalError | InterfaceError):
            raise
        savepoint.rollback()
        job.outcome.set_exception(error)
    else:
        savepoint.commit()
        done.append(job)


def _reason(error: DBAPIError) -> str:
    """The driver's words, without the statement and its parameters: those may hold what is secret."""
    return str(error.orig)
