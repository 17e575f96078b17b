"""How far the results of each probe are committed; moves in the transaction that stores them."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from statuspulse.storage.schema import probes


def committed_through(connection: Connection, probe_key: int) -> int:
    """The last `seq` of the probe that is committed or finally rejected."""
    through: int = connection.execute(select(probes.c.committed_through).where(probes.c.key == probe_key)).scalar_one()
    return through


def advance(connection: Connection, probe_key: int, through: int, now: int) -> None:
    """The probe has shipped something, and it is committed up to there."""
    values = {"committed_through": through, "last_seen_at": now}
    connection.execute(update(probes).where(probes.c.key == probe_key).values(values))
