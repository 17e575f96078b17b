"""How far the results of each probe are committed; moves in the transaction that stores them."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import probes

_COMMITTED = Prepared(select(probes.c.committed_through).where(probes.c.key == bindparam("probe")))
# Built once: every batch of results ends with it.
_ADVANCE = (
    update(probes)
    .where(probes.c.key == bindparam("probe"))
    .values(committed_through=bindparam("through"), last_seen_at=bindparam("now"))
)


def committed_through(connection: Connection, probe_key: int) -> int:
    """The last `seq` of the probe that is committed or rejected for good; raises LookupError without a probe."""
    rows = _COMMITTED.rows(connection, probe=probe_key)
    if not rows:
        raise LookupError(f"no probe has the key {probe_key}")
    return int(rows[0].committed_through)


def advance(connection: Connection, probe_key: int, through: int, now: int) -> None:
    """The probe has shipped something, and it is committed up to there."""
    connection.execute(_ADVANCE, {"probe": probe_key, "through": through, "now": now})
