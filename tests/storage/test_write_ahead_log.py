"""SQLite's write-ahead log is moved into the file by the writer thread, stays small, and is gone after closing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from statuspulse.storage.connect import open_engines
from statuspulse.storage.database import Database
from statuspulse.storage.write_ahead_log import WriteAheadLog

MIB = 1 << 20


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def grow(connection: Connection, size: int) -> None:
    connection.execute(text("CREATE TABLE IF NOT EXISTS ballast (bytes BLOB)"))
    connection.execute(text("INSERT INTO ballast VALUES (zeroblob(:size))"), {"size": size})


@pytest.fixture
def engine(sqlite_file: str) -> Iterator[Engine]:
    engines = open_engines(sqlite_file)
    yield engines.writer
    engines.dispose()


@pytest.fixture
def log_file(sqlite_file: str) -> Path:
    return path_of(sqlite_file + "-wal")


def test_what_was_committed_is_moved_when_it_is_time(engine: Engine, sqlite_file: str) -> None:
    log = WriteAheadLog(engine)
    assert log.rest(100.0) is None
    with engine.begin() as connection:
        grow(connection, MIB)
    log.grown(100.0)
    log.grown(101.5)
    assert log.rest(101.0) == 1.0
    log.tend(101.9)
    assert path_of(sqlite_file).stat().st_size < MIB
    log.tend(102.0)
    assert path_of(sqlite_file).stat().st_size > MIB
    assert log.rest(102.0) is None


def test_a_log_beyond_its_bound_is_cut(engine: Engine, log_file: Path) -> None:
    log = WriteAheadLog(engine)
    with engine.begin() as connection:
        grow(connection, 66 * MIB)
    assert log_file.stat().st_size > 64 * MIB
    log.grown(0.0)
    log.tend(5.0)
    assert log_file.stat().st_size == 0


def test_a_reader_delays_the_log_and_does_not_stop_the_writer(sqlite_file: str, log_file: Path) -> None:
    engines = open_engines(sqlite_file)
    log = WriteAheadLog(engines.writer)
    with engines.reader.connect() as reader:
        assert reader.execute(text("SELECT count(*) FROM teams")).scalar_one() == 0
        with engines.writer.begin() as connection:
            grow(connection, 66 * MIB)
        log.grown(0.0)
        began = time.monotonic()
        log.tend(5.0)
        assert time.monotonic() - began < 3  # not the five seconds that a write is worth
        assert log_file.stat().st_size > 64 * MIB
        assert log.rest(5.0) == 2.0  # tried again later
        with engines.writer.begin() as connection:
            grow(connection, 1)
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 5000
    log.tend(7.0)
    assert log_file.stat().st_size == 0
    engines.dispose()


def test_a_checkpoint_that_fails_ends_nothing(tmp_path: Path) -> None:
    engines = open_engines(f"sqlite:///{tmp_path / 'gone' / 'statuspulse.db'}")
    log = WriteAheadLog(engines.writer)
    log.grown(0.0)
    log.tend(5.0)
    assert log.rest(5.0) == 2.0
    engines.dispose()


def test_an_idle_database_moves_its_log_too(sqlite_database: Database, sqlite_file: str) -> None:
    before = path_of(sqlite_file).stat().st_size
    sqlite_database.submit(lambda connection: grow(connection, MIB)).result(10)
    assert path_of(sqlite_file).stat().st_size == before
    arrived = threading.Event()
    for _ in range(100):
        if path_of(sqlite_file).stat().st_size > before:
            break
        arrived.wait(0.1)  # nothing tells of a checkpoint: look again
    assert path_of(sqlite_file).stat().st_size > before


def test_nothing_but_the_file_is_left_after_closing(sqlite_file: str) -> None:
    database = Database(sqlite_file)
    database.submit(lambda connection: grow(connection, MIB)).result(10)
    database.close()
    path = path_of(sqlite_file)
    assert [path.name] == sorted(found.name for found in path.parent.iterdir())
    assert path.stat().st_size > MIB
