"""Small queries without what SQLAlchemy does for each execution: that takes ten times as long as SQLite's answer."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Select

from statuspulse.storage import driver

# Texts are kept for lists of so many values and fewer.
_FEW = 4


@dataclass(frozen=True, slots=True)
class _Value:
    """Stands in a statement for a parameter, or for one member of a list."""

    name: str
    place: int | None = None

    def of(self, given: Mapping[str, Any]) -> Any:
        return given[self.name] if self.place is None else given[self.name][self.place]


@dataclass(frozen=True, slots=True)
class _Text:
    """A query in the words of SQLite, what stands for its question marks, and the shape of its rows."""

    sql: str
    values: Sequence[Any]
    row: Callable[[Sequence[Any]], Any]

    def arguments(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([value.of(given) if isinstance(value, _Value) else value for value in self.values])


class Prepared:
    """A query with named parameters: numbers, texts and lists of them.

    Its rows have their columns by name. A truth value is whatever the database keeps for it, a number on SQLite.
    """

    def __init__(self, query: Select[Any]) -> None:
        self._query = query
        self._texts: dict[tuple[int, ...], _Text] = {}

    def rows(self, connection: Connection, **given: Any) -> Sequence[Any]:
        lengths = tuple([len(value) for value in given.values() if isinstance(value, list)])
        if connection.dialect.name != "sqlite" or (lengths and not 0 < min(lengths) <= max(lengths) <= _FEW):
            return connection.execute(self._query, given).all()
        text = self._texts.get(lengths)
        if text is None:
            text = self._texts[lengths] = _made(self._query, connection.dialect, given)
        if not connection.in_transaction():
            connection.begin()
        return list(map(text.row, driver.fetch(connection, text.sql, text.arguments(given))))


def _made(query: Select[Any], dialect: Dialect, given: Mapping[str, Any]) -> _Text:
    stand_ins = {
        name: [_Value(name, place) for place in range(len(value))] if isinstance(value, list) else _Value(name)
        for name, value in given.items()
    }
    made = query.compile(dialect=dialect).construct_expanded_state(stand_ins)
    values = [made.parameters[name] for name in made.positiontup or ()]
    row = namedtuple("Row", query.selected_columns.keys())  # type: ignore[misc] # noqa: PYI024 - known only here
    return _Text(made.statement, values, row._make)
