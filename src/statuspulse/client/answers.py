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


class Bulk(Answer, frozen=True, kw_only=True):
    """The outcome for every id, in the order of the call."""

    object: str
    action: str
    done: int
    unchanged: int
    failed: int
    data: tuple[BulkEffect, ...]


class BulkEffect(Part, frozen=True, kw_only=True):
    """What came of it for one id. One of another team fails like one that does not exist."""

    monitor_id: str
    outcome: str
    error: BulkError | None


class BulkError(Part, frozen=True, kw_only=True):
    """Why it failed for this one."""

    code: str
    message: str


class BurnPair(Part, frozen=True, kw_only=True):
    """Both windows (s) have to burn faster than the rate."""

    burn_rate: float
    long: int
    short: int


class Channel(Answer, frozen=True, kw_only=True):
    """A notification channel."""

    object: str
    id: str
    team_id: str
    type: str
    url_masked: str
    name: str
    enabled: bool
    health: str
    last_error: str | None
    last_success_at: datetime | None
    used_by_monitors: int
    previous_secret_until: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class ChannelTest(Answer, frozen=True, kw_only=True):
    """What came of a try-out."""

    object: str
    channel_id: str
    notification_id: str
    ok: bool
    provider_status: int | None
    error_class: str | None
    cause: str | None
    cure: str | None
    latency_ms: int | None


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


class ConfigVersion(Answer, frozen=True, kw_only=True):
    """One version. What it holds is shown by a rollback with `dry_run=true`."""

    object: str
    config_version: int
    updated_at: datetime
    updated_by: Actor
    changed: tuple[str, ...]


class DeliveryAttempt(Part, frozen=True, kw_only=True):
    """One attempt to hand a notification over; `error` is one word."""

    attempt: int
    started_at: datetime
    latency_ms: int
    outcome: str
    provider_status: int | None
    error: str | None


class DeliveryRequest(Part, frozen=True, kw_only=True):
    """What is sent; `body` is there where one delivery is read. Signature and headers of the endpoint are masked."""

    url: str
    headers: dict[str, str]
    body_bytes: int | None
    body: str | None = None


class DeliveryResponse(Part, frozen=True, kw_only=True):
    """What the receiver answered last: some headers, and the first 4 KiB."""

    status: int
    headers: dict[str, str]
    body: str


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
    held: Held | None


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


class Event(Answer, frozen=True, kw_only=True):
    """One event."""

    object: str
    id: str
    type: str
    api_version: str
    timestamp: datetime
    team_id: str
    data: dict[str, Any]
    request: EventRequest | None


class EventRequest(Part, frozen=True, kw_only=True):
    """The call that an event comes from."""

    id: str
    idempotency_key: str | None


class ExplainedDependency(Part, frozen=True, kw_only=True):
    """A monitor that this one depends on: while it is down, nobody is told of this one."""

    monitor_id: str
    name: str
    health: str


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
    depends_on: tuple[ExplainedDependency, ...]
    active_incident: ActiveIncident | None
    next_decision: NextDecision
    missed: tuple[MissedChecks, ...]
    transitions: tuple[Transition, ...]
    config_version: int
    generated_at: datetime


class Header(Part, frozen=True, kw_only=True):
    """A part of an answer: Header."""

    name: str
    value: str
    secret: bool | None = None


class Held(Part, frozen=True, kw_only=True):
    """Why nobody is told of an incident for now: maintenance, quiet hours, or what its monitor depends on."""

    reason: str
    monitor_ids: tuple[str, ...]
    maintenance_window_id: str | None
    since: datetime
    until: datetime | None


class Hours(Part, frozen=True, kw_only=True):
    """Wall time of some days; hours that end before they begin go over midnight, equal ones are whole days."""

    timezone: str | None = None
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


class IncidentStats(Answer, frozen=True, kw_only=True):
    """The incidents that were triggered in a span; a group without a name is what belongs to no monitor."""

    object: str
    from_: datetime = msgspec.field(name="from")
    to: datetime
    group_by: str | None
    count: int
    open: int
    mtta_seconds: Spread
    mttr_seconds: Spread
    groups: tuple[Stats, ...]


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


class Integration(Answer, frozen=True, kw_only=True):
    """An integration."""

    object: str
    id: str
    team_id: str
    kind: str
    name: str
    enabled: bool
    health: str
    last_error: str | None
    last_success_at: datetime | None
    last_received_at: datetime | None
    secret_names: tuple[str, ...]
    previous_secret_until: datetime | None
    webhook_url: str
    region: str | None = None
    rest: RestAccess | None = None
    direction: str | None = None
    severity_map: dict[str, str] | None = None
    base_url: str | None = None
    email: str | None = None
    project_key: str | None = None
    issue_type: str | None = None
    create_on: tuple[str, ...] | None = None
    priority_map: dict[str, str] | None = None
    transitions: JiraTransitions | None = None
    version: int
    created_at: datetime
    updated_at: datetime


class IntegrationTest(Answer, frozen=True, kw_only=True):
    """What came of a try-out."""

    object: str
    integration_id: str
    ok: bool
    provider_status: int | None
    error_class: str | None
    latency_ms: int | None


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


class IssuedWebhook(Answer, frozen=True, kw_only=True):
    """A webhook endpoint with its new secret, which is shown once."""

    object: str
    id: str
    team_id: str
    url: str
    description: str | None
    events: tuple[str, ...]
    format: str
    payload: str
    filters: WebhookFilters
    header_names: tuple[str, ...]
    enabled: bool
    status: str
    failing_since: datetime | None
    disabled_reason: str | None
    last_success_at: datetime | None
    previous_secret_until: datetime | None
    stats_24h: WebhookStats
    version: int
    created_at: datetime
    updated_at: datetime
    secret: Secret


class JiraTransitions(Part, frozen=True, kw_only=True):
    """Where an issue goes, as the name of a status or as its category: new, indeterminate, done."""

    acknowledged: str | None = None
    resolved: str | None = None


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
    config_version: int
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


class MadeChannel(Answer, frozen=True, kw_only=True):
    """A notification channel; with the secret that signs where one has just been made, which is shown once."""

    object: str
    id: str
    team_id: str
    type: str
    url_masked: str
    name: str
    enabled: bool
    health: str
    last_error: str | None
    last_success_at: datetime | None
    used_by_monitors: int
    previous_secret_until: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    secret: Secret | None


class MadeIntegration(Answer, frozen=True, kw_only=True):
    """An integration with the secret that was just made for it where one was, which is shown once."""

    object: str
    id: str
    team_id: str
    kind: str
    name: str
    enabled: bool
    health: str
    last_error: str | None
    last_success_at: datetime | None
    last_received_at: datetime | None
    secret_names: tuple[str, ...]
    previous_secret_until: datetime | None
    webhook_url: str
    region: str | None = None
    rest: RestAccess | None = None
    direction: str | None = None
    severity_map: dict[str, str] | None = None
    base_url: str | None = None
    email: str | None = None
    project_key: str | None = None
    issue_type: str | None = None
    create_on: tuple[str, ...] | None = None
    priority_map: dict[str, str] | None = None
    transitions: JiraTransitions | None = None
    version: int
    created_at: datetime
    updated_at: datetime
    secret: Secret | None


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


class MissedChecks(Part, frozen=True, kw_only=True):
    """Checks in a row that left no result: planned from `from_at` to `to_at`, both included."""

    region: str
    from_at: datetime
    to_at: datetime
    count: int
    reason: str


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
    sla: Sla | None
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
    sla: Sla | None
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
    version: int
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


class Notification(Answer, frozen=True, kw_only=True):
    """What a channel is or was owed, with every attempt to hand it over."""

    object: str
    id: str
    team_id: str
    channel_id: str
    channel_type: str | None
    channel_masked: str | None
    incident_id: str | None
    action: str
    status: str
    attempts: int
    deliveries: tuple[DeliveryAttempt, ...]
    last_error: str | None
    provider_status: int | None
    next_attempt_at: datetime | None
    finished_at: datetime | None
    created_at: datetime


class Observation(Part, frozen=True, kw_only=True):
    """What one region had seen last when it was decided, and what it voted."""

    region: str
    standing: str
    observed_at: datetime
    ok: bool | None
    status_code: int | None
    latency_ms: float | None
    failure: StatusFailure | None


class Occurrence(Part, frozen=True, kw_only=True):
    """One instance of a window, from when to when it holds."""

    start_at: datetime
    end_at: datetime


class OnCall(Answer, frozen=True, kw_only=True):
    """Who is on call; null before the first shift. Without `user_id` nobody of the team has the address any more."""

    object: str
    schedule_id: str
    at: datetime
    member: str | None
    user_id: str | None
    next_handoff_at: datetime


class Override(Part, frozen=True, kw_only=True):
    """Somebody else is on call from then to then."""

    start_at: datetime
    end_at: datetime
    member: str


class PlannedOccurrence(Answer, frozen=True, kw_only=True):
    """One instance of a window, from when to when it holds."""

    start_at: datetime
    end_at: datetime


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
    version: int
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
    config_version: int
    created_at: datetime
    updated_at: datetime


class QuietHours(Part, frozen=True, kw_only=True):
    """Hours that leave some time of the week: what waits for them to end has to be told some day."""

    timezone: str | None = None
    days: tuple[str, ...] | None = None
    from_: str = msgspec.field(name="from")
    to: str


class RateLimit(Part, frozen=True, kw_only=True):
    """A limit that the token may meet, and what is left of it; limits that are switched off are absent."""

    policy: str
    quota: int
    window_seconds: int
    remaining: int


class Redelivery(Answer, frozen=True, kw_only=True):
    """An event that is going to be sent again."""

    object: str
    event_id: str
    deliveries: tuple[WebhookDelivery, ...]


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


class Rehearsal(Answer, frozen=True, kw_only=True):
    """Who would be told when, if an incident were triggered now and nobody took it."""

    object: str
    policy: str
    steps: tuple[RehearsedStep, ...]


class RehearsedStep(Part, frozen=True, kw_only=True):
    """A step as it would come, with the channels that would be told."""

    step: int
    repeat: int
    at: datetime
    channels: tuple[str, ...]


class Replay(Answer, frozen=True, kw_only=True):
    """Events that are going to be sent again."""

    object: str
    replay_id: str
    count: int


class RestAccess(Part, frozen=True, kw_only=True):
    """Whose name changes by the REST API bear; the token is never shown."""

    from_email: str


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
    quiet_hours: QuietHours | None = None
    mute: bool | None = None


class Schedule(Answer, frozen=True, kw_only=True):
    """An on-call schedule."""

    object: str
    id: str
    team_id: str
    name: str
    timezone: str | None
    rotation: str
    handoff: str
    starts_on: str
    members: tuple[str, ...]
    overrides: tuple[Override, ...]
    version: int
    created_at: datetime
    updated_at: datetime


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


class Sla(Part, frozen=True, kw_only=True):
    """What is promised of the monitor: its availability or, with a threshold, that it answers faster than that."""

    objective_pct: float
    window: str | None = None
    latency_threshold_ms: int | None = None


class Slo(Answer, frozen=True, kw_only=True):
    """A service level objective and how it stands."""

    object: str
    id: str
    team_id: str
    name: str
    monitor_id: str | None
    tags: tuple[str, ...]
    kind: str
    objective_pct: float
    latency_threshold_ms: int | None
    window: str
    timezone: str
    alerting: SloAlerting
    notify: tuple[str, ...]
    of_config: bool
    status: str
    burning: str | None
    breached_at: datetime | None
    budget: SloBudget
    version: int
    created_at: datetime
    updated_at: datetime


class SloAlerting(Part, frozen=True, kw_only=True):
    """The pairs that say `sla.at_risk`; null is off."""

    fast: BurnPair | None
    slow: BurnPair | None
    ticket: BurnPair | None


class SloBudget(Part, frozen=True, kw_only=True):
    """The budget of the period that holds now. `observed_pct` is null where nothing was measured."""

    period_start: datetime
    period_end: datetime
    observed_pct: float | None
    budget_seconds: float
    consumed_seconds: float
    remaining_pct: float | None
    excluded_maintenance_seconds: float
    unknown_seconds: float


class SloDay(Part, frozen=True, kw_only=True):
    """One day of the objective's time zone, cut to the period."""

    date: str
    observed_pct: float | None
    consumed_seconds: float
    measured_seconds: float
    excluded_maintenance_seconds: float
    paused_seconds: float
    unknown_seconds: float


class SloIncident(Part, frozen=True, kw_only=True):
    """An incident and what it spent of the budget in the period."""

    incident_id: str
    number: int
    title: str
    monitor_id: str | None
    triggered_at: datetime
    resolved_at: datetime | None
    consumed_seconds: float


class SloReport(Answer, frozen=True, kw_only=True):
    """The report of an objective."""

    object: str
    slo_id: str
    name: str
    monitor_id: str | None
    tags: tuple[str, ...]
    kind: str
    latency_threshold_ms: int | None
    window: str
    timezone: str
    period: str | None
    period_start: datetime
    period_end: datetime
    objective_pct: float
    observed_pct: float | None
    met: bool | None
    budget_seconds: float
    consumed_seconds: float
    remaining_pct: float | None
    measured_seconds: float
    excluded_maintenance_seconds: float
    paused_seconds: float
    unknown_seconds: float
    absent_seconds: float
    ahead_seconds: float
    worst_incidents: tuple[SloIncident, ...]
    daily: tuple[SloDay, ...]
    generated_at: datetime


class SoaSerial(Part, frozen=True, kw_only=True):
    """A zone's serial: equal on these name servers, which are asked directly, and at least this number."""

    equal_on: tuple[str, ...] | None = None
    at_least: int | None = None


class Spread(Part, frozen=True, kw_only=True):
    """Seconds; null where nothing can be counted."""

    median: float | None
    p95: float | None


class Stats(Part, frozen=True, kw_only=True):
    """The figures of one group; `group` is a monitor's id, a severity or a day of UTC."""

    group: str | None
    count: int
    open: int
    mtta_seconds: Spread
    mttr_seconds: Spread


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


class StreamTicket(Answer, frozen=True, kw_only=True):
    """What stands for a token in the query of one stream; it is shown once."""

    object: str
    ticket: Secret
    expires_in_seconds: int


class Sync(Part, frozen=True, kw_only=True):
    """How an incident stands with another system."""

    provider: str
    status: str
    external_id: str | None
    url: str | None
    last_error: SyncError | None
    updated_at: datetime


class SyncAgain(Answer, frozen=True, kw_only=True):
    """How much of an incident's sync is tried again."""

    object: str
    incident_id: str
    count: int


class SyncError(Part, frozen=True, kw_only=True):
    """Why another system does not have the incident as it is: a word, a sentence, and the status of its answer."""

    code: str
    message: str
    http_status: int | None


class SyncLogEntry(Answer, frozen=True, kw_only=True):
    """Something that we said to the other side or that it told us; `error` is one word where it is ours."""

    object: str
    id: str
    at: datetime
    direction: str
    what: str
    outcome: str
    incident_id: str | None
    external_id: str | None
    attempt: int | None
    http_status: int | None
    latency_ms: int | None
    error: str | None


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
    version: int
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


class Webhook(Answer, frozen=True, kw_only=True):
    """A webhook endpoint."""

    object: str
    id: str
    team_id: str
    url: str
    description: str | None
    events: tuple[str, ...]
    format: str
    payload: str
    filters: WebhookFilters
    header_names: tuple[str, ...]
    enabled: bool
    status: str
    failing_since: datetime | None
    disabled_reason: str | None
    last_success_at: datetime | None
    previous_secret_until: datetime | None
    stats_24h: WebhookStats
    version: int
    created_at: datetime
    updated_at: datetime


class WebhookDelivery(Answer, frozen=True, kw_only=True):
    """A delivery."""

    object: str
    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    attempt: int
    max_attempts: int
    status: str
    redelivery: bool
    request: DeliveryRequest
    response: DeliveryResponse | None
    error_class: str | None
    latency_ms: int | None
    started_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime


class WebhookFilters(Part, frozen=True, kw_only=True):
    """Where one of them names anything, an event has to be about it."""

    monitor_ids: tuple[str, ...]
    tags: tuple[str, ...]
    severities: tuple[str, ...]


class WebhookStats(Part, frozen=True, kw_only=True):
    """How the deliveries of the last 24 hours stand."""

    succeeded: int
    pending: int
    exhausted: int
    cancelled: int


class When(Part, frozen=True, kw_only=True):
    """What a rule matches: the outage, its end, or both, and states that are no outage."""

    states: tuple[str, ...] | None = None
    severities: tuple[str, ...] | None = None
    schedule: Hours | None = None


class Window(Answer, frozen=True, kw_only=True):
    """A maintenance window."""

    object: str
    id: str
    team_id: str
    name: str
    description: str | None
    monitors: WindowSelector
    monitor_id: str | None
    joined_monitor_ids: tuple[str, ...]
    starts_at: str
    timezone: str | None
    duration_seconds: int
    rrule: str | None
    exdates: tuple[str, ...]
    probing: str
    alerting: str
    sla: str
    open_incidents: str
    status_page_note: str | None
    status: str
    active_occurrence: Occurrence | None
    next_occurrence: Occurrence | None
    last_occurrence: Occurrence | None
    version: int
    created_at: datetime
    updated_at: datetime


class WindowSelector(Part, frozen=True, kw_only=True):
    """Which monitors a window is for; one of the three is there."""

    ids: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    all: bool | None = None
