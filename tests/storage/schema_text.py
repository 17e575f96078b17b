"""What a database says about its own schema, as sorted lines that can be compared."""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
       a.attidentity::text
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""
_TRIGGERS = """
SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
"""
_INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_OF_ALEMBIC = "alembic_version"


def schema_text(connection: Connection) -> list[str]:
    """Every table, column, type, default, constraint, index and trigger but alembic's own."""
    lines = _of_sqlite(connection) if connection.dialect.name == "sqlite" else _of_postgres(connection)
    return sorted(line for line in lines if _OF_ALEMBIC not in line)


def _of_postgres(connection: Connection) -> list[str]:
    queries = (_COLUMNS, _CONSTRAINTS, _INDEXES, _TRIGGERS)
    return [" | ".join(map(str, row)) for query in queries for row in connection.execute(text(query))]


def _of_sqlite(connection: Connection) -> list[str]:
    """The statements themselves, part by part: constraints may stand in any order behind the columns."""
    lines = []
    for kind, name, table, statement in connection.execute(text(_OBJECTS)):
        if kind == "table":
            head, _, body = " ".join(statement.split()).partition("(")
            parts, _, tail = body.rpartition(")")
            columns = [part.strip() for part in re.split(r",(?![^()]*\))", parts)]
            lines += [f"{table} | {part}" for part in (head, tail, *columns)]
        else:
            lines.append(f"{table} | {name} | {' '.join(statement.split())}")
    return lines
