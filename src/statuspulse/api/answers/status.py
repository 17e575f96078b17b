"""The shapes of answers on the status of monitors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers.common import Answer, Envelope, Health, ListEnvelope, State

Percentage = Annotated[float, Field(ge=0, le=100)]
Duration = Annotated[float, Field(ge=0)]


class StatusMetrics(Answer):
    """Figures over a rolling window; null where nothing was measured."""

    window: Literal["1h", "24h", "7d", "30d", "90d"]
    window_start: datetime
    window_end: datetime
    uptime_pct: Percentage | None
    uptime_24h_pct: Percentage | None
    uptime_7d_pct: Percentage | None
    uptime_30d_pct: Percentage | None
    uptime_90d_pct: Percentage | None
    avg_latency_ms: Duration | None
    min_latency_ms: Duration | None
    p50_latency_ms: Duration | None
    p90_latency_ms: Duration | None
    p95_latency_ms: Duration | None
    p99_latency_ms: Duration | None
    max_latency_ms: Duration | None
    checks_total: int
    checks_failed: int
    downtime_seconds: Duration
    degraded_seconds: Duration
    maintenance_seconds: Duration
    paused_seconds: Duration
    unknown_seconds: Duration
    coverage_pct: Percentage | None
    incidents: int
    mttr_seconds: Duration | None


class StatusFailure(Answer):
    """Why the last check of a region was not ok."""

    failure_class: Annotated[str, Field(alias="class")]
    detail: str


class StatusRegion(Answer):
    """What one region sees."""

    region: str
    health: Health
    last_probe_at: datetime | None
    latency_ms: Duration | None
    p95_latency_ms: Duration | None
    failure: StatusFailure | None


class StatusHeartbeat(Answer):
    """A job that calls us: when it did, and should again; `due_at` is the deadline of an open run, else of the ping."""

    last_ping_at: datetime | None
    running_since: datetime | None
    expected_at: datetime | None
    due_at: datetime | None
    failure: StatusFailure | None


class ActiveIncident(Answer):
    """The head of the oldest incident of the monitor that is open."""

    id: str
    number: int
    title: str
    state: Literal["triggered", "acknowledged"]
    severity: Literal["critical", "error", "warning", "info"]
    triggered_at: datetime


class StatusMaintenance(Answer):
    """Whether planned work is going on, and when the next begins."""

    active: bool
    window_id: str | None
    until: datetime | None
    next_start_at: datetime | None


class StatusSla(Answer):
    """The objective of the monitor and what is left of its budget."""

    slo_id: str
    objective_pct: float
    window: str
    observed_pct: float | None
    budget_remaining_pct: float | None
    status: str


class StatusItem(Answer):
    """The status of a monitor inside another answer."""

    object: Literal["status"]
    monitor_id: str
    name: str
    type: Literal["http", "tcp", "dns", "tls", "icmp", "grpc", "heartbeat"]
    target: str
    state: State
    health: Health
    state_since: datetime
    state_seq: int
    stale: bool
    failing_regions: list[str]
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


class StatusAnswer(StatusItem, Envelope):
    """The status of a monitor; `regions` is there unless `include` leaves it out."""

    regions: Annotated[list[StatusRegion], Field(default_factory=list)]


class StatusList(ListEnvelope):
    """A page of statuses."""

    data: list[StatusItem]
