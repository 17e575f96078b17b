"""What is planned."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from statuspulse.storage.schema.base import Key, metadata, stamps

# Maintenance windows. Each edge is a row with a due time; `place` is the monitor up to which it was carried out.
maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    # Of the monitor that it is a part of; null for one that stands for itself.
    Column("monitor_key", Key, ForeignKey("monitors.key")),
    Column("name", Text, nullable=False),
    Column("plan", Text, nullable=False),  # JSON {monitors, starts_at, timezone, …}
    # The occurrence that holds or comes next: where it begins by the plan, and from when to when it holds.
    Column("planned_at", BigInteger),
    Column("starts_at", BigInteger),
    Column("ends_at", BigInteger),
    Column("phase", Text, nullable=False),  # waiting | starting | active | ending | over
    Column("place", BigInteger, nullable=False),
    Column("due_at", BigInteger, index=True),
    Column("ended_at", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("version", Integer, nullable=False),  # counts what people have changed
    *stamps(),
    Index(None, "team_id", "created_at", "id"),
    Index(None, "team_id", "monitor_key", "ends_at"),
)

# What windows have really covered, monitor by monitor: the truth for what uptime and SLO leave out. Where `is_open`
# the end is planned and has not been carried out.
maintenance_spans = Table(
    "maintenance_spans",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("window_id", Text, ForeignKey("maintenance_windows.id"), primary_key=True),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("end_at", BigInteger, nullable=False),
    Column("rests", Boolean, nullable=False),
    Column("mutes", Boolean, nullable=False),
    Column("excludes", Boolean, nullable=False),
    Column("holds", Boolean, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Index(None, "window_id", "is_open", "monitor_key"),
)
