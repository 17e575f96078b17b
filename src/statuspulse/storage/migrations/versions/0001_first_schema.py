"""The schema of the first release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for create in (
        _catalog_revision,
        _event_sequence,
        _failure_details,
        _gap_records,
        _idempotency_records,
        _instance,
        _instance_faults,
        _listening,
        _regions,
        _results,
        _rollup_marks,
        _rollup_rewrites,
        _rollup_touched,
        _rollups,
        _stream_tickets,
        _teams,
        _tokens,
        _users,
        _audit_entries,
        _channels,
        _escalation_policies,
        _events,
        _integrations,
        _members,
        _monitors,
        _probes,
        _schedules,
        _token_secrets,
        _token_teams,
        _webhook_endpoints,
        _config_versions,
        _expiry_warnings,
        _heartbeats,
        _inbound_messages,
        _incidents,
        _late_intervals,
        _late_marks,
        _late_sights,
        _maintenance_windows,
        _monitor_channels,
        _monitor_dependencies,
        _monitor_states,
        _slos,
        _standings,
        _state_intervals,
        _sync_log,
        _transitions,
        _unseen_spans,
        _webhook_deliveries,
        _alerts,
        _escalation_timers,
        _incident_syncs,
        _maintenance_spans,
        _outbox,
        _timeline,
        _delivery_attempts,
    ):
        create()


def _catalog_revision() -> None:
    op.create_table(
        "catalog_revision",
        sa.Column("only", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint('"only" = 1', name=op.f("ck_catalog_revision_single")),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_catalog_revision")),
    )


def _event_sequence() -> None:
    op.create_table(
        "event_sequence",
        sa.Column("only", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.CheckConstraint('"only" = 1', name=op.f("ck_event_sequence_single")),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_event_sequence")),
    )


def _failure_details() -> None:
    op.create_table(
        "failure_details",
        sa.Column(
            "monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "region_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("scheduled_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("monitor_key", "region_key", "scheduled_at", name=op.f("pk_failure_details")),
        sqlite_with_rowid=False,
    )


def _gap_records() -> None:
    op.create_table(
        "gap_records",
        sa.Column(
            "monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "region_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("from_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("to_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("monitor_key", "region_key", "from_at", name=op.f("pk_gap_records")),
        sqlite_with_rowid=False,
    )


def _idempotency_records() -> None:
    op.create_table(
        "idempotency_records",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "digest", name=op.f("pk_idempotency_records")),
    )
    op.create_index(op.f("ix_idempotency_records_created_at"), "idempotency_records", ["created_at"], unique=False)


def _instance() -> None:
    op.create_table(
        "instance",
        sa.Column("only", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("key_fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("alive_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint('"only" = 1', name=op.f("ck_instance_single")),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_instance")),
    )


def _instance_faults() -> None:
    op.create_table(
        "instance_faults",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_instance_faults")),
    )


def _listening() -> None:
    op.create_table(
        "listening",
        sa.Column("only", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint('"only" = 1', name=op.f("ck_listening_single")),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_listening")),
    )


def _regions() -> None:
    op.create_table(
        "regions",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_regions")),
        sa.UniqueConstraint("slug", name=op.f("uq_regions_slug")),
    )


def _results() -> None:
    op.create_table(
        "results",
        sa.Column(
            "monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "region_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("scheduled_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("verdict", sa.SmallInteger(), nullable=False),
        sa.Column("failure", sa.SmallInteger(), nullable=True),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("probe_key", sa.Integer(), nullable=False),
        sa.Column("observed_after_ms", sa.BigInteger(), nullable=False),
        sa.Column("lag_us", sa.Integer(), nullable=False),
        sa.Column("latency_us", sa.BigInteger(), nullable=True),
        sa.Column("measured", sa.LargeBinary(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=True),
        sa.Column("config_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("monitor_key", "region_key", "scheduled_at", name=op.f("pk_results")),
        sqlite_with_rowid=False,
    )


def _rollup_marks() -> None:
    op.create_table(
        "rollup_marks",
        sa.Column("width_seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("complete_until", sa.BigInteger(), nullable=False),
        sa.Column("sweep_until", sa.BigInteger(), nullable=False),
        sa.Column("next_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("width_seconds", name=op.f("pk_rollup_marks")),
    )


def _rollup_rewrites() -> None:
    op.create_table(
        "rollup_rewrites",
        sa.Column(
            "monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("monitor_key", name=op.f("pk_rollup_rewrites")),
    )


def _rollup_touched() -> None:
    op.create_table(
        "rollup_touched",
        sa.Column(
            "monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "region_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("start_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("monitor_key", "region_key", "start_at", name=op.f("pk_rollup_touched")),
        sqlite_with_rowid=False,
    )


def _rollups() -> None:
    op.create_table(
        "rollups",
        sa.Column("width_seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "region_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("start_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ok", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("void", sa.Integer(), nullable=False),
        sa.Column("total_us", sa.BigInteger(), nullable=False),
        sa.Column("min_us", sa.BigInteger(), nullable=True),
        sa.Column("max_us", sa.BigInteger(), nullable=True),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("width_seconds", "monitor_key", "region_key", "start_at", name=op.f("pk_rollups")),
        sqlite_with_rowid=False,
    )


def _stream_tickets() -> None:
    op.create_table(
        "stream_tickets",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("secret_digest", sa.LargeBinary(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_stream_tickets")),
    )
    op.create_index(op.f("ix_stream_tickets_ends_at"), "stream_tickets", ["ends_at"], unique=False)


def _teams() -> None:
    op.create_table(
        "teams",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), server_default="{}", nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_teams")),
        sa.UniqueConstraint("id", name=op.f("uq_teams_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_teams_slug")),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_ip", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )


def _audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("diff", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("ip", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_audit_entries_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(op.f("ix_audit_entries_team_id_at_id"), "audit_entries", ["team_id", "at", "id"], unique=False)
    op.create_index(
        op.f("ix_audit_entries_team_id_resource_at"), "audit_entries", ["team_id", "resource", "at"], unique=False
    )
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries\n"
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
        op.execute(
            "CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries\n"
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS\n"
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries\n"
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_stay()"
        )


def _channels() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("url_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("url_masked", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("health", sa.Text(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.BigInteger(), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_channels_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint("team_id", "digest", name=op.f("uq_channels_team_id_digest")),
    )


def _escalation_policies() -> None:
    op.create_table(
        "escalation_policies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("auto_created", sa.Boolean(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_escalation_policies_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_policies")),
        sa.UniqueConstraint("team_id", "slug", name=op.f("uq_escalation_policies_team_id_slug")),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("monitor_id", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_events_team_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
    )
    op.create_index(op.f("ix_events_at"), "events", ["at"], unique=False)
    op.create_index(op.f("ix_events_incident_id_seq"), "events", ["incident_id", "seq"], unique=False)
    op.create_index(op.f("ix_events_monitor_id_seq"), "events", ["monitor_id", "seq"], unique=False)
    op.create_index(op.f("ix_events_team_id_seq"), "events", ["team_id", "seq"], unique=False)


def _integrations() -> None:
    op.create_table(
        "integrations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("secrets_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("previous_digest", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.BigInteger(), nullable=True),
        sa.Column("own_author", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True),
        sa.Column("last_received_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_integrations_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrations")),
        sa.UniqueConstraint("digest", name=op.f("uq_integrations_digest")),
        sa.UniqueConstraint("previous_digest", name=op.f("uq_integrations_previous_digest")),
    )
    op.create_index(
        op.f("ix_integrations_team_id_created_at_id"), "integrations", ["team_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "uq_integrations_provider",
        "integrations",
        ["team_id", "kind"],
        unique=True,
        sqlite_where=sa.text("kind <> 'alertmanager'"),
        postgresql_where=sa.text("kind <> 'alertmanager'"),
    )


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("contacts", sa.Text(), server_default="[]", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_members_team_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_members_user_id")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_members")),
    )
    op.create_index(
        op.f("ix_members_team_id_created_at_user_id"), "members", ["team_id", "created_at", "user_id"], unique=False
    )


def _monitors() -> None:
    op.create_table(
        "monitors",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("config_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("judged_from_version", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("resume_at", sa.BigInteger(), nullable=True),
        sa.Column("resting", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_monitors_team_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_monitors")),
        sa.UniqueConstraint("id", name=op.f("uq_monitors_id")),
    )
    op.create_index(op.f("ix_monitors_revision"), "monitors", ["revision"], unique=False)
    op.create_index(
        op.f("ix_monitors_team_id_created_at_id"), "monitors", ["team_id", "created_at", "id"], unique=False
    )
    op.create_index(op.f("ix_monitors_team_id_name_id"), "monitors", ["team_id", "name", "id"], unique=False)


def _probes() -> None:
    op.create_table(
        "probes",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("region_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("previous_digest", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.BigInteger(), nullable=True),
        sa.Column("draining", sa.Boolean(), nullable=False),
        sa.Column("committed_through", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("offline_since", sa.BigInteger(), nullable=True),
        sa.Column("offline_reason", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["region_key"], ["regions.key"], name=op.f("fk_probes_region_key")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_probes")),
        sa.UniqueConstraint("digest", name=op.f("uq_probes_digest")),
        sa.UniqueConstraint("id", name=op.f("uq_probes_id")),
        sa.UniqueConstraint("previous_digest", name=op.f("uq_probes_previous_digest")),
    )


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_schedules_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("team_id", "name", name=op.f("uq_schedules_team_id_name")),
    )
    op.create_index(
        op.f("ix_schedules_team_id_created_at_id"), "schedules", ["team_id", "created_at", "id"], unique=False
    )


def _token_secrets() -> None:
    op.create_table(
        "token_secrets",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_token_secrets_token_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_token_secrets")),
    )
    op.create_index(op.f("ix_token_secrets_token_id"), "token_secrets", ["token_id"], unique=False)


def _token_teams() -> None:
    op.create_table(
        "token_teams",
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_token_teams_team_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_token_teams_token_id")),
        sa.PrimaryKeyConstraint("token_id", "team_id", name=op.f("pk_token_teams")),
    )
    op.create_index(op.f("ix_token_teams_team_id_token_id"), "token_teams", ["team_id", "token_id"], unique=False)


def _webhook_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("headers_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("previous_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.BigInteger(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_success_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_webhook_endpoints_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(
        op.f("ix_webhook_endpoints_team_id_created_at_id"),
        "webhook_endpoints",
        ["team_id", "created_at", "id"],
        unique=False,
    )


def _config_versions() -> None:
    op.create_table(
        "config_versions",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_config_versions_monitor_key")),
        sa.PrimaryKeyConstraint("monitor_key", "version", name=op.f("pk_config_versions")),
    )


def _expiry_warnings() -> None:
    op.create_table(
        "expiry_warnings",
        sa.Column(
            "monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_expiry_warnings_monitor_key")),
        sa.PrimaryKeyConstraint("monitor_key", name=op.f("pk_expiry_warnings")),
    )


def _heartbeats() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_ping_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("expected_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("newest_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_heartbeats_monitor_key")),
        sa.PrimaryKeyConstraint("monitor_key", name=op.f("pk_heartbeats")),
        sa.UniqueConstraint("digest", name=op.f("uq_heartbeats_digest")),
    )
    op.create_index(op.f("ix_heartbeats_due_at"), "heartbeats", ["due_at"], unique=False)


def _inbound_messages() -> None:
    op.create_table(
        "inbound_messages",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_inbound_messages_integration_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_inbound_messages")),
        sa.UniqueConstraint("integration_id", "message_id", name=op.f("uq_inbound_messages_integration_id_message_id")),
    )
    op.create_index(
        "ix_inbound_messages_due",
        "inbound_messages",
        ["due_at", "key"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(op.f("ix_inbound_messages_received_at"), "inbound_messages", ["received_at"], unique=False)


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("dedup_key", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text(), nullable=True),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column("notify", sa.Boolean(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=True),
        sa.Column("external_ids", sa.Text(), nullable=False),
        sa.Column("triggered_at", sa.BigInteger(), nullable=False),
        sa.Column("triggered_by", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolve_reason", sa.Text(), nullable=True),
        sa.Column("escalation", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_incidents_monitor_key")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_incidents_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("team_id", "number", name=op.f("uq_incidents_team_id_number")),
    )
    op.create_index(
        op.f("ix_incidents_monitor_key_triggered_at"), "incidents", ["monitor_key", "triggered_at"], unique=False
    )
    op.create_index(
        op.f("ix_incidents_team_id_triggered_at_id"), "incidents", ["team_id", "triggered_at", "id"], unique=False
    )
    op.create_index(
        "uq_incidents_open",
        "incidents",
        ["team_id", sa.literal_column("coalesce(monitor_key, 0)"), "dedup_key"],
        unique=True,
        sqlite_where=sa.text("state <> 'resolved'"),
        postgresql_where=sa.text("state <> 'resolved'"),
    )


def _late_intervals() -> None:
    op.create_table(
        "late_intervals",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("start_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_late_intervals_monitor_key")),
        sa.PrimaryKeyConstraint("monitor_key", "start_at", name=op.f("pk_late_intervals")),
    )


def _late_marks() -> None:
    op.create_table(
        "late_marks",
        sa.Column(
            "monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_late_marks_monitor_key")),
        sa.PrimaryKeyConstraint("monitor_key", name=op.f("pk_late_marks")),
    )
    op.create_index(op.f("ix_late_marks_due_at"), "late_marks", ["due_at"], unique=False)


def _late_sights() -> None:
    op.create_table(
        "late_sights",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=True),
        sa.Column("voted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_late_sights_monitor_key")),
        sa.ForeignKeyConstraint(["region_key"], ["regions.key"], name=op.f("fk_late_sights_region_key")),
        sa.PrimaryKeyConstraint("monitor_key", "region_key", name=op.f("pk_late_sights")),
    )


def _maintenance_windows() -> None:
    op.create_table(
        "maintenance_windows",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("planned_at", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_maintenance_windows_monitor_key")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_maintenance_windows_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_windows")),
    )
    op.create_index(op.f("ix_maintenance_windows_due_at"), "maintenance_windows", ["due_at"], unique=False)
    op.create_index(
        op.f("ix_maintenance_windows_team_id_created_at_id"),
        "maintenance_windows",
        ["team_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_maintenance_windows_team_id_monitor_key_ends_at"),
        "maintenance_windows",
        ["team_id", "monitor_key", "ends_at"],
        unique=False,
    )


def _monitor_channels() -> None:
    op.create_table(
        "monitor_channels",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_monitor_channels_channel_id")),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_monitor_channels_monitor_key")),
        sa.PrimaryKeyConstraint("monitor_key", "channel_id", name=op.f("pk_monitor_channels")),
    )


def _monitor_dependencies() -> None:
    op.create_table(
        "monitor_dependencies",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parent_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_monitor_dependencies_monitor_key")),
        sa.ForeignKeyConstraint(["parent_key"], ["monitors.key"], name=op.f("fk_monitor_dependencies_parent_key")),
        sa.PrimaryKeyConstraint("monitor_key", "parent_key", name=op.f("pk_monitor_dependencies")),
    )
    op.create_index(op.f("ix_monitor_dependencies_parent_key"), "monitor_dependencies", ["parent_key"], unique=False)


def _monitor_states() -> None:
    op.create_table(
        "monitor_states",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("health", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("state_since", sa.BigInteger(), nullable=False),
        sa.Column("state_seq", sa.Integer(), nullable=False),
        sa.Column("votes_from", sa.BigInteger(), nullable=False),
        sa.Column("flap_score", sa.Double(), nullable=False),
        sa.Column("flap_score_at", sa.BigInteger(), nullable=False),
        sa.Column("flapping_since", sa.BigInteger(), nullable=True),
        sa.Column("window_id", sa.Text(), nullable=True),
        sa.Column("untold", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_monitor_states_monitor_key")),
        sa.PrimaryKeyConstraint("monitor_key", name=op.f("pk_monitor_states")),
    )


def _slos() -> None:
    op.create_table(
        "slos",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("of_config", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("promise", sa.Text(), nullable=False),
        sa.Column("breached_at", sa.BigInteger(), nullable=True),
        sa.Column("told_for", sa.BigInteger(), nullable=True),
        sa.Column("burning", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("touched", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_slos_monitor_key")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_slos_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slos")),
    )
    op.create_index(op.f("ix_slos_due_at"), "slos", ["due_at"], unique=False)
    op.create_index(op.f("ix_slos_monitor_key"), "slos", ["monitor_key"], unique=False)
    op.create_index(op.f("ix_slos_team_id_created_at_id"), "slos", ["team_id", "created_at", "id"], unique=False)
    op.create_index(
        "uq_slos_of_config",
        "slos",
        ["monitor_key"],
        unique=True,
        sqlite_where=sa.text("of_config"),
        postgresql_where=sa.text("of_config"),
    )


def _standings() -> None:
    op.create_table(
        "standings",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("fail_streak", sa.SmallInteger(), nullable=False),
        sa.Column("ok_streak", sa.SmallInteger(), nullable=False),
        sa.Column("first_fail_at", sa.BigInteger(), nullable=True),
        sa.Column("first_ok_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_standings_monitor_key")),
        sa.ForeignKeyConstraint(["region_key"], ["regions.key"], name=op.f("fk_standings_region_key")),
        sa.PrimaryKeyConstraint("monitor_key", "region_key", name=op.f("pk_standings")),
    )


def _state_intervals() -> None:
    op.create_table(
        "state_intervals",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("start_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_state_intervals_monitor_key")),
        sa.PrimaryKeyConstraint("monitor_key", "start_at", name=op.f("pk_state_intervals")),
    )


def _sync_log() -> None:
    op.create_table(
        "sync_log",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.id"], name=op.f("fk_sync_log_integration_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_log")),
    )
    op.create_index(op.f("ix_sync_log_at"), "sync_log", ["at"], unique=False)
    op.create_index(op.f("ix_sync_log_integration_id_at_id"), "sync_log", ["integration_id", "at", "id"], unique=False)


def _transitions() -> None:
    op.create_table(
        "transitions",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state_seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("previous_state", sa.Text(), nullable=False),
        sa.Column("health", sa.Text(), nullable=False),
        sa.Column("previous_health", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("first_observed_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("window_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_transitions_monitor_key")),
        sa.PrimaryKeyConstraint("monitor_key", "state_seq", name=op.f("pk_transitions")),
    )


def _unseen_spans() -> None:
    op.create_table(
        "unseen_spans",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("region_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("start_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_unseen_spans_monitor_key")),
        sa.ForeignKeyConstraint(["region_key"], ["regions.key"], name=op.f("fk_unseen_spans_region_key")),
        sa.PrimaryKeyConstraint("monitor_key", "region_key", "start_at", name=op.f("pk_unseen_spans")),
    )


def _webhook_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("redelivery", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("lease_epoch", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("body_bytes", sa.Integer(), nullable=True),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoints.id"], name=op.f("fk_webhook_deliveries_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index(op.f("ix_webhook_deliveries_created_at"), "webhook_deliveries", ["created_at"], unique=False)
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        op.f("ix_webhook_deliveries_endpoint_id_created_at_id"),
        "webhook_deliveries",
        ["endpoint_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_webhook_deliveries_endpoint_id_event_id"),
        "webhook_deliveries",
        ["endpoint_id", "event_id"],
        unique=False,
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_alerts_incident_id")),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.id"], name=op.f("fk_alerts_integration_id")),
        sa.PrimaryKeyConstraint("integration_id", "fingerprint", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_due_at"), "alerts", ["due_at"], unique=False)
    op.create_index(op.f("ix_alerts_seen_at"), "alerts", ["seen_at"], unique=False)


def _escalation_timers() -> None:
    op.create_table(
        "escalation_timers",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("repeat", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_escalation_timers_incident_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_escalation_timers_team_id")),
        sa.PrimaryKeyConstraint("incident_id", "kind", "repeat", "step", name=op.f("pk_escalation_timers")),
    )
    op.create_index(op.f("ix_escalation_timers_due_at"), "escalation_timers", ["due_at"], unique=False)


def _incident_syncs() -> None:
    op.create_table(
        "incident_syncs",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("integration_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("kept_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_incident_syncs_incident_id")),
        sa.ForeignKeyConstraint(["integration_id"], ["integrations.id"], name=op.f("fk_incident_syncs_integration_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_incident_syncs_team_id")),
        sa.PrimaryKeyConstraint("incident_id", "integration_id", name=op.f("pk_incident_syncs")),
    )
    op.create_index(
        op.f("ix_incident_syncs_integration_id_external_id"),
        "incident_syncs",
        ["integration_id", "external_id"],
        unique=False,
    )


def _maintenance_spans() -> None:
    op.create_table(
        "maintenance_spans",
        sa.Column("monitor_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("window_id", sa.Text(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("rests", sa.Boolean(), nullable=False),
        sa.Column("mutes", sa.Boolean(), nullable=False),
        sa.Column("excludes", sa.Boolean(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["monitor_key"], ["monitors.key"], name=op.f("fk_maintenance_spans_monitor_key")),
        sa.ForeignKeyConstraint(["window_id"], ["maintenance_windows.id"], name=op.f("fk_maintenance_spans_window_id")),
        sa.PrimaryKeyConstraint("monitor_key", "window_id", "start_at", name=op.f("pk_maintenance_spans")),
    )
    op.create_index(
        op.f("ix_maintenance_spans_window_id_is_open_monitor_key"),
        "maintenance_spans",
        ["window_id", "is_open", "monitor_key"],
        unique=False,
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("owed_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("lease_epoch", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("provider_status", sa.Integer(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_outbox_incident_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_outbox_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event_id", "destination", name=op.f("uq_outbox_event_id_destination")),
        sa.UniqueConstraint("incident_id", "destination", "seq", name=op.f("uq_outbox_incident_id_destination_seq")),
    )
    op.create_index("ix_outbox_destination", "outbox", ["destination", "created_at"], unique=False)
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_outbox_incident", "outbox", ["incident_id"], unique=False)
    op.create_index("ix_outbox_team", "outbox", ["team_id", "created_at"], unique=False)
    op.create_index(
        "ix_outbox_without_incident",
        "outbox",
        ["dedup_key"],
        unique=False,
        sqlite_where=sa.text("incident_id IS NULL"),
        postgresql_where=sa.text("incident_id IS NULL"),
    )


def _timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_timeline_incident_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_timeline")),
        sa.UniqueConstraint("id", name=op.f("uq_timeline_id")),
    )
    op.create_index(op.f("ix_timeline_incident_id_key"), "timeline", ["incident_id", "key"], unique=False)


def _delivery_attempts() -> None:
    op.create_table(
        "delivery_attempts",
        sa.Column("outbox_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("provider_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name=op.f("fk_delivery_attempts_outbox_id")),
        sa.PrimaryKeyConstraint("outbox_id", "attempt", name=op.f("pk_delivery_attempts")),
    )
