"""Straight to SQLite's driver: what SQLAlchemy does around each execution takes ten times as long as the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def tell(connection: Connection, sql: str) -> None:
    """Runs a statement that has no parameters and no rows, on either database; raises DBAPIError."""
    if connection.dialect.name == "sqlite":
        fetch(connection, sql)
    else:
        connection.exec_driver_sql(sql)


def fetch(connection: Connection, sql: str, arguments: Sequence[Any] = ()) -> list[Any]:
    """The rows of a statement in the words of SQLite, in a transaction that has begun; raises DBAPIError."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, arguments)
        return list(cursor.fetchall())
    except connection.dialect.loaded_dbapi.Error as error:
        base = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(sql, None, error, base, hide_parameters=True) from error
    finally:
        cursor.close()
