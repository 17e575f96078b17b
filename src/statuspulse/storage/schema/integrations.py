"""Who else knows of incidents."""

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

from statuspulse.storage.schema.base import Key, metadata, stamps

# Systems of others that incidents are kept in step with, or that tell us of theirs.
integrations = Table(
    "integrations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("kind", Text, nullable=False),  # pagerduty | jira | alertmanager
    Column("name", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("config", Text, nullable=False),  # JSON, without secrets
    Column("secrets_sealed", LargeBinary, nullable=False),  # JSON {name: text}
    Column("digest", LargeBinary, unique=True),  # HMAC of the secret, of those that are found by it
    Column("previous_digest", LargeBinary, unique=True),
    Column("previous_until", BigInteger),
    Column("own_author", Text),  # who we are there: what he does is no news
    Column("last_error", Text),
    Column("last_success_at", BigInteger),
    Column("last_received_at", BigInteger),
    Column("version", Integer, nullable=False),  # counts what people have changed
    *stamps(),
    Index(None, "team_id", "created_at", "id"),
)
# Ids in other systems are told by provider, so that a team has one of each at most.
Index(
    "uq_integrations_provider",
    integrations.c.team_id,
    integrations.c.kind,
    unique=True,
    sqlite_where=text("kind <> 'alertmanager'"),
    postgresql_where=text("kind <> 'alertmanager'"),
)

# How an incident stands with one integration; what is to be done there are rows of the outbox.
incident_syncs = Table(
    "incident_syncs",
    metadata,
    Column("incident_id", Text, ForeignKey("incidents.id"), primary_key=True),
    Column("integration_id", Text, ForeignKey("integrations.id"), primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("external_id", Text),
    Column("url", Text),
    Column("kept_sealed", LargeBinary),  # what the provider has to use again, such as the key of the trigger
    Column("opened", Boolean, nullable=False),  # it exists there
    Column("status", Text, nullable=False),  # pending | synced | failed
    Column("last_error", Text),  # JSON {code, message, http_status}
    Column("version", Integer, nullable=False),  # of the incident, as far as they know it
    Column("updated_at", BigInteger, nullable=False),
    Index(None, "integration_id", "external_id"),
)

# Messages from other systems, taken in at once and worked off in order. They are kept for a while, so that a copy is
# known again.
inbound_messages = Table(
    "inbound_messages",
    metadata,
    Column("key", Key, primary_key=True),
    Column("integration_id", Text, ForeignKey("integrations.id"), nullable=False),
    Column("message_id", Text, nullable=False),  # the sender's own, or one of ours
    Column("form", Text, nullable=False),  # which kind of body it is
    Column("body", LargeBinary, nullable=False),  # empty once it is done
    Column("state", Text, nullable=False),  # pending | done
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    UniqueConstraint("integration_id", "message_id"),
    Index(None, "received_at"),
)
Index(
    "ix_inbound_messages_due",
    inbound_messages.c.due_at,
    inbound_messages.c.key,
    sqlite_where=text("state = 'pending'"),
    postgresql_where=text("state = 'pending'"),
)

# Alerts of other systems and the incidents that stand for them. One that nobody repeats ends when it is due.
alerts = Table(
    "alerts",
    metadata,
    Column("integration_id", Text, ForeignKey("integrations.id"), primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("incident_id", Text, ForeignKey("incidents.id"), nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, index=True),
    Column("seen_at", BigInteger, nullable=False, index=True),
)

# What was said in either direction, for people.
sync_log = Table(
    "sync_log",
    metadata,
    Column("id", Text, primary_key=True),
    Column("integration_id", Text, ForeignKey("integrations.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("direction", Text, nullable=False),  # out | in
    Column("what", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("incident_id", Text),
    Column("external_id", Text),
    Column("attempt", Integer),
    Column("http_status", Integer),
    Column("latency_ms", Integer),
    Column("error", Text),
    Index(None, "integration_id", "at", "id"),
    Index(None, "at"),
)
