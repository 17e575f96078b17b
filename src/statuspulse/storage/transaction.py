"""A transaction of the writer, used in place of the database by what has to commit as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Transaction:
    """Reads and writes as `Database` does, but at once and in the writer's thread: nothing of it ever waits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Sees what was written before in the same transaction."""
        return work(self._connection)

    async def glance(self, work: Callable[[Connection], T]) -> T:
        """The same."""
        return work(self._connection)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What raises undoes only itself; the rest is stored when the transaction commits."""
        with self._connection.begin_nested():
            return work(self._connection)
