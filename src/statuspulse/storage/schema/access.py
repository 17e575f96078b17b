"""Who calls: teams, users, tokens and what they did."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Index, Integer, LargeBinary, Table, Text, event, text

from statuspulse.storage.schema.base import Key, metadata, stamps

teams = Table(
    "teams",
    metadata,
    Column("key", Key, primary_key=True),  # counts up; the lowest is the first team, whatever clocks said
    Column("id", Text, nullable=False, unique=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("settings", Text, nullable=False, server_default="{}"),  # JSON, what differs from the defaults
    Column("deleted_at", BigInteger),
    Column("version", Integer, nullable=False),  # counts what people have changed
    *stamps(),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    *stamps(),
)

members = Table(
    "members",
    metadata,
    Column("team_id", Text, ForeignKey("teams.id"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("contacts", Text, nullable=False, server_default="[]"),  # JSON array of channel ids
    *stamps(),
    Index(None, "team_id", "created_at", "user_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    # Of the newest secret, by which people tell tokens apart.
    Column("prefix", Text, nullable=False),
    Column("last4", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # JSON array
    Column("networks", Text, nullable=False),  # JSON array of CIDR, empty for anywhere
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("last_used_at", BigInteger),  # to the minute
    Column("last_used_ip", Text),
    *stamps(),
)

# Every text that ever was this token. A rotated one ends at an instant and is kept, so that it never comes back.
token_secrets = Table(
    "token_secrets",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # HMAC-SHA-256 with the instance's pepper
    Column("token_id", Text, ForeignKey("tokens.id"), nullable=False, index=True),
    Column("ends_at", BigInteger),
)

token_teams = Table(
    "token_teams",
    metadata,
    Column("token_id", Text, ForeignKey("tokens.id"), primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), primary_key=True),
    Index(None, "team_id", "token_id"),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),  # JSON {type, id, label}
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("diff", Text, nullable=False),  # JSON array of {path, before, after}, secrets masked
    Column("request_id", Text),
    Column("ip", Text),
    Index(None, "team_id", "at", "id"),
    Index(None, "team_id", "resource", "at"),
)

# By table and dialect: statements that belong to a table and that no column or index says.
BESIDE = {
    "audit_entries": {
        "sqlite": [
            (
                "CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries\n"
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            ),
            (
                "CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries\n"
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            ),
        ],
        "postgresql": [
            (
                "CREATE OR REPLACE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS\n"
                "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
            ),
            (
                "CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries\n"
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_stay()"
            ),
        ],
    }
}


def _add_what_stands_beside(table: Table, connection: Connection, **_: object) -> None:
    for statement in BESIDE[table.name][connection.dialect.name]:
        connection.execute(text(statement))


event.listen(audit_entries, "after_create", _add_what_stands_beside)
