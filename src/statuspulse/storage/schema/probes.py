"""Where checks come from."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text

from statuspulse.storage.schema.base import Key, metadata, stamps

regions = Table(
    "regions",
    metadata,
    Column("key", Key, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # History refers to regions and probes that are gone; a region comes back under its slug.
    Column("deleted_at", BigInteger),
)

probes = Table(
    "probes",
    metadata,
    Column("key", Key, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("region_key", Key, ForeignKey("regions.key"), nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    # The key before this one: good until then, or without an end until the new one is used.
    Column("previous_digest", LargeBinary, unique=True),
    Column("previous_until", BigInteger),
    Column("draining", Boolean, nullable=False),
    Column("committed_through", BigInteger, nullable=False, server_default="0"),
    # The newest batch; heartbeats are heard in memory alone.
    Column("last_seen_at", BigInteger),
    # Since when people know that it is away, and why: silent | blind.
    Column("offline_since", BigInteger),
    Column("offline_reason", Text),
    Column("deleted_at", BigInteger),
    Column("version", Integer, nullable=False),  # counts what people have changed
    *stamps(),
)
