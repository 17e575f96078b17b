"""What a database promises, on every engine: group commit, durability, snapshots, and clear words when it cannot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, event, func, select, text
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from statuspulse.storage import teams
from statuspulse.storage.connect import sqlite_url
from statuspulse.storage.database import Database, DatabaseUnavailableError
from statuspulse.storage.schema import teams as team_rows
from statuspulse.storage.teams import Team

PATIENCE = 20


def add(number: int) -> Callable[[Connection], int]:
    def work(connection: Connection) -> int:
        teams.insert(
            connection,
            Team(id=f"team_{number:08d}", slug=f"team-{number}", name="Team", created_at=number, updated_at=number),
        )
        return number

    return work


def rows(connection: Connection, table: Table = team_rows) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


class Held:
    """A job that holds the writer until it is released, so that what follows waits together."""

    def __init__(self, database: Database, work: Callable[[Connection], Any] = rows) -> None:
        self._running = threading.Event()
        self._release = threading.Event()

        def hold(connection: Connection) -> Any:
            self._running.set()
            self._release.wait(PATIENCE)
            return work(connection)

        self.outcome: Future[Any] = database.submit(hold)
        assert self._running.wait(PATIENCE)

    def release(self) -> None:
        self._release.set()


def lose_connection(connection: Connection) -> None:
    """Ends the server's side of the connection, as a restart or a failover does."""
    connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def test_a_write_that_was_told_is_there_for_everyone(database: Database, database_url: str) -> None:
    assert database.submit(add(1)).result(PATIENCE) == 1
    other = Database(database_url)
    assert other.read_now(rows) == 1
    other.close()


def test_nothing_is_told_before_it_is_committed(database: Database) -> None:
    """Whoever hears of a write finds it: at the moment its future is done, a reader sees it."""
    seen: list[int] = []

    def look(_: object) -> None:
        seen.append(database.read_now(rows))

    for number in range(1, 4):
        future = database.submit(add(number))
        future.add_done_callback(look)
        future.result(PATIENCE)
        database.submit(rows).result(PATIENCE)
    assert seen == [1, 2, 3]


def test_jobs_that_wait_together_share_commits(database: Database) -> None:
    commits: list[object] = []
    event.listen(database.engines.writer, "commit", commits.append)
    held = Held(database)
    futures = [database.submit(add(number)) for number in range(100)]
    held.release()
    assert [future.result(PATIENCE) for future in futures] == list(range(100))
    assert len(commits) < 50
    assert database.read_now(rows) == 100


def test_a_group_ends_when_its_time_is_up(database: Database) -> None:
    """A slow job must not keep those before it waiting for those behind it."""
    held = Held(database)
    done: list[int] = []

    def slow(number: int) -> Callable[[Connection], int]:
        def work(connection: Connection) -> int:
            add(number)(connection)
            threading.Event().wait(0.05)
            return len(done)

        return work

    futures = [database.submit(slow(number)) for number in range(3)]
    for future in futures:
        future.add_done_callback(lambda _: done.append(1))
    held.release()
    assert [future.result(PATIENCE) for future in futures] == [0, 1, 2]


def test_a_job_that_fails_undoes_only_itself(database: Database) -> None:
    def half(connection: Connection) -> None:
        add(99)(connection)
        raise LookupError("not mine")

    held = Held(database)
    before, failing, double, after = (database.submit(work) for work in (add(1), half, add(1), add(2)))
    held.release()
    with pytest.raises(LookupError, match="not mine"):
        failing.result(PATIENCE)
    with pytest.raises(IntegrityError):
        double.result(PATIENCE)
    assert (before.result(PATIENCE), after.result(PATIENCE)) == (1, 2)
    assert database.read_now(rows) == 2


def test_a_wrong_statement_is_the_jobs_own_fault(database: Database) -> None:
    def wrong(connection: Connection) -> None:
        add(99)(connection)
        connection.execute(text("SELECT * FROM nowhere"))

    held = Held(database)
    failing, after = database.submit(wrong), database.submit(add(1))
    held.release()
    # SQLite has one class for this and for a full disk.
    expected = DatabaseUnavailableError if database.engines.is_sqlite else ProgrammingError
    with pytest.raises(expected):
        failing.result(PATIENCE)
    assert after.result(PATIENCE) == 1
    assert database.read_now(rows) == 1


def test_a_write_that_is_cancelled_in_the_queue_never_runs(database: Database) -> None:
    held = Held(database)
    cancelled, after = database.submit(add(1)), database.submit(add(2))
    assert cancelled.cancel()
    held.release()
    assert after.result(PATIENCE) == 2
    assert database.read_now(rows) == 1


async def test_a_caller_that_is_cancelled_in_its_turn_has_written(database: Database) -> None:
    running, release = threading.Event(), threading.Event()

    def work(connection: Connection) -> None:
        running.set()
        release.wait(PATIENCE)
        add(1)(connection)

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(database.write(work), name="writing")
        await asyncio.to_thread(running.wait, PATIENCE)
        writing.cancel()
        release.set()
    assert await database.write(add(2)) == 2
    assert await database.read(rows) == 2


async def test_writes_and_reads_are_awaited(database: Database) -> None:
    async with asyncio.timeout(PATIENCE):
        assert await asyncio.gather(*(database.write(add(number)) for number in range(20))) == list(range(20))
        assert await asyncio.gather(*(database.read(rows) for _ in range(20))) == [20] * 20


def test_many_threads_write_and_read_at_once(database: Database) -> None:
    told: list[int] = []

    def work(first: int) -> None:
        for number in range(first, first + 20):
            database.submit(add(number)).result(PATIENCE)
            assert database.read_now(rows) > 0
        told.append(first)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(0, 80, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(told) == [0, 20, 40, 60]
    assert database.read_now(rows) == 80


def test_a_reader_sees_one_snapshot(database: Database) -> None:
    def look(connection: Connection) -> tuple[int, int]:
        before = rows(connection)
        database.submit(add(1)).result(PATIENCE)
        return before, rows(connection)

    assert database.read_now(look) == (0, 0)
    assert database.read_now(rows) == 1


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError, match=r"read-?only"):
        database.read_now(add(1))
    assert database.read_now(rows) == 0


def test_what_is_wrong_with_a_read_is_said_as_it_is(database: Database) -> None:
    with pytest.raises(IndexError):
        database.read_now(lambda _: [rows][1:][0])
    if not database.engines.is_sqlite:
        with pytest.raises(DataError):
            database.read_now(lambda connection: connection.execute(text("SELECT 1/0")))


def test_closing_finishes_what_was_submitted(database_url: str) -> None:
    database = Database(database_url)
    held = Held(database)
    futures = [database.submit(add(number)) for number in range(500)]
    closing = threading.Thread(target=database.close, name="closing")
    closing.start()
    held.release()
    closing.join(PATIENCE)
    assert [future.result(0) for future in futures] == list(range(500))
    database.close()  # a second time is nothing
    again = Database(database_url)
    assert again.read_now(rows) == 500
    again.close()


async def test_a_closed_database_says_so(database_url: str) -> None:
    database = Database(database_url)
    database.close()
    with pytest.raises(DatabaseUnavailableError, match="closed"):
        database.submit(rows)
    with pytest.raises(DatabaseUnavailableError, match="closed"):
        database.read_now(rows)
    with pytest.raises(DatabaseUnavailableError, match="closed"):
        await database.read(rows)
    with pytest.raises(DatabaseUnavailableError, match="closed"):
        await database.write(rows)


def test_a_submit_beside_the_closing_is_done_or_refused_but_never_forgotten(database_url: str) -> None:
    for _ in range(3):
        database = Database(database_url)
        told: list[Future[int]] = []
        started = threading.Event()

        def submit(database: Database = database, told: list[Future[int]] = told, started: Any = started) -> None:
            try:
                while len(told) < 500:
                    told.append(database.submit(rows))
                    started.set()
            except DatabaseUnavailableError:
                pass

        thread = threading.Thread(target=submit, name="submitting")
        thread.start()
        assert started.wait(PATIENCE)
        database.close()
        thread.join(PATIENCE)
        assert not wait(told, timeout=0).not_done


def test_a_full_database_refuses_and_goes_on_when_there_is_room(sqlite_database: Database) -> None:
    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def grow(connection: Connection) -> None:
        for number in range(1000, 2000):
            add(number)(connection)

    sqlite_database.submit(fill).result(PATIENCE)
    held = Held(sqlite_database, add(1))
    beside, growing, after = (sqlite_database.submit(work) for work in (add(2), grow, add(3)))
    held.release()
    with pytest.raises(DatabaseUnavailableError, match=r"^database or disk is full$"):
        growing.result(PATIENCE)
    told = [job for job in (held.outcome, beside, after) if job.exception(PATIENCE) is None]
    assert all(isinstance(job.exception(), DatabaseUnavailableError | None) for job in (held.outcome, beside, after))
    assert sqlite_database.read_now(rows) == len(told)
    sqlite_database.submit(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=1000000")).result(9)
    assert sqlite_database.submit(add(4)).result(PATIENCE) == 4


def test_a_database_that_cannot_be_reached_refuses_all_that_wait(tmp_path: Path) -> None:
    """The disk is gone: everyone is told at once, and the writer lives on until it is back."""
    folder = tmp_path / "gone"
    database = Database(sqlite_url(folder / "statuspulse.db"))
    futures = [database.submit(rows) for _ in range(20)]
    for future in futures:
        with pytest.raises(DatabaseUnavailableError, match="unable to open database file"):
            future.result(PATIENCE)
    with pytest.raises(DatabaseUnavailableError, match="unable to open database file"):
        database.read_now(rows)
    folder.mkdir()
    assert database.submit(lambda connection: connection.scalar(select(1))).result(PATIENCE) == 1
    database.close()


def test_a_locked_database_refuses_all_that_wait(sqlite_database: Database, sqlite_file: str) -> None:
    impatient = text("PRAGMA busy_timeout=100")  # five seconds otherwise
    sqlite_database.submit(lambda connection: connection.execute(impatient)).result(PATIENCE)
    other = Database(sqlite_file)
    held = Held(other)
    futures = [sqlite_database.submit(add(number)) for number in range(3)]
    for future in futures:
        with pytest.raises(DatabaseUnavailableError, match="locked"):
            future.result(PATIENCE)
    held.release()
    other.close()
    assert sqlite_database.submit(add(1)).result(PATIENCE) == 1


@pytest.fixture
def on_postgres(postgres_emptied: str) -> Any:
    database = Database(postgres_emptied)
    yield database
    database.close()


def test_a_lost_connection_undoes_the_group_and_the_next_one_has_another(on_postgres: Database) -> None:
    held = Held(on_postgres)
    beside, losing = on_postgres.submit(add(2)), on_postgres.submit(lose_connection)
    held.release()
    with pytest.raises(DatabaseUnavailableError, match="terminating connection") as refused:
        losing.result(PATIENCE)
    assert "\n" not in str(refused.value)
    # On a slow machine its group had ended before.
    kept = 1 if beside.exception(PATIENCE) is None else 0
    assert isinstance(beside.exception(), DatabaseUnavailableError | None)
    assert on_postgres.submit(add(3)).result(PATIENCE) == 3
    assert on_postgres.read_now(rows) == kept + 1
    with pytest.raises(DatabaseUnavailableError, match="terminating connection"):
        on_postgres.read_now(lose_connection)
    assert on_postgres.read_now(rows) == kept + 1


def test_a_job_that_swallows_the_loss_of_its_connection_is_not_told_that_it_wrote(on_postgres: Database) -> None:
    def careless(connection: Connection) -> None:
        add(1)(connection)
        try:
            lose_connection(connection)
        except Exception:  # noqa: BLE001 - that is the point
            return

    with pytest.raises(DatabaseUnavailableError):
        on_postgres.submit(careless).result(PATIENCE)
    assert on_postgres.submit(add(2)).result(PATIENCE) == 2
    assert on_postgres.read_now(rows) == 1


@pytest.mark.parametrize("engine", ["writer", "reader"])
def test_connections_that_died_while_idle_are_not_noticed(on_postgres: Database, engine: str) -> None:
    on_postgres.submit(add(1)).result(PATIENCE)
    assert on_postgres.read_now(rows) == 1
    end_all = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    ender = on_postgres.read_now if engine == "writer" else lambda work: on_postgres.submit(work).result(PATIENCE)
    ender(lambda connection: connection.execute(end_all))
    assert on_postgres.submit(add(2)).result(PATIENCE) == 2
    assert on_postgres.read_now(rows) == 2


def test_a_row_that_is_locked_too_long_refuses_only_the_job_that_wants_it(
    on_postgres: Database, postgres_emptied: str
) -> None:
    on_postgres.submit(add(1)).result(PATIENCE)
    locker = Database(postgres_emptied)

    def lock(connection: Connection) -> None:
        connection.execute(team_rows.update().values(name="Locked"))

    locked, release = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        lock(connection)
        locked.set()
        release.wait(PATIENCE)

    holding = locker.submit(hold)
    assert locked.wait(PATIENCE)
    queue_up = Held(on_postgres)
    before, wanting, after = (on_postgres.submit(work) for work in (add(2), lock, add(3)))
    queue_up.release()
    with pytest.raises(DatabaseUnavailableError, match="lock timeout"):
        wanting.result(PATIENCE)
    assert (before.result(PATIENCE), after.result(PATIENCE)) == (2, 3)
    release.set()
    holding.result(PATIENCE)
    locker.close()


def test_a_server_that_takes_nobody_refuses_all_and_is_found_again(on_postgres: Database, postgres: Any) -> None:
    name = on_postgres.engines.writer.url.database
    on_postgres.submit(add(1)).result(PATIENCE)
    postgres.run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    try:
        with pytest.raises(DatabaseUnavailableError):
            on_postgres.submit(lose_connection).result(PATIENCE)
        for future in [on_postgres.submit(add(number)) for number in range(2, 9)]:
            with pytest.raises(DatabaseUnavailableError, match="not currently accepting connections"):
                future.result(PATIENCE)
    finally:
        postgres.run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert on_postgres.submit(add(9)).result(PATIENCE) == 9
    assert on_postgres.read_now(rows) == 2


def test_errors_do_not_repeat_what_was_to_be_stored(database: Database) -> None:
    database.submit(add(1)).result(PATIENCE)
    with pytest.raises(IntegrityError) as refused:
        database.submit(add(1)).result(PATIENCE)
    assert "team_00000001" not in str(refused.value).partition("DETAIL")[0]
