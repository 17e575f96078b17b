"""What the API answers, as types; written from its description by `python -m tests.client.write_answers`.

Members that one kind of an object lacks are None there. Texts of a closed set are plain ones: it may grow.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from statuspulse.client.answer import Answer, Part
from statuspulse.client.secret import Secret


class ActiveIncident(Part, frozen=True, kw_only=True):
    """The head of the oldest incident of the monitor that is open."""

    id: str
    number: int
    title: str
    state: str
    severity: str
    triggered_at: datetime


class Actor(Part, frozen=True, kw_only=True):
    """Who did something."""

    type: str
    id: str | None
    label: str


class Assertion(Part, frozen=True, kw_only=True):
    """One rule; `property` is the name of a header or a path into JSON."""

    source: str
    property: str | None = None
    operator: str
    value: str | float | bool | None = None


class AuditEntry(Answer, frozen=True, kw_only=True):
    """One change: who, what, when, from where."""

    object: str
    id: str
    team_id: str
    at: datetime
    actor: Actor
    action: str
    resource: str
    diff: tuple[Difference, ...]
    ip: str | None


class CheckResult(Part, frozen=True, kw_only=True):
    """What one region saw; `ok` is null where there is no verdict. What was not stored has no id."""

    object: str
    id: str | None
    monitor_id: str | None
    round: int | None
    kind: str
    scheduled_at: datetime
    lag_ms: float
    region: str
    probe_id: str | None
    observed_at: datetime
    ok: bool | None
    attempt: int
    status_code: int | None
    latency_ms: float | None
    timings_ms: ResultTimings
    bytes: int
    ip: str | None
    tls: ResultTls | None
    failure: StatusFailure | None
    config_version: int | None
    in_maintenance: bool
    evidence: dict[str, Any] | None


class CheckRun(Answer, frozen=True, kw_only=True):
    """One look from every region that was asked."""

    object: str
    id: str
    monitor_id: str | None
    started_at: datetime
    finished_at: datetime
    results: tuple[CheckResult, ...]


class Difference(Part, frozen=True, kw_only=True):
    """What became of one member; secrets are masked."""

    path: str
    before: Any
    after: Any


class Escalation(Part, frozen=True, kw_only=True):
    """How far the escalation of an incident has come."""

    policy: str | None
    step: int
    repeat: int
    next_step_at: datetime | None
    exhausted: bool


class EscalationRepeat(Part, frozen=True, kw_only=True):
    """How often the ladder is climbed again."""

    count: int
    delay_seconds: int


class EscalationStep(Part, frozen=True, kw_only=True):
    """One rung of the ladder."""

    delay_seconds: int
    targets: tuple[EscalationTarget, ...]
    only_between: dict[str, Any] | None


class EscalationTarget(Part, frozen=True, kw_only=True):
    """One receiver of a step."""

    type: str
    id: str | None


class ExplainedQuorum(Part, frozen=True, kw_only=True):
    """The votes of now. An even split meets neither bound of `majority`: what was, stays."""

    rule: str | int
    configured: int
    eligible: int
    decides: bool
    failing: int
    passing: int
    need: int
    need_to_recover: int


class ExplainedRegion(Part, frozen=True, kw_only=True):
    """What one region thinks of the monitor, and whether it may vote."""

    region: str
    standing: str
    eligible: bool
    why: str
    votes_until: datetime | None
    streak: Streak
    last_result: LastResult | None


class ExplainedRules(Part, frozen=True, kw_only=True):
    """The rules in force."""

    interval_seconds: int
    timeout_ms: int
    failure_threshold: int
    recovery_threshold: int
    vote_lifetime_seconds: float
    unknown_after_seconds: float


class Explanation(Answer, frozen=True, kw_only=True):
    """Why the state is what it is at this moment, in words and in data."""

    object: str
    monitor_id: str
    state: str
    health: str
    since: datetime
    state_seq: int
    stale: bool
    sentences: tuple[str, ...]
    rules: ExplainedRules | None
    regions: tuple[ExplainedRegion, ...]
    quorum: ExplainedQuorum | None
    heartbeat: StatusHeartbeat | None
    maintenance: StatusMaintenance
    active_incident: ActiveIncident | None
    next_decision: NextDecision
    transitions: tuple[Transition, ...]
    config_version: int
    generated_at: datetime


class Header(Part, frozen=True, kw_only=True):
    """A part of an answer: Header."""

    name: str
    value: str
    secret: bool | None = None


class Hours(Part, frozen=True, kw_only=True):
    """Wall time of some days; hours that end before they begin go over midnight, equal ones are whole days."""

    timezone: str
    days: tuple[str, ...] | None = None
    from_: str = msgspec.field(name="from")
    to: str


class Incident(Answer, frozen=True, kw_only=True):
    """An incident; `previous_state`, `deduplicated` and `notes` tell what the call did."""

    object: str
    id: str
    incident_id: str
    number: int
    version: int
    title: str
    state: str
    previous_state: str | None
    severity: str
    source: str
    monitor_id: str | None
    team_id: str
    dedup_key: str | None
    occurrences: int
    deduplicated: bool
    assignee: str | None
    notes: str | None
    escalation: Escalation
    triggered_at: datetime
    triggered_by: Actor
    acknowledged_at: datetime | None
    acknowledged_by: Actor | None
    ack_expires_at: datetime | None
    resolved_at: datetime | None
    resolved_by: Actor | None
    resolve_reason: str | None
    external_ids: dict[str, str]
    sync: tuple[Sync, ...]
    created_at: datetime
    updated_at: datetime
    links: IncidentLinks


class IncidentLinks(Part, frozen=True, kw_only=True):
    """Paths to what belongs to an incident."""

    self: str
    timeline: str


class InlineWindow(Part, frozen=True, kw_only=True):
    """A window that is a part of one monitor; with its `id` one that is there is kept or changed."""

    name: str
    description: str | None = None
    starts_at: str
    timezone: str | None = None
    duration_seconds: int
    rrule: str | None = None
    exdates: tuple[str, ...] | None = None
    probing: str | None = None
    alerting: str | None = None
    sla: str | None = None
    open_incidents: str | None = None
    status_page_note: str | None = None
    id: str | None = None


class IssuedToken(Answer, frozen=True, kw_only=True):
    """A token with its text, which is shown this once."""

    object: str
    id: str
    team_id: str
    team_ids: tuple[str, ...]
    name: str
    prefix: str
    last4: str
    scopes: tuple[str, ...]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime
    token: Secret


class KeyedProbe(Answer, frozen=True, kw_only=True):
    """A probe with its new key, which is shown once."""

    object: str
    id: str
    team_id: None
    name: str
    region: str
    status: str
    blind: tuple[str, ...]
    version: str | None
    last_seen_at: datetime | None
    clock_skew_ms: int | None
    capacity: int | None
    assigned: int
    ip: str | None
    created_at: datetime
    updated_at: datetime
    key: Secret


class LastResult(Part, frozen=True, kw_only=True):
    """The newest result of a region."""

    scheduled_at: datetime
    observed_at: datetime
    ok: bool | None
    latency_ms: float | None
    failure: StatusFailure | None


class LatencyBucket(Part, frozen=True, kw_only=True):
    """The successful scheduled checks of one bucket, cut to the window; null where there are none."""

    start_at: datetime
    end_at: datetime
    region: str | None
    count: int | None
    avg_latency_ms: float | None
    min_latency_ms: float | None
    max_latency_ms: float | None
    percentiles_ms: dict[str, float | None]


class LatencySeries(Answer, frozen=True, kw_only=True):
    """Percentiles over time, each from one merged histogram and never an average of other percentiles."""

    object: str
    monitor_id: str
    bucket: str
    timezone: str
    group_by: str
    percentiles: tuple[float, ...]
    data: tuple[LatencyBucket, ...]


class Links(Part, frozen=True, kw_only=True):
    """Paths to what belongs to a monitor."""

    self: str
    status: str
    config: str
    results: str


class LongestOutage(Part, frozen=True, kw_only=True):
    """The longest incident that was opened within the window."""

    opened_at: datetime | None
    resolved_at: datetime | None
    duration_seconds: float
    pages: int
    noticed_later_seconds: float | None


class Member(Answer, frozen=True, kw_only=True):
    """A member of a team."""

    object: str
    id: str
    user_id: str
    team_id: str
    email: str
    role: str
    contacts: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


class Monitor(Answer, frozen=True, kw_only=True):
    """The state and the configuration of a monitor of any type."""

    id: str
    monitor_id: str
    team_id: str
    name: str
    target: str
    url: str | None = None
    method: str | None = None
    headers: tuple[Header, ...] | None = None
    body: str | None = None
    auth: Any = None
    expected_status: int | tuple[int | str, ...] | None = None
    follow_redirects: bool | None = None
    max_redirects: int | None = None
    http_version: str | None = None
    ip_version: str | None = None
    tls: Any = None
    max_body_bytes: int | None = None
    assertions: tuple[Assertion, ...] | None = None
    interval_seconds: int | None = None
    timeout_ms: int | None = None
    regions: tuple[str, ...]
    region_strategy: str | None = None
    quorum: str | int | None = None
    failure_threshold: int
    recovery_threshold: int
    retry: Retry | None = None
    degraded_latency_ms: int | None = None
    severity: str
    escalation_policy: str | None
    notifications: tuple[str, ...]
    notification_rules: tuple[Rule, ...]
    maintenance_windows: tuple[InlineWindow | str, ...]
    sla: dict[str, Any] | None
    depends_on: tuple[str, ...]
    tags: tuple[str, ...]
    description: str | None
    runbook_url: str | None
    metadata: dict[str, str]
    paused: bool
    state: str
    health: str
    state_since: datetime
    last_probe_at: datetime | None
    next_probe_at: datetime | None
    config_version: int
    open_incident_id: str | None
    created_at: datetime
    updated_at: datetime
    links: Links
    object: str
    type: str
    host: str | None = None
    port: int | None = None
    send: str | None = None
    expect: str | None = None
    starttls: str | None = None
    steps: tuple[Any, ...] | None = None
    record_type: str | None = None
    resolver: str | None = None
    protocol: str | None = None
    expected_rcode: str | None = None
    expected_values: tuple[str, ...] | None = None
    match: str | None = None
    ttl_min_seconds: int | None = None
    ttl_max_seconds: int | None = None
    require_aa: bool | None = None
    require_ad: bool | None = None
    soa_serial: SoaSerial | None = None
    server_name: str | None = None
    verify: bool | None = None
    min_days_left: int | None = None
    min_version: str | None = None
    packets: int | None = None
    max_loss_pct: int | None = None
    service: str | None = None
    period_seconds: int | None = None
    cron: str | None = None
    timezone: str | None = None
    grace_seconds: int | None = None
    ping_url: str | None = None
    changed: tuple[str, ...] | None = None


class MonitorConfig(Answer, frozen=True, kw_only=True):
    """The configuration of a monitor of any type."""

    id: str
    monitor_id: str
    team_id: str
    name: str
    target: str
    url: str | None = None
    method: str | None = None
    headers: tuple[Header, ...] | None = None
    body: str | None = None
    auth: Any = None
    expected_status: int | tuple[int | str, ...] | None = None
    follow_redirects: bool | None = None
    max_redirects: int | None = None
    http_version: str | None = None
    ip_version: str | None = None
    tls: Any = None
    max_body_bytes: int | None = None
    assertions: tuple[Assertion, ...] | None = None
    interval_seconds: int | None = None
    timeout_ms: int | None = None
    regions: tuple[str, ...]
    region_strategy: str | None = None
    quorum: str | int | None = None
    failure_threshold: int
    recovery_threshold: int
    retry: Retry | None = None
    degraded_latency_ms: int | None = None
    severity: str
    escalation_policy: str | None
    notifications: tuple[str, ...]
    notification_rules: tuple[Rule, ...]
    maintenance_windows: tuple[InlineWindow | str, ...]
    sla: dict[str, Any] | None
    depends_on: tuple[str, ...]
    tags: tuple[str, ...]
    description: str | None
    runbook_url: str | None
    metadata: dict[str, str]
    paused: bool
    config_version: int
    applied_at: datetime
    updated_by: Actor
    object: str
    type: str
    host: str | None = None
    port: int | None = None
    send: str | None = None
    expect: str | None = None
    starttls: str | None = None
    steps: tuple[Any, ...] | None = None
    record_type: str | None = None
    resolver: str | None = None
    protocol: str | None = None
    expected_rcode: str | None = None
    expected_values: tuple[str, ...] | None = None
    match: str | None = None
    ttl_min_seconds: int | None = None
    ttl_max_seconds: int | None = None
    require_aa: bool | None = None
    require_ad: bool | None = None
    soa_serial: SoaSerial | None = None
    server_name: str | None = None
    verify: bool | None = None
    min_days_left: int | None = None
    min_version: str | None = None
    packets: int | None = None
    max_loss_pct: int | None = None
    service: str | None = None
    period_seconds: int | None = None
    cron: str | None = None
    timezone: str | None = None
    grace_seconds: int | None = None
    ping_url: str | None = None
    changed: tuple[str, ...] | None = None


class NeededResults(Part, frozen=True, kw_only=True):
    """So many results in a row from one region, all good or all failed."""

    region: str
    ok: bool
    results: int


class NewTeam(Answer, frozen=True, kw_only=True):
    """A new team with its first token, shown this once; null where the calling token may make none."""

    object: str
    id: str
    team_id: str
    name: str
    slug: str
    default_policy: str | None
    default_regions: tuple[str, ...]
    timezone: str
    settings: TeamSettings
    created_at: datetime
    updated_at: datetime
    token: Secret | None


class NextDecision(Part, frozen=True, kw_only=True):
    """What would change the state."""

    unknown_at: datetime | None
    changes: tuple[PossibleChange, ...]


class Note(Answer, frozen=True, kw_only=True):
    """A note in the timeline of an incident."""

    object: str
    id: str
    incident_id: str
    team_id: str
    text: str
    actor: Actor
    created_at: datetime
    updated_at: datetime


class Observation(Part, frozen=True, kw_only=True):
    """What one region had seen last when it was decided, and what it voted."""

    region: str
    standing: str
    observed_at: datetime
    ok: bool | None
    status_code: int | None
    latency_ms: float | None
    failure: StatusFailure | None


class Policy(Answer, frozen=True, kw_only=True):
    """An escalation policy."""

    object: str
    id: str
    team_id: str
    slug: str
    name: str
    description: str | None
    is_default: bool
    auto_created: bool
    steps: tuple[EscalationStep, ...]
    repeat: EscalationRepeat
    ack_timeout_seconds: int | None
    auto_resolve_seconds: int | None
    severities: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


class PossibleChange(Part, frozen=True, kw_only=True):
    """A state that some further results lead to, as long as the other regions vote as they do now."""

    state: str
    needed: tuple[NeededResults, ...]
    scheduled_at: datetime
    sentence: str


class Principal(Answer, frozen=True, kw_only=True):
    """Whom the token of the call stands for, and what it may do in this team."""

    object: str
    token_id: str
    name: str
    team_id: str
    team_slug: str
    team_ids: tuple[str, ...]
    scopes: tuple[str, ...]
    expires_at: datetime | None
    ip: str | None
    rate_limits: tuple[RateLimit, ...]


class Probe(Answer, frozen=True, kw_only=True):
    """A probe."""

    object: str
    id: str
    team_id: None
    name: str
    region: str
    status: str
    blind: tuple[str, ...]
    version: str | None
    last_seen_at: datetime | None
    clock_skew_ms: int | None
    capacity: int | None
    assigned: int
    ip: str | None
    created_at: datetime
    updated_at: datetime


class RateLimit(Part, frozen=True, kw_only=True):
    """A limit that the token may meet, and what is left of it; limits that are switched off are absent."""

    policy: str
    quota: int
    window_seconds: int
    remaining: int


class Region(Answer, frozen=True, kw_only=True):
    """A named place that monitors are checked from; it belongs to the instance and to no team."""

    object: str
    slug: str
    name: str
    probes_online: int
    probes_total: int
    default: bool
    team_id: None
    created_at: datetime


class Result(Answer, frozen=True, kw_only=True):
    """What one check found. `ok` is null where it gave no verdict; `evidence` is kept of some failures."""

    object: str
    id: str
    monitor_id: str
    round: int
    kind: str
    scheduled_at: datetime
    lag_ms: float
    region: str
    probe_id: str | None
    observed_at: datetime
    ok: bool | None
    attempt: int
    status_code: int | None
    latency_ms: float | None
    timings_ms: ResultTimings
    bytes: int
    ip: str | None
    tls: ResultTls | None
    failure: StatusFailure | None
    config_version: int
    in_maintenance: bool
    evidence: dict[str, Any] | None


class ResultTimings(Part, frozen=True, kw_only=True):
    """How long the phases of the attempt took; null where one was not reached or does not exist."""

    dns: float | None
    connect: float | None
    tls: float | None
    ttfb: float | None
    transfer: float | None


class ResultTls(Part, frozen=True, kw_only=True):
    """The certificate that was seen: the earliest end in its chain."""

    not_after: datetime
    days_left: int
    version: str | None


class Retry(Part, frozen=True, kw_only=True):
    """Further attempts within a round; `delay_ms` is at least 100 unless `count` is 0."""

    count: int | None = None
    delay_ms: int | None = None


class Rule(Part, frozen=True, kw_only=True):
    """Who hears of what, from the top: every rule that matches tells its channels, one that mutes ends the list."""

    name: str
    when: When | None = None
    notify: tuple[str, ...] | None = None
    after_seconds: int | None = None
    repeat_seconds: int | None = None
    send_resolved: bool | None = None
    mute: bool | None = None


class SimulatedIncident(Part, frozen=True, kw_only=True):
    """An incident that the monitor opened, or would have."""

    opened_at: datetime | None
    resolved_at: datetime | None
    duration_seconds: float
    pages: int


class SimulatedTransition(Part, frozen=True, kw_only=True):
    """A change of state; history has it at `first_observed_at`."""

    state: str
    previous_state: str
    changed_at: datetime
    first_observed_at: datetime
    reason: str


class Simulation(Answer, frozen=True, kw_only=True):
    """A monitor's results under other rules, beside what did happen. Nothing was stored and nobody told."""

    object: str
    monitor_id: str
    window: SimulationWindow
    results: int
    config: SimulationConfig
    changed: tuple[str, ...]
    longest_outage: LongestOutage | None
    actual: SimulationAccount
    simulated: SimulationAccount


class SimulationAccount(Part, frozen=True, kw_only=True):
    """What happened, or would have. Lists have the first 500, counts are of all."""

    transitions: tuple[SimulatedTransition, ...]
    transition_count: int
    incidents: tuple[SimulatedIncident, ...]
    incident_count: int
    pages: int
    notifications: int
    uptime_pct: float | None
    coverage_pct: float | None
    up_seconds: float
    degraded_seconds: float
    downtime_seconds: float
    unknown_seconds: float


class SimulationConfig(Part, frozen=True, kw_only=True):
    """The rules that were applied."""

    interval_seconds: int
    regions: tuple[str, ...]
    region_strategy: str
    quorum: str | int
    failure_threshold: int
    recovery_threshold: int
    degraded_latency_ms: int | None


class SimulationWindow(Part, frozen=True, kw_only=True):
    """What was replayed, and why it begins later than was asked for."""

    start_at: datetime
    end_at: datetime
    cut: str | None


class SoaSerial(Part, frozen=True, kw_only=True):
    """A zone's serial: equal on these name servers, which are asked directly, and at least this number."""

    equal_on: tuple[str, ...] | None = None
    at_least: int | None = None


class Status(Answer, frozen=True, kw_only=True):
    """The status of a monitor; `regions` is there unless `include` leaves it out."""

    object: str
    monitor_id: str
    name: str
    type: str
    target: str
    state: str
    health: str
    state_since: datetime
    state_seq: int
    stale: bool
    failing_regions: tuple[str, ...]
    flapping: bool
    last_probe_at: datetime | None
    next_probe_at: datetime | None
    interval_seconds: int | None
    heartbeat: StatusHeartbeat | None
    metrics: StatusMetrics
    active_incident: ActiveIncident | None
    maintenance: StatusMaintenance
    sla: StatusSla | None
    config_version: int
    generated_at: datetime
    regions: tuple[StatusRegion, ...] | None = None


class StatusFailure(Part, frozen=True, kw_only=True):
    """Why the last check of a region was not ok."""

    class_: str = msgspec.field(name="class")
    detail: str


class StatusHeartbeat(Part, frozen=True, kw_only=True):
    """A job that calls us: when it did, and should again; `due_at` is the deadline of an open run, else of the ping."""

    last_ping_at: datetime | None
    running_since: datetime | None
    expected_at: datetime | None
    due_at: datetime | None
    failure: StatusFailure | None


class StatusMaintenance(Part, frozen=True, kw_only=True):
    """Whether planned work is going on, and when the next begins."""

    active: bool
    window_id: str | None
    until: datetime | None
    next_start_at: datetime | None


class StatusMetrics(Part, frozen=True, kw_only=True):
    """Figures over a rolling window; null where nothing was measured."""

    window: str
    window_start: datetime
    window_end: datetime
    uptime_pct: float | None
    uptime_24h_pct: float | None
    uptime_7d_pct: float | None
    uptime_30d_pct: float | None
    uptime_90d_pct: float | None
    avg_latency_ms: float | None
    min_latency_ms: float | None
    p50_latency_ms: float | None
    p90_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    max_latency_ms: float | None
    checks_total: int
    checks_failed: int
    downtime_seconds: float
    degraded_seconds: float
    maintenance_seconds: float
    paused_seconds: float
    unknown_seconds: float
    coverage_pct: float | None
    incidents: int
    mttr_seconds: float | None


class StatusRegion(Part, frozen=True, kw_only=True):
    """What one region sees."""

    region: str
    health: str
    last_probe_at: datetime | None
    latency_ms: float | None
    p95_latency_ms: float | None
    failure: StatusFailure | None


class StatusSla(Part, frozen=True, kw_only=True):
    """The objective of the monitor and what is left of its budget."""

    slo_id: str
    objective_pct: float
    window: str
    observed_pct: float | None
    budget_remaining_pct: float | None
    status: str


class Streak(Part, frozen=True, kw_only=True):
    """Results in a row. `since` is the slot that began the standing, or the streak that may end it."""

    failures: int
    successes: int
    since: datetime | None


class Sync(Part, frozen=True, kw_only=True):
    """How an incident stands with another system."""

    provider: str
    status: str
    external_id: str
    url: str | None
    last_error: dict[str, Any] | None
    updated_at: datetime


class Team(Answer, frozen=True, kw_only=True):
    """A team."""

    object: str
    id: str
    team_id: str
    name: str
    slug: str
    default_policy: str | None
    default_regions: tuple[str, ...]
    timezone: str
    settings: TeamSettings
    created_at: datetime
    updated_at: datetime


class TeamSettings(Part, frozen=True, kw_only=True):
    """What a team settles for all of its calls."""

    require_preconditions: bool
    lenient_references: bool
    status_default_window: str
    reopen_window_seconds: int
    fallback_channel: str | None


class TimelineEntry(Answer, frozen=True, kw_only=True):
    """Something that happened to an incident."""

    object: str
    id: str
    at: datetime
    type: str
    actor: Actor
    detail: dict[str, Any]


class Token(Answer, frozen=True, kw_only=True):
    """A token."""

    object: str
    id: str
    team_id: str
    team_ids: tuple[str, ...]
    name: str
    prefix: str
    last4: str
    scopes: tuple[str, ...]
    ip_allowlist: tuple[str, ...]
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Transition(Answer, frozen=True, kw_only=True):
    """A change of state. History, and so uptime, has it at `first_observed_at`, where what was seen began."""

    object: str
    state_seq: int
    state: str
    previous_state: str
    health: str
    previous_health: str
    changed_at: datetime
    first_observed_at: datetime
    duration_seconds: float | None
    reason: str
    incident_id: str | None
    maintenance_window_id: str | None
    evidence: tuple[Observation, ...]


class UptimeBucket(Part, frozen=True, kw_only=True):
    """One bucket, cut to the window."""

    start_at: datetime
    end_at: datetime
    uptime_pct: float | None
    up_seconds: float
    degraded_seconds: float
    downtime_seconds: float
    maintenance_seconds: float
    paused_seconds: float
    unknown_seconds: float
    checks_total: int | None
    checks_failed: int | None
    incidents: int
    avg_latency_ms: float | None
    p50_latency_ms: float | None
    p90_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    state: str | None


class UptimeSeries(Answer, frozen=True, kw_only=True):
    """The uptime of one monitor."""

    object: str
    monitor_id: str
    name: str
    bucket: str
    timezone: str
    totals: UptimeTotals
    data: tuple[UptimeBucket, ...]


class UptimeTotals(Part, frozen=True, kw_only=True):
    """The whole window."""

    start_at: datetime
    end_at: datetime
    uptime_pct: float | None
    up_seconds: float
    degraded_seconds: float
    downtime_seconds: float
    maintenance_seconds: float
    paused_seconds: float
    unknown_seconds: float
    checks_total: int | None
    checks_failed: int | None
    incidents: int
    avg_latency_ms: float | None
    p50_latency_ms: float | None
    p90_latency_ms: float | None
    p95_latency_ms: float | None
    p99_latency_ms: float | None
    coverage_pct: float | None
    outages: int
    mttr_seconds: float | None
    mtbf_seconds: float | None


class When(Part, frozen=True, kw_only=True):
    """What a rule matches: the outage, its end, or both; no severities are all of them, no schedule is always."""

    states: tuple[str, ...] | None = None
    severities: tuple[str, ...] | None = None
    schedule: Hours | None = None
