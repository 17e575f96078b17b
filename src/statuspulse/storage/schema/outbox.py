"""What is owed to receivers."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from statuspulse.storage.schema.base import metadata, stamps

outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("incident_id", Text, ForeignKey("incidents.id")),
    # Rises per (incident, destination): a row is not handed over while an earlier one is open.
    Column("seq", Integer, nullable=False),
    Column("destination", Text, nullable=False),  # nch_… ; other kinds of receiver have their own prefix
    Column("action", Text, nullable=False),  # trigger | acknowledge | resolve | …
    Column("dedup_key", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON: the message's facts, without secrets
    Column("state", Text, nullable=False),  # pending | delivered | superseded | dead
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger, nullable=False),
    Column(
        "owed_at", BigInteger, nullable=False
    ),  # the lifetime counts from here; later than created_at after a replay
    Column("lease_owner", Text),
    Column("lease_until", BigInteger),
    Column("lease_epoch", Integer, nullable=False),
    Column("last_error", Text),
    Column("provider_status", Integer),
    Column("receipt", Text),  # what the receiver calls the message that later ones of the incident build on
    Column("finished_at", BigInteger),
    *stamps(),
    UniqueConstraint("event_id", "destination"),
    UniqueConstraint("incident_id", "destination", "seq"),
)
Index(
    "ix_outbox_due",
    outbox.c.next_attempt_at,
    sqlite_where=text("state = 'pending'"),
    postgresql_where=text("state = 'pending'"),
)
Index("ix_outbox_incident", outbox.c.incident_id)
Index("ix_outbox_destination", outbox.c.destination, outbox.c.created_at)
Index("ix_outbox_team", outbox.c.team_id, outbox.c.created_at)
Index(
    "ix_outbox_without_incident",
    outbox.c.dedup_key,
    sqlite_where=text("incident_id IS NULL"),
    postgresql_where=text("incident_id IS NULL"),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("outbox_id", Text, ForeignKey("outbox.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("started_at", BigInteger, nullable=False),
    Column("latency_ms", Integer, nullable=False),
    Column("outcome", Text, nullable=False),  # delivered | retry | refused
    Column("provider_status", Integer),
    Column("error", Text),
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text),
    Column("wanted", Text, nullable=False),  # JSON {types, monitor_ids, tags, severities}
    Column("format", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("headers_sealed", LargeBinary, nullable=False),  # JSON array of {name, value}
    Column("secret_sealed", LargeBinary, nullable=False),
    # The secret before this one signs, too, until then.
    Column("previous_sealed", LargeBinary),
    Column("previous_until", BigInteger),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", Text),
    Column("disabled_at", BigInteger),
    Column("failing_since", BigInteger),
    Column("failures", Integer, nullable=False),  # in a row
    Column("last_success_at", BigInteger),
    Column("version", Integer, nullable=False),  # counts what people have changed
    *stamps(),
    Index(None, "team_id", "created_at", "id"),
)

# One row for each event and endpoint, and one for each time that people have it sent again.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("endpoint_id", Text, ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("redelivery", Boolean, nullable=False),
    Column("state", Text, nullable=False),  # pending | succeeded | exhausted | cancelled
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", BigInteger),
    Column("lease_epoch", Integer, nullable=False),
    # Of the last attempt.
    Column("started_at", BigInteger),
    Column("latency_ms", Integer),
    Column("body_bytes", Integer),
    Column("error_class", Text),
    Column("answer", Text),  # JSON {status, headers, body}
    *stamps(),
    Index(None, "endpoint_id", "created_at", "id"),
    Index(None, "endpoint_id", "event_id"),
    Index(None, "created_at"),
)
Index(
    "ix_webhook_deliveries_due",
    webhook_deliveries.c.next_attempt_at,
    sqlite_where=text("state = 'pending'"),
    postgresql_where=text("state = 'pending'"),
)
