"""What happened."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, SmallInteger, Table, Text

from statuspulse.storage.schema.base import Key, metadata

# One row: the number of the last event. Whoever takes the next one holds the row until it commits, so that numbers
# follow commits on PostgreSQL, too, where those of a sequence do not.
event_sequence = Table(
    "event_sequence",
    metadata,
    Column("only", SmallInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    CheckConstraint('"only" = 1', name="single"),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("monitor_id", Text),
    Column("incident_id", Text),
    Column("body", Text, nullable=False),  # the JSON that everybody gets
    Index(None, "team_id", "seq"),
    Index(None, "monitor_id", "seq"),
    Index(None, "incident_id", "seq"),
)

# When people were last told that a certificate ends soon.
expiry_warnings = Table(
    "expiry_warnings",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True, autoincrement=False),
    Column("told_at", BigInteger, nullable=False),
)
