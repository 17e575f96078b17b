"""When people were last told that a monitor's certificate ends soon."""

from __future__ import annotations

from sqlalchemy import Connection, select

from statuspulse.storage.dialect import upsert
from statuspulse.storage.schema import expiry_warnings


def told_at(connection: Connection, monitor_key: int) -> int | None:
    """None where nobody was told yet."""
    query = select(expiry_warnings.c.told_at).where(expiry_warnings.c.monitor_key == monitor_key)
    told: int | None = connection.scalar(query)
    return told


def note_told(connection: Connection, monitor_key: int, now: int) -> None:
    statement = upsert(connection, expiry_warnings, ("monitor_key",), ("told_at",))
    connection.execute(statement, {"monitor_key": monitor_key, "told_at": now})
