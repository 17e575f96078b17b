"""Who has to act."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from statuspulse.storage.schema.base import Key, metadata, stamps

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("monitor_key", Key, ForeignKey("monitors.key")),
    Column("dedup_key", Text),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("assignee", Text),
    Column("occurrences", Integer, nullable=False),
    Column("notify", Boolean, nullable=False),
    Column("policy", Text),
    Column("external_ids", Text, nullable=False),  # JSON {provider: {id, url}}
    Column("triggered_at", BigInteger, nullable=False),
    Column("triggered_by", Text, nullable=False),  # JSON actor
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("resolved_at", BigInteger),
    Column("resolved_by", Text),
    Column("resolve_reason", Text),
    Column("escalation", Text, nullable=False),  # JSON: the policy's rules as they were, and how far they are
    *stamps(),
    UniqueConstraint("team_id", "number"),
    Index(None, "team_id", "triggered_at", "id"),
    Index(None, "monitor_key", "triggered_at"),
)
# One open incident at most per (monitor, dedup key), whoever races; 0 stands for "no monitor".
Index(
    "uq_incidents_open",
    incidents.c.team_id,
    func.coalesce(incidents.c.monitor_key, 0),
    incidents.c.dedup_key,
    unique=True,
    sqlite_where=text("state <> 'resolved'"),
    postgresql_where=text("state <> 'resolved'"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("actor", Text, nullable=False),  # JSON actor
    Column("detail", Text, nullable=False),  # JSON
    Index(None, "incident_id", "key"),
)

# Everything of an incident that waits for an instant. They follow from the incident and are made anew with it; what has
# fired is a row no more, in the transaction that owes its messages.
escalation_timers = Table(
    "escalation_timers",
    metadata,
    Column("incident_id", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("kind", Text, primary_key=True),  # step | reach | route | ack_end | auto_resolve
    Column("repeat", Integer, primary_key=True, autoincrement=False),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("due_at", BigInteger, nullable=False, index=True),
)
