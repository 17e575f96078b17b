"""Small looks at the database: prepared queries, and looks from the event loop itself."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import pytest
from sqlalchemy import BigInteger, Connection, bindparam, literal_column, make_url, select

from statuspulse.storage.connect import sqlite_module
from statuspulse.storage.database import Database, DatabaseUnavailableError
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import regions, state_intervals

_BETWEEN = (
    select(state_intervals)
    .where(
        state_intervals.c.monitor_key.in_(bindparam("keys", expanding=True)),
        state_intervals.c.start_at >= bindparam("start", type_=BigInteger),
        state_intervals.c.state != "paused",
    )
    .order_by(state_intervals.c.monitor_key, state_intervals.c.start_at)
)


def name_regions(connection: Connection, slugs: Sequence[str]) -> None:
    connection.execute(regions.insert(), [{"slug": slug, "name": slug, "created_at": 1} for slug in slugs])


def slugs(connection: Connection) -> list[str]:
    return [row.slug for row in Prepared(select(regions.c.slug).order_by(regions.c.slug)).rows(connection)]


@pytest.mark.parametrize("keys", [[1], [3, 1], [1, 2, 3, 4, 5, 6], []], ids=["one", "some", "many", "none"])
def test_a_prepared_query_answers_what_the_query_answers(sqlite_database: Database, keys: list[int]) -> None:
    def fill(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        rows = [
            {"monitor_key": key, "start_at": at, "end_at": None if at == 30 else at + 10, "state": state}
            for key in range(1, 8)
            for at, state in ((10, "up"), (20, "paused"), (30, "down"))
        ]
        connection.execute(state_intervals.insert(), rows)
        connection.exec_driver_sql("DELETE FROM state_intervals WHERE monitor_key = 7")
        prepared = Prepared(_BETWEEN)
        for start in (0, 30):
            expected = connection.execute(_BETWEEN, {"keys": keys, "start": start}).all()
            for _ in range(2):
                found = prepared.rows(connection, keys=keys, start=start)
                assert [tuple(row) for row in found] == [tuple(row) for row in expected]
                assert [row.state for row in found] == [row.state for row in expected]
        raise _DoneError

    with pytest.raises(_DoneError):
        sqlite_database.submit(fill).result(10)


class _DoneError(Exception):
    """Nothing is to be stored."""


def test_prepared_queries_of_one_read_see_one_snapshot(database: Database) -> None:
    database.submit(lambda connection: name_regions(connection, ["a"])).result(10)

    def read(connection: Connection) -> tuple[list[str], list[str]]:
        before = slugs(connection)
        database.submit(lambda other: name_regions(other, ["b"])).result(10)
        return before, slugs(connection)

    assert database.read_now(read) == (["a"], ["a"])
    assert database.read_now(slugs) == ["a", "b"]


def test_a_prepared_query_that_fails_tells_that_the_database_cannot_serve(sqlite_database: Database) -> None:
    query = Prepared(select(literal_column("lost")).select_from(regions))
    with pytest.raises(DatabaseUnavailableError, match="lost"):
        sqlite_database.read_now(query.rows)


async def test_a_glance_sees_what_was_committed_before_it(database: Database) -> None:
    for count, slug in enumerate("abc", start=1):
        await database.write(partial(name_regions, slugs=(slug,)))
        assert len(await database.glance(slugs)) == count


async def test_a_glance_on_sqlite_stays_in_its_thread(sqlite_database: Database) -> None:
    assert await sqlite_database.glance(lambda _: threading.get_ident()) == threading.get_ident()


async def test_a_glance_that_would_have_to_wait_goes_to_a_thread(sqlite_database: Database, sqlite_file: str) -> None:
    threads: list[int] = []

    def look(connection: Connection) -> list[str]:
        threads.append(threading.get_ident())
        if len(threads) == 1:
            raise_locked(connection, sqlite_file)
        return slugs(connection)

    assert await sqlite_database.glance(look) == []
    assert threads[0] == threading.get_ident() != threads[1]


def raise_locked(connection: Connection, url: str) -> None:
    """What SQLite says while somebody else holds the only lock; the reader's own statement hears it."""
    with closing(sqlite_module().connect(make_url(url).database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        connection.exec_driver_sql("PRAGMA query_only=OFF")
        try:
            connection.execute(regions.update().values(name="x"))
        finally:
            connection.exec_driver_sql("PRAGMA query_only=ON")


async def test_what_a_glance_raises_is_raised_and_the_next_one_works(database: Database) -> None:
    with pytest.raises(_DoneError):
        await database.glance(_raise)
    assert await database.glance(slugs) == []


def _raise(connection: Connection) -> None:
    slugs(connection)
    raise _DoneError


async def test_a_closed_database_takes_no_glance(sqlite_database: Database) -> None:
    sqlite_database.close()
    with pytest.raises(DatabaseUnavailableError):
        await sqlite_database.glance(slugs)
