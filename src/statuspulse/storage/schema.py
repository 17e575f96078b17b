"""The tables, one text for SQLite and PostgreSQL. Instants are milliseconds since the epoch, durations µs."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    event,
    func,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# On SQLite a single integer key is the row id only as INTEGER; on PostgreSQL it is a bigint with a sequence.
Key = BigInteger().with_variant(Integer(), "sqlite")


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


def _stamps() -> tuple[Column[int], Column[int]]:
    return Column("created_at", BigInteger, nullable=False), Column("updated_at", BigInteger, nullable=False)


# --- the instance ----------------------------------------------------------------------------------------

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

# --- who -------------------------------------------------------------------------------------------------

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
    *_stamps(),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    *_stamps(),
)

members = Table(
    "members",
    metadata,
    Column("team_id", Text, ForeignKey("teams.id"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("contacts", Text, nullable=False, server_default="[]"),  # JSON array of channel ids
    *_stamps(),
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
    *_stamps(),
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

# --- where from ------------------------------------------------------------------------------------------

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
    *_stamps(),
)

# --- what is watched -------------------------------------------------------------------------------------

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
    *_stamps(),
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
    *_stamps(),
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
    *_stamps(),
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
    *_stamps(),
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

# --- what was seen ---------------------------------------------------------------------------------------

results = Table(
    "results",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("scheduled_at", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("verdict", SmallInteger, nullable=False),
    Column("failure", SmallInteger),
    Column("round", BigInteger, nullable=False),
    Column("probe_key", Integer, nullable=False),
    # When the check ended, from its slot on: an instant of its own would take 5 bytes more.
    Column("observed_after_ms", BigInteger, nullable=False),
    Column("lag_us", Integer, nullable=False),
    Column("latency_us", BigInteger),  # runs of jobs take hours
    Column("measured", LargeBinary, nullable=False),  # attempt, phases, status and more: `storage/measured.py`
    Column("not_after", BigInteger),
    Column("config_version", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Text is kept only for failures; a result at rest is numbers.
failure_details = Table(
    "failure_details",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("scheduled_at", BigInteger, primary_key=True, autoincrement=False),
    Column("detail", Text, nullable=False),
    Column("evidence", Text),  # JSON of what the check saw, where it kept that
    sqlite_with_rowid=False,
)

gap_records = Table(
    "gap_records",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("from_at", BigInteger, primary_key=True, autoincrement=False),
    Column("to_at", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

rollups = Table(
    "rollups",
    metadata,
    Column("width_seconds", Integer, primary_key=True, autoincrement=False),
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("ok", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("void", Integer, nullable=False),
    Column("total_us", BigInteger, nullable=False),
    Column("min_us", BigInteger),
    Column("max_us", BigInteger),
    Column("sketch", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Up to where the rows of one width are complete. A sweep takes them on to `sweep_until`, monitor by monitor in the
# order of their keys: those below `next_key` are there already. The two instants are equal between sweeps.
rollup_marks = Table(
    "rollup_marks",
    metadata,
    Column("width_seconds", Integer, primary_key=True, autoincrement=False),
    Column("complete_until", BigInteger, nullable=False),
    Column("sweep_until", BigInteger, nullable=False),
    Column("next_key", Key, nullable=False),
)

# How often the past of a monitor was written: its intervals, holes and incidents, and its rollups below where they were
# complete. What was remembered of them before is stale.
rollup_rewrites = Table(
    "rollup_rewrites",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("times", BigInteger, nullable=False),
)

# Hours that got a result after they had been rolled up; they are rolled up again.
rollup_touched = Table(
    "rollup_touched",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# --- what was decided ------------------------------------------------------------------------------------

standings = Table(
    "standings",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("region_key", Key, ForeignKey("regions.key"), primary_key=True),
    Column("standing", Text, nullable=False),
    Column("fail_streak", SmallInteger, nullable=False),
    Column("ok_streak", SmallInteger, nullable=False),
    Column("first_fail_at", BigInteger),
    Column("first_ok_at", BigInteger),
)

monitor_states = Table(
    "monitor_states",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("health", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_since", BigInteger, nullable=False),
    Column("state_seq", Integer, nullable=False),
    # Votes count only when they are younger: pause, resume and unknown make every streak start anew.
    Column("votes_from", BigInteger, nullable=False),
    # How often it went into or out of `down` of late: the score at an instant, from where on it halves by itself.
    Column("flap_score", Double, nullable=False),
    Column("flap_score_at", BigInteger, nullable=False),
    Column("flapping_since", BigInteger),
    # The maintenance window that the state is due to, and whether it went down in one of which nobody was told.
    Column("window_id", Text),
    Column("untold", Boolean, nullable=False, server_default=text("false")),
)

transitions = Table(
    "transitions",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("state_seq", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("previous_state", Text, nullable=False),
    Column("health", Text, nullable=False),
    Column("previous_health", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("first_observed_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),  # JSON: the votes and failures that led to it
    Column("incident_id", Text),
    Column("window_id", Text),
)

# The truth for uptime: what was decided, back-dated to where it began, or paused. The open one has no end.
state_intervals = Table(
    "state_intervals",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("end_at", BigInteger),
    Column("state", Text, nullable=False),
)

# Stretches that a region did not see; where too few saw, time is unknown in the sums, whatever the state was.
unseen_spans = Table(
    "unseen_spans",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("region_key", Key, ForeignKey("regions.key"), primary_key=True),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("end_at", BigInteger, nullable=False),
)

# Regions whose newest result with a verdict came too late to vote: which slots did count, and voted. Without a row both
# are those of that result.
late_sights = Table(
    "late_sights",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("region_key", Key, ForeignKey("regions.key"), primary_key=True),
    Column("counted_at", BigInteger),
    Column("voted_at", BigInteger),
)

# What results that came late tell of time that nobody had seen; it holds nowhere else. Made anew from the raw results
# of its stretch whenever one more of them comes.
late_intervals = Table(
    "late_intervals",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("end_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
)

# Monitors with late results in [from_at, until_at) that history has not been read from yet, or has to be once more.
late_marks = Table(
    "late_marks",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True, autoincrement=False),
    Column("from_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False, index=True),
    Column("settled_at", BigInteger, nullable=False),
)

# --- what is planned -------------------------------------------------------------------------------------

# Maintenance windows. Each edge is a row with a due time; `place` is the monitor up to which it was carried out.
maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    # Of the monitor that it is a part of; null for one that stands for itself.
    Column("monitor_key", Key, ForeignKey("monitors.key")),
    Column("name", Text, nullable=False),
    Column("plan", Text, nullable=False),  # JSON {monitors, starts_at, timezone, …}
    # The occurrence that holds or comes next: where it begins by the plan, and from when to when it holds.
    Column("planned_at", BigInteger),
    Column("starts_at", BigInteger),
    Column("ends_at", BigInteger),
    Column("phase", Text, nullable=False),  # waiting | starting | active | ending | over
    Column("place", BigInteger, nullable=False),
    Column("due_at", BigInteger, index=True),
    Column("ended_at", BigInteger),
    Column("cancelled_at", BigInteger),
    *_stamps(),
    Index(None, "team_id", "created_at", "id"),
    Index(None, "team_id", "monitor_key", "ends_at"),
)

# What windows have really covered, monitor by monitor: the truth for what uptime and SLO leave out. Where `is_open`
# the end is planned and has not been carried out.
maintenance_spans = Table(
    "maintenance_spans",
    metadata,
    Column("monitor_key", Key, ForeignKey("monitors.key"), primary_key=True),
    Column("window_id", Text, ForeignKey("maintenance_windows.id"), primary_key=True),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("end_at", BigInteger, nullable=False),
    Column("rests", Boolean, nullable=False),
    Column("mutes", Boolean, nullable=False),
    Column("excludes", Boolean, nullable=False),
    Column("holds", Boolean, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Index(None, "window_id", "is_open", "monitor_key"),
)

# --- who has to act --------------------------------------------------------------------------------------

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
    *_stamps(),
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

# --- what happened ---------------------------------------------------------------------------------------

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

# --- what is owed ----------------------------------------------------------------------------------------

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
    *_stamps(),
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
    *_stamps(),
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
    *_stamps(),
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

# --- who else knows --------------------------------------------------------------------------------------

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
    *_stamps(),
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

# --- what was promised -----------------------------------------------------------------------------------

# An objective over one monitor, or over all that have its tags. What was told of it stands beside it, and when it has
# to be looked at next; `touched` counts what has happened to it, so that no look overwrites what it has not seen.
slos = Table(
    "slos",
    metadata,
    Column("id", Text, primary_key=True),
    Column("team_id", Text, ForeignKey("teams.id"), nullable=False),
    Column("monitor_key", Key, ForeignKey("monitors.key")),
    Column("of_config", Boolean, nullable=False),  # it follows the member `sla` of the monitor
    Column("name", Text, nullable=False),
    Column("promise", Text, nullable=False),  # JSON {kind, objective_pct, latency_threshold_ms, window, timezone, …}
    Column("breached_at", BigInteger),
    Column("told_for", BigInteger),
    Column("burning", Text),
    Column("due_at", BigInteger, index=True),
    Column("touched", BigInteger, nullable=False),
    *_stamps(),
    Index(None, "team_id", "created_at", "id"),
    Index(None, "monitor_key"),
)
Index(
    "uq_slos_of_config",
    slos.c.monitor_key,
    unique=True,
    sqlite_where=text("of_config"),
    postgresql_where=text("of_config"),
)

# --- what was answered under a key -----------------------------------------------------------------------

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


def _add_what_stands_beside(table: Table, connection: Connection, **_: object) -> None:
    for statement in BESIDE[table.name][connection.dialect.name]:
        connection.execute(text(statement))


event.listen(audit_entries, "after_create", _add_what_stands_beside)
