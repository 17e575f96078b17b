"""The instance itself."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, SmallInteger, Table, Text

from statuspulse.storage.schema.base import metadata

# One row: what binds the database to the secret key beside it.
instance = Table(
    "instance",
    metadata,
    Column("only", SmallInteger, primary_key=True, autoincrement=False),
    Column("key_fingerprint", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("alive_at", BigInteger),  # when the storage last took a change that was made to see whether it does
    CheckConstraint('"only" = 1', name="single"),
)

# Faults of our own that people were told of and that are not over.
instance_faults = Table(
    "instance_faults",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("since_at", BigInteger, nullable=False),
)
