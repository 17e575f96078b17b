"""The database as the rest sees it: `read` and `write` run a function in a thread; writes commit in groups."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from statuspulse.storage import driver
from statuspulse.storage.changes import Changes
from statuspulse.storage.connect import READERS, open_engines
from statuspulse.storage.write_ahead_log import WriteAheadLog

log = structlog.get_logger(__name__)
T = TypeVar("T")

_GROUP_LIMIT = 200
_GROUP_SECONDS = 0.02
# What a statement asked for was wrong; every other fault of the driver means that the database cannot serve now.
_FAULTS_OF_THE_STATEMENT = (IntegrityError, DataError, ProgrammingError, NotSupportedError)


# How many threads are kept for reads that are not patient.
_PROMPT_READERS = 2

# Set by whoever does work that can wait: its reads go to threads of their own, so that a crowd of long ones is not in
# front of those of the engine, of deliveries and of probes.
is_patient: ContextVar[bool] = ContextVar("is_patient", default=False)


class DatabaseUnavailableError(Exception):
    """The database is full, locked, read-only, gone or closed. Nothing of the change was stored.

    One case cannot be told: where a PostgreSQL server is lost during the very commit, the change may be stored.
    Whoever repeats a write therefore asks by its identity or position what is there.
    """


# SQLite's words, and PostgreSQL's.
_FULL = ("disk is full", "no space")


def is_full(error: DatabaseUnavailableError) -> bool:
    """Whether there is no room left, as far as the driver's words tell."""
    return any(words in str(error).lower() for words in _FULL)


# Answers from the value of a write which monitors alone it was about, by key; None where it may be about anything.
About = Callable[[T], Collection[int] | None]


def of_everything(_value: object) -> None:
    """What a write is about whose caller does not say it."""


def of_no_monitor(_value: object) -> tuple[int, ...]:
    """What a write is about that nobody sees who looks at a monitor."""
    return ()


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    outcome: Future[Any]
    about: About[Any]
    value: Any = None
    error: Exception | None = None


class Database:
    """One writer thread with group commit and a few readers, on SQLite and PostgreSQL alike.

    A write is durable once its future is done. Jobs that wait together share one commit; each runs in a savepoint of
    its own, so that one that raises undoes only itself. What a job raised is told after the commit, too: it may have
    seen what others of its group wrote.
    """

    def __init__(self, url: str) -> None:
        self.engines = open_engines(url)
        self._wal = WriteAheadLog(self.engines.writer) if self.engines.is_sqlite else None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_PROMPT_READERS, thread_name_prefix="db-read")
        self._patient_readers = ThreadPoolExecutor(READERS - _PROMPT_READERS, thread_name_prefix="db-read-patient")
        self._writer = threading.Thread(target=self._write_forever, name="db-write", daemon=True)
        self._near = None if self.engines.near is None else _Near(self.engines.near)
        # Where other processes may write, too, nobody knows of all that is committed.
        self._changes = Changes() if self.engines.is_sqlite else None
        self._gate = threading.Lock()  # nothing is submitted behind the mark that ends the writer
        self._closed = False
        self._writer.start()

    async def write(self, work: Callable[[Connection], T], *, about: About[T] = of_everything) -> T:
        """Runs `work` in the writer's transaction; returns its value once that has committed.

        `about` is for those who ask `is_unchanged` later.
        Raises whatever `work` raised, or DatabaseUnavailableError when the database refused. A caller that is
        cancelled before its turn leaves nothing behind; later its change is made all the same.
        """
        return await asyncio.wrap_future(self.submit(work, about=about))

    def submit(self, work: Callable[[Connection], T], *, about: About[T] = of_everything) -> Future[T]:
        """The same for callers outside the event loop."""
        outcome: Future[T] = Future()
        with self._gate:
            self._ensure_open()
            self._jobs.put(_Job(work, outcome, about))
        return outcome

    def mark(self) -> int | None:
        """Stands for all that is committed by now; None where other processes may write, too."""
        return None if self._changes is None else self._changes.mark()

    def is_unchanged(self, monitor_key: int, mark: int) -> bool:
        """Whether nothing that was committed since the mark can have changed what is read of the monitor."""
        return self._changes is not None and self._changes.none_since(mark, monitor_key)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` on a reader's snapshot; raises DatabaseUnavailableError when there is none."""
        self._ensure_open()
        readers = self._patient_readers if is_patient.get() else self._readers
        return await asyncio.get_running_loop().run_in_executor(readers, self.read_now, work)

    async def glance(self, work: Callable[[Connection], T]) -> T:
        """`read` for what looks at a few rows by their keys.

        The way to a thread and back costs more than such a look, so on SQLite it happens where the caller is. It
        waits for nobody there: where a lock is held it goes to a thread after all, and `work` may so be run twice.
        """
        self._ensure_open()
        if self._near is None:
            return await self.read(work)
        try:
            return self._near.read(work)
        except _FAULTS_OF_THE_STATEMENT:
            raise
        except DBAPIError:
            return await self.read(work)

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """The same in the caller's thread."""
        self._ensure_open()
        try:
            with self.engines.reader.connect() as connection:
                return work(connection)
        except _FAULTS_OF_THE_STATEMENT:
            raise
        except (DBAPIError, PoolTimeoutError) as error:
            raise DatabaseUnavailableError(_reason(error)) from error

    def close(self) -> None:
        """Finishes what was submitted, then closes."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        self._writer.join()
        self._readers.shutdown()
        self._patient_readers.shutdown()
        if self._near is not None:
            self._near.close()
        self.engines.dispose()

    def _ensure_open(self) -> None:
        if self._closed:
            raise DatabaseUnavailableError("the database is closed")

    def _write_forever(self) -> None:
        waiting: deque[_Job] = deque()
        closing = False
        while waiting or not closing:
            closing = closing or not self._gather(waiting)
            if waiting:
                self._commit(waiting)
            if self._wal is not None:
                self._wal.tend(time.monotonic())
        if self._wal is not None:
            self._wal.close()

    def _gather(self, waiting: deque[_Job]) -> bool:
        """Takes what has been submitted; waits for it where there is nothing else to do. False when closing."""
        idle = None if self._wal is None else self._wal.rest(time.monotonic())
        while len(waiting) < _GROUP_LIMIT:
            try:
                job = self._jobs.get(block=not waiting, timeout=idle)
            except queue.Empty:
                return True
            if job is None:
                return False
            # From here on the future cannot be cancelled any more.
            if job.outcome.set_running_or_notify_cancel():
                waiting.append(job)
        return True

    def _commit(self, waiting: deque[_Job]) -> None:
        """Runs what waits, for the time of one group, and commits it; the rest stays for the next one."""
        group: list[_Job] = []
        try:
            with self.engines.writer.begin() as connection:
                until = time.monotonic() + _GROUP_SECONDS
                while waiting and (not group or time.monotonic() < until):
                    group.append(waiting.popleft())
                    _run(connection, group[-1])
        except Exception as error:  # noqa: BLE001 - handed to every caller; the thread must outlive it
            if not group:  # no transaction was to be had: the others need not wait for the same answer
                group.extend(waiting)
                waiting.clear()
            _refuse(group, error)
        else:
            if self._changes is not None:
                # Before anybody learns of his write: nothing that was read without it holds then.
                _note(group, self._changes)
            _settle(group)
            if self._wal is not None:
                self._wal.grown(time.monotonic())


class _Near:
    """A connection that is kept for one thread after the other, so that a look costs its statements."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def read(self, work: Callable[[Connection], T]) -> T:
        with self._lock:
            if self._connection is None:
                self._connection = self._engine.connect()
            with self._connection.begin():
                return work(self._connection)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()


def _run(connection: Connection, job: _Job) -> None:
    """One job in its savepoint; raises where the transaction itself is lost."""
    driver.tell(connection, "SAVEPOINT job")
    try:
        job.value = job.work(connection)
    except Exception as error:  # noqa: BLE001 - told to the job's caller after the commit
        _undo(connection, error)
        job.error = error
    else:
        driver.tell(connection, "RELEASE SAVEPOINT job")


def _undo(connection: Connection, error: Exception) -> None:
    """Goes back to the savepoint. A full disk or a lost connection has ended the whole transaction: then it raises."""
    try:
        driver.tell(connection, "ROLLBACK TO SAVEPOINT job")
    except SQLAlchemyError as lost:
        raise (error if isinstance(error, DBAPIError) else lost) from None
    if connection.invalidated:
        raise error


def _note(group: Iterable[_Job], changes: Changes) -> None:
    for job in group:
        if job.error is None:
            changes.note(job.about(job.value))


def _settle(group: Iterable[_Job]) -> None:
    for job in group:
        if job.error is None:
            job.outcome.set_result(job.value)
        elif isinstance(job.error, DBAPIError) and not isinstance(job.error, _FAULTS_OF_THE_STATEMENT):
            job.outcome.set_exception(_unavailable(job.error))
        else:
            job.outcome.set_exception(job.error)


def _refuse(group: Iterable[_Job], error: Exception) -> None:
    """Nothing of the group is stored; a fault that is not the database's own is a defect and shown as it is."""
    told = _unavailable(error) if isinstance(error, SQLAlchemyError) else error
    log.warning("database.commit_failed", reason=str(told))
    for job in group:
        job.outcome.set_exception(told)


def _unavailable(error: SQLAlchemyError) -> DatabaseUnavailableError:
    unavailable = DatabaseUnavailableError(_reason(error))
    unavailable.__cause__ = error
    return unavailable


def _reason(error: SQLAlchemyError) -> str:
    """The driver's words in one line, without the statement and its parameters: those may hold what is secret."""
    words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return words.strip().partition("\n")[0]
