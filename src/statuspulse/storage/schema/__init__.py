"""The tables, one text for SQLite and PostgreSQL. Instants are milliseconds since the epoch, durations µs."""

from __future__ import annotations

from statuspulse.storage.schema.access import (
    BESIDE,
    audit_entries,
    members,
    teams,
    token_secrets,
    token_teams,
    tokens,
    users,
)
from statuspulse.storage.schema.base import Key, metadata
from statuspulse.storage.schema.calls import idempotency_records, stream_tickets
from statuspulse.storage.schema.events import event_sequence, events, expiry_warnings
from statuspulse.storage.schema.incidents import escalation_timers, incidents, timeline
from statuspulse.storage.schema.instance import instance, instance_faults
from statuspulse.storage.schema.integrations import alerts, inbound_messages, incident_syncs, integrations, sync_log
from statuspulse.storage.schema.maintenance import maintenance_spans, maintenance_windows
from statuspulse.storage.schema.monitors import (
    catalog_revision,
    channels,
    config_versions,
    escalation_policies,
    heartbeats,
    listening,
    monitor_channels,
    monitor_dependencies,
    monitors,
    schedules,
)
from statuspulse.storage.schema.outbox import delivery_attempts, outbox, webhook_deliveries, webhook_endpoints
from statuspulse.storage.schema.probes import probes, regions
from statuspulse.storage.schema.results import (
    failure_details,
    gap_records,
    results,
    rollup_marks,
    rollup_rewrites,
    rollup_touched,
    rollups,
)
from statuspulse.storage.schema.slos import slos
from statuspulse.storage.schema.states import (
    late_intervals,
    late_marks,
    late_sights,
    monitor_states,
    standings,
    state_intervals,
    transitions,
    unseen_spans,
)

__all__ = [
    "BESIDE",
    "Key",
    "alerts",
    "audit_entries",
    "catalog_revision",
    "channels",
    "config_versions",
    "delivery_attempts",
    "escalation_policies",
    "escalation_timers",
    "event_sequence",
    "events",
    "expiry_warnings",
    "failure_details",
    "gap_records",
    "heartbeats",
    "idempotency_records",
    "inbound_messages",
    "incident_syncs",
    "incidents",
    "instance",
    "instance_faults",
    "integrations",
    "late_intervals",
    "late_marks",
    "late_sights",
    "listening",
    "maintenance_spans",
    "maintenance_windows",
    "members",
    "metadata",
    "monitor_channels",
    "monitor_dependencies",
    "monitor_states",
    "monitors",
    "outbox",
    "probes",
    "regions",
    "results",
    "rollup_marks",
    "rollup_rewrites",
    "rollup_touched",
    "rollups",
    "schedules",
    "slos",
    "standings",
    "state_intervals",
    "stream_tickets",
    "sync_log",
    "teams",
    "timeline",
    "token_secrets",
    "token_teams",
    "tokens",
    "transitions",
    "unseen_spans",
    "users",
    "webhook_deliveries",
    "webhook_endpoints",
]
