"""The one statement on which the two engines differ in spelling: insert, or update on conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_or_ignore(connection: Connection, table: Table) -> Insert:
    """An insert that leaves a row with the same key as it is."""
    return _ignoring(connection.dialect.name, table)


def insert_rows_or_ignore(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """The same for many rows with equal columns, whose values go to the driver as they are.

    For the table that takes a row for every check: what SQLAlchemy does with each value is a third of the insert.
    """
    statement = _row_statement(connection.dialect.name, table, tuple(rows[0]))
    connection.exec_driver_sql(statement, [tuple(row.values()) for row in rows])


def upsert(
    connection: Connection, table: Table, keys: Sequence[str], columns: Sequence[str], *, rising: str | None = None
) -> Insert:
    """An insert that replaces the named columns of a row with the same key, with `rising` only where that one grows."""
    return _replacing(connection.dialect.name, table, tuple(keys), tuple(columns), rising)


def insert_or_count_up(connection: Connection, table: Table, keys: Sequence[str], column: str) -> Insert:
    """An insert that adds one to a column of a row with the same key."""
    return _counting(connection.dialect.name, table, tuple(keys), column)


def _insert(dialect_name: str, table: Table) -> Any:
    return postgresql.insert(table) if dialect_name == "postgresql" else sqlite.insert(table)


# Built once: what it takes to build one is more than to run it.
@cache
def _ignoring(dialect_name: str, table: Table) -> Insert:
    statement: Insert = _insert(dialect_name, table).on_conflict_do_nothing()
    return statement


@cache
def _replacing(
    dialect_name: str, table: Table, keys: tuple[str, ...], columns: tuple[str, ...], rising: str | None
) -> Insert:
    statement = _insert(dialect_name, table)
    replacing: Insert = statement.on_conflict_do_update(
        index_elements=list(keys),
        set_={name: statement.excluded[name] for name in columns},
        where=None if rising is None else statement.excluded[rising] > table.c[rising],
    )
    return replacing


@cache
def _counting(dialect_name: str, table: Table, keys: tuple[str, ...], column: str) -> Insert:
    counting: Insert = _insert(dialect_name, table).on_conflict_do_update(
        index_elements=list(keys), set_={column: table.c[column] + 1}
    )
    return counting


@cache
def _row_statement(dialect_name: str, table: Table, columns: tuple[str, ...]) -> str:
    """The text with a place for each column, in their order."""
    place = "%s" if dialect_name == "postgresql" else "?"
    places = ", ".join([place] * len(columns))
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608
