"""Migrations end in exactly the schema of a fresh install, on every database."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

import statuspulse.storage.migrate
from statuspulse.storage.connect import Engines, open_engines
from statuspulse.storage.migrate import HEAD, MigrationOutcome, UnknownSchemaError, current, is_current, migrate
from statuspulse.storage.schema import metadata
from tests.storage.schema_text import schema_text
from tests.storage.write_first_migration import first_migration

VERSIONS = Path(statuspulse.storage.migrate.__file__).parent / "migrations" / "versions"


@pytest.fixture
def engines(empty_url: str) -> Iterator[Engines]:
    opened = open_engines(empty_url)
    yield opened
    opened.dispose()


@pytest.fixture
def engine(engines: Engines) -> Engine:
    return engines.writer


def tables(connection: Connection) -> list[str]:
    return [line for line in schema_text(connection) if not line.startswith("sqlite_")]


def test_a_migrated_database_is_the_schema_exactly(engine: Engine) -> None:
    with engine.begin() as connection:
        metadata.create_all(connection)
        fresh = schema_text(connection)
        metadata.drop_all(connection)
        assert tables(connection) == []
    migrate(engine)
    with engine.connect() as connection:
        assert fresh == schema_text(connection)
    assert len(fresh) > 5 * len(metadata.tables)


def test_the_comparison_sees_a_missing_index_check_and_column(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        before = schema_text(connection)
        connection.execute(text("DROP INDEX uq_incidents_open"))
        connection.execute(text("ALTER TABLE teams ADD COLUMN motto TEXT"))
        after = schema_text(connection)
    assert any("uq_incidents_open" in line and "resolved" in line for line in before)
    assert any("ck_catalog_revision_single" in line for line in before)
    assert not any("uq_incidents_open" in line for line in after)
    assert any("motto" in line for line in after)


def test_an_empty_database_is_migrated_once(engine: Engine) -> None:
    assert MigrationOutcome(found=None, now=HEAD) == migrate(engine)
    again = migrate(engine)
    assert (again.found, again.has_changed) == (HEAD, False)
    with engine.connect() as connection:
        assert is_current(connection)


def test_a_failed_migration_leaves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        # The last table is there already, so the last statement fails.
        connection.execute(text("CREATE TABLE delivery_attempts (of_someone_else INTEGER)"))
        before = schema_text(connection)
    with pytest.raises(Exception, match="already exists"):
        migrate(engine)
    with engine.connect() as connection:
        assert before == schema_text(connection)
        assert current(connection) is None


def test_a_newer_schema_is_left_alone(engine: Engine) -> None:
    migrate(engine)
    newer = f"{int(HEAD) + 1:04d}"
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{newer}'"))
        before = schema_text(connection)
    with pytest.raises(UnknownSchemaError, match=f"newer StatusPulse .schema {newer}") as refused:
        migrate(engine)
    assert "\n" not in str(refused.value)
    with engine.connect() as connection:
        assert (before, newer) == (schema_text(connection), current(connection))


def test_tables_of_unknown_origin_are_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        metadata.create_all(connection)
    with pytest.raises(UnknownSchemaError, match="no schema revision"):
        migrate(engine)


def test_processes_that_start_together_migrate_once(empty_url: str) -> None:
    opened = [open_engines(empty_url) for _ in range(3)]
    opened[0].writer.connect().close()  # two connections cannot both turn a new SQLite file to its write-ahead log
    outcomes: list[MigrationOutcome] = []
    threads = [
        threading.Thread(target=lambda engine=engines.writer: outcomes.append(migrate(engine)), name="starting")
        for engines in opened
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engines in opened:
        engines.dispose()
    assert sorted(outcome.has_changed for outcome in outcomes) == [False, False, True]


def test_the_known_revision_is_the_last_one_in_the_folder() -> None:
    names = sorted(path.name for path in VERSIONS.glob("[0-9]*.py"))
    assert [f"{number:04d}" for number in range(1, len(names) + 1)] == [name.partition("_")[0] for name in names]
    texts = [(VERSIONS / name).read_text(encoding="utf-8") for name in names]
    revisions = [re.findall(r'^revision = "(\d{4})"$', source, re.MULTILINE) for source in texts]
    assert [[name.partition("_")[0]] for name in names] == revisions
    assert revisions[-1] == [HEAD]


def test_the_first_migration_is_written_from_the_schema() -> None:
    """Until the first release it may change; run `python -m tests.storage.write_first_migration`."""
    stored = (VERSIONS / "0001_first_schema.py").read_text(encoding="utf-8")
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", VERSIONS / "0001_first_schema.py"],
        input=first_migration(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert stored == formatted.stdout


def test_a_database_that_is_current_does_not_load_alembic(empty_url: str) -> None:
    opened = open_engines(empty_url)
    migrate(opened.writer)
    opened.dispose()
    program = (
        "import sys\n"
        "from statuspulse.storage.connect import open_engines\n"
        "from statuspulse.storage.migrate import migrate\n"
        "engines = open_engines(sys.argv[1])\n"
        "assert not migrate(engines.writer).has_changed\n"
        "engines.dispose()\n"
        "assert 'alembic' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, empty_url], check=True)
