"""What tests of every part share: a database on each engine, made anew for each test, and virtual time."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from zlib import crc32

import hypothesis
import pytest
from sqlalchemy import Engine, event, text

from statuspulse.storage.connect import open_engines, sqlite_url
from statuspulse.storage.database import Database
from statuspulse.storage.schema import metadata
from tests import emitted, machine
from tests.postgres import Postgres, PostgresMissingError, running_postgres
from tests.turns import ALONE, Host, turns_of, with_heads
from tests.virtual_time import WatchedDatabase, loop_factories, virtual_now

ENGINES = ("sqlite", "postgresql")

# How long an example takes says more of the machine than of the code; what fails is told so that it can be repeated.
hypothesis.settings.register_profile("statuspulse", deadline=None, print_blob=True)
hypothesis.settings.load_profile("statuspulse")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "virtual_time: the test's event loop jumps from timer to timer")
    config.addinivalue_line("markers", f"{ALONE}: two others run meanwhile at most, because the test measures time")
    gc.disable()  # until everything is collected, of which nothing is garbage: that takes half of the time
    config.pluginmanager.register(machine)
    event.listen(Engine, "before_execute", emitted.watch)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Host())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each worker gets a stretch of the whole, and in it modules that compute beside modules that wait."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers == 1:
        return
    items.sort(key=lambda item: crc32(item.path.relative_to(config.rootpath).as_posix().encode()))
    measured = [item for item in items if item.get_closest_marker(ALONE) is not None]
    others = [item for item in items if item.get_closest_marker(ALONE) is None]
    items[:] = with_heads(others, measured, workers)


def pytest_collection_finish() -> None:
    """Thousands of tests and all that they have imported stay until the end: nobody searches them for garbage."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Outside of everything else, so that the wait for its turn is not taken for the time that a test needs."""
    turns = turns_of(item.config)
    with turns.taken(alone=item.get_closest_marker(ALONE) is not None) if turns else nullcontext():
        return (yield)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are only counted: packed ones may hold the time of day, and all workers have to give a test one name."""
    return "bytes" if isinstance(val, bytes) else None


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return loop_factories(virtual=item.get_closest_marker("virtual_time") is not None)


@pytest.fixture(autouse=True)
def _events_are_as_described() -> Iterator[None]:
    """Every event that is stored while a test runs has the form that clients are promised."""
    yield
    assert emitted.take_problems() == []


@pytest.fixture
def now() -> Callable[[], int]:
    """The clock of a test on virtual time, in milliseconds since the epoch."""
    return virtual_now


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; without one the run fails, and the text tells the cure."""
    try:
        with running_postgres() as server:
            yield server
    except PostgresMissingError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def postgres_database(postgres: Postgres) -> Iterator[str]:
    """The database on PostgreSQL that all tests use in turn, by its URL; it has the tables and no rows."""
    name = f"statuspulse_test_{os.getpid()}"
    url = postgres.create(name)
    with _writer(url) as engine:
        metadata.create_all(engine)
    yield url
    postgres.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables and no rows."""
    path = tmp_path_factory.mktemp("template") / "statuspulse.db"
    with _writer(sqlite_url(path)) as engine:
        metadata.create_all(engine)
    return path


@pytest.fixture
def sqlite_file(tmp_path: Path, sqlite_template: Path) -> str:
    """The URL of a SQLite database of the test's own, with the tables and no rows."""
    path = tmp_path / "statuspulse.db"
    shutil.copy(sqlite_template, path)
    return sqlite_url(path)


@pytest.fixture
def postgres_emptied(postgres_database: str) -> Iterator[str]:
    """The URL of the PostgreSQL database, emptied after the test."""
    yield postgres_database
    with _writer(postgres_database) as engine:
        _empty(engine)


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A database with the tables and no rows, on each engine in turn."""
    url: str = request.getfixturevalue("sqlite_file" if request.param == "sqlite" else "postgres_emptied")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database on each engine in turn."""
    with _opened(database_url) as opened:
        yield opened


@pytest.fixture
def sqlite_database(sqlite_file: str) -> Iterator[Database]:
    """An open database on SQLite, for tests of what does not depend on the engine."""
    with _opened(sqlite_file) as opened:
        yield opened


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, on each engine in turn."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "empty.db")
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"statuspulse_test_{os.getpid()}_empty"
    yield server.create(name)
    server.drop(name)


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    opened = WatchedDatabase(url)
    try:
        yield opened
        # A connection that is not given back would starve the others one day.
        assert "Current Checked out connections: 0" in opened.engines.reader.pool.status()
    finally:
        opened.close()


@contextmanager
def _writer(url: str) -> Iterator[Engine]:
    engines = open_engines(url)
    try:
        yield engines.writer
    finally:
        engines.dispose()


def _empty(engine: Engine) -> None:
    """Rows and counters are what tests leave behind; dropping the tables would cost a hundred times as much."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no trigger keeps the audit log here
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        names = "SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()"
        for name in connection.scalars(text(names)).all():
            connection.execute(text(f'ALTER SEQUENCE "{name}" RESTART'))
