"""What is watched, and by which rules."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from statuspulse.storage.schema.base import Key, metadata, stamps

# One row: the number of the last change of what probes and engine work by; a delta is "revision > mine".
catalog_revision = Table(
    "catalog_revision",
    metadata,
    Column("only", SmallInteger, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    CheckConstraint('"only" = 1', name="single"),
)

monitors = Table(
    "monitors",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("config", Text, nullable=False),  # JSON, every member of the contract normalised
    Column("config_version", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False, index=True),
    # Results of an older version were made against another target or rule: they are history, not evidence.
    Column("judged_from_version", Integer, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("resume_at", BigInteger),
    # A maintenance window keeps its probes off for now.
    Column("resting", Boolean, nullable=False, server_default=text("false")),
    Column("updated_by", Text, nullable=False),  # JSON actor
    Column("deleted_at", BigInteger),
    *stamps(),
    Index(None, "team_id", "created_at", "id"),
    Index(None, "team_id", "name", "id"),
)

# What a monitor's configuration was; the newest row is what it is.
config_versions = Table(
    "config_versions",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),  # JSON
    Column("changed", Text, nullable=False),  # JSON array of pointers
    Column("config", Text, nullable=False),  # JSON, secrets sealed as in monitors
)

monitor_channels = Table(
    "monitor_channels",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("channel_id", Text, ForeignKey("channels.id"), primary_key=True),
    Column("place", SmallInteger, nullable=False),
)

monitor_dependencies = Table(
    "monitor_dependencies",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("parent_key", Key, ForeignKey("monitors.key"), primary_key=True, index=True),
    Column("place", SmallInteger, nullable=False),
)

escalation_policies = Table(
    "escalation_policies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("is_default", Boolean, nullable=False),
    Column("auto_created", Boolean, nullable=False),
    Column("rules", Text, nullable=False),  # JSON {steps, repeat, ack_timeout_seconds, …}
    Column("version", Integer, nullable=False),
    *stamps(),
    UniqueConstraint("team_id", "slug"),
)

# Who is on call when: a rotation of members of the team, and exceptions from it.
schedules = Table(
    "schedules",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("plan", Text, nullable=False),  # JSON {timezone, rotation, handoff, starts_on, members, overrides}
    Column("version", Integer, nullable=False),
    *stamps(),
    UniqueConstraint("team_id", "name"),
    Index(None, "team_id", "created_at", "id"),
)

channels = Table(
    "channels",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # HMAC of the canonical URL: equal URLs are one channel
    Column("url_sealed", LargeBinary, nullable=False),
    Column("url_masked", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("health", Text, nullable=False),
    Column("last_error", Text),
    Column("last_success_at", BigInteger),
    # Only of those whose messages are signed.
    Column("secret_sealed", LargeBinary),
    Column("previous_sealed", LargeBinary),
    Column("previous_until", BigInteger),
    Column("told_at", BigInteger),  # since when the fallback channel knows that this one is failing
    Column("version", Integer, nullable=False),  # counts what people have changed
    *stamps(),
    UniqueConstraint("team_id", "digest"),
)

# Jobs that call us. A deadline is a row with a due time; what has none is waited for by nobody.
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),  # HMAC of the key in the URL
    Column("key_sealed", LargeBinary, nullable=False),
    Column("last_ping_at", BigInteger),
    Column("started_at", BigInteger),
    Column("expected_at", BigInteger),
    Column("due_at", BigInteger, index=True),
    Column("newest_at", BigInteger, nullable=False, server_default="0"),  # the slot of the newest result
)

# One row: up to when we have surely listened for pings. What lies between it and a start is our absence.
listening = Table(
    "listening",
    metadata,
    Column("only", SmallInteger, primary_key=True, autoincrement=False),
    Column("until_at", BigInteger, nullable=False),
    CheckConstraint('"only" = 1', name="single"),
)
