"""What was promised."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from statuspulse.storage.schema.base import Key, metadata, stamps

# An objective over one monitor, or over all that have its tags. What was told of it stands beside it, and when it has
# to be looked at next; `touched` counts what has happened to it, so that no look overwrites what it has not seen.
slos = Table(
    "slos",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("monitor_key", Key, ForeignKey("monitors.key")),
    Column("of_config", Boolean, nullable=False),  # it follows the member `sla` of the monitor
    Column("name", Text, nullable=False),
    Column("promise", Text, nullable=False),  # JSON {kind, objective_pct, latency_threshold_ms, window, timezone, …}
    Column("breached_at", BigInteger),
    Column("told_for", BigInteger),
    Column("burning", Text),
    Column("due_at", BigInteger, index=True),
    Column("touched", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),  # counts what people have changed
    *stamps(),
    Index(None, "team_id", "created_at", "id"),
    Index(None, "monitor_key"),
)
Index(
    "uq_slos_of_config",
    slos.c.monitor_key,
    unique=True,
    sqlite_where=text("of_config"),
    postgresql_where=text("of_config"),
)
