"""What calls leave behind."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from statuspulse.storage.schema.base import metadata

# Without a reference to the team: a record ends after a day and keeps nothing from being deleted.
idempotency_records = Table(
    "idempotency_records",
    metadata,
    Column("team_id", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),  # HMAC of token, method, path and key
    Column("fingerprint", LargeBinary, nullable=False),  # HMAC of query and body
    Column("answer", LargeBinary),  # sealed: it may hold a secret that is shown once; null inside its transaction only
    Column("created_at", BigInteger, nullable=False),
    Index(None, "created_at"),
)

# Each opens one stream of events, in the place of the token secret that it was made with.
stream_tickets = Table(
    "stream_tickets",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("secret_digest", LargeBinary, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
)
