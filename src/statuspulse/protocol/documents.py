"""What probe and control plane say to each other, as JSON or msgpack with the same members."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

# How the detail of a job's void result begins whose monitor was being checked until the deadline.
CHECK_IN_PROGRESS = "check_in_progress"


class _Document(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request: unknown members are refused."""


class _Answer(msgspec.Struct, kw_only=True):
    """An answer: unknown members are ignored, so that an older probe works with a newer server."""


class RetryDocument(_Answer):
    count: int
    delay_ms: int


class AssignedMonitor(_Answer):
    """One monitor as the probes of a region run it; `spec` holds the members of the type with secrets in clear."""

    monitor_id: str
    team_id: str
    config_version: int
    type: str
    interval_seconds: int
    timeout_ms: int
    retry: RetryDocument
    region_index: int
    region_count: int
    region_strategy: str
    spec: dict[str, Any]


class Job(_Answer):
    """One look beside the schedule. It is run once, however often it is offered.

    A `run_now` and a `test` are what somebody waits for, and are never tried again. `spec` is what to do, as in an
    assignment: the probe need not hold the monitor, which may be paused. A `test` belongs to no monitor. A `recheck`
    is run as the probe's own assignment says, retries included, and has an empty `spec`; a slot that runs or begins
    meanwhile serves in its place. A job begins between `not_before` and `deadline_at` (≤ 30 s ahead) or not at all;
    times are of the server's clock.
    """

    job_id: str
    kind: Literal["recheck", "run_now", "test"]
    monitor_id: str | None
    config_version: int
    type: str
    spec: dict[str, Any]
    timeout_ms: int
    not_before: datetime
    deadline_at: datetime


class Assignments(_Answer):
    """A snapshot (`base` is None: what is not in it is dropped) or a delta on the version that the probe named.

    A delta on its own version holds nothing but jobs and members. `members` are the live probes of the region, which
    share its monitors, and `epoch` is the number of that set; without members the last set goes on.
    """

    version: int
    base: int | None
    region: str
    probe_id: str
    monitors: list[AssignedMonitor]
    removed: list[str]
    policy: list[str]
    heartbeat_seconds: int
    server_time: datetime
    committed_through: int
    jobs: list[Job] = msgspec.field(default_factory=list)
    members: list[str] = msgspec.field(default_factory=list)
    epoch: int = 0


class TimingsDocument(_Document, omit_defaults=True):
    """Milliseconds per phase; None where a phase was not reached or does not exist."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    ttfb: float | None = None
    transfer: float | None = None


class TlsDocument(_Document, omit_defaults=True):
    not_after: datetime
    days_left: int | None = None
    version: str | None = None


class FailureDocument(_Document, rename={"kind": "class"}):
    kind: str
    detail: str


class Item(_Document, omit_defaults=True, rename={"from_at": "from", "to_at": "to"}):
    """A result, or with `kind: "gap"` a run of missed slots; `seq` counts up by one per probe.

    The result of a job has its `job_id`. It is a `recheck`, which counts as a slot does, or `manual`; that of a test
    has no monitor.
    `evidence` comes with the first failure of a doubt; what is larger than 16 KiB as JSON is dropped.
    """

    seq: int
    kind: Literal["scheduled", "recheck", "first", "manual", "gap"]
    monitor_id: str = ""
    round: int = 0
    scheduled_at: datetime | None = None
    lag_ms: float = 0.0
    region: str | None = None
    probe_id: str | None = None
    observed_at: datetime | None = None
    ok: bool | None = None
    attempt: int = 1
    status_code: int | None = None
    latency_ms: float | None = None
    timings_ms: TimingsDocument | None = None
    bytes: int = 0
    ip: str | None = None
    tls: TlsDocument | None = None
    failure: FailureDocument | None = None
    config_version: int = 0
    in_maintenance: bool = False
    truncated: bool = False
    evidence: dict[str, Any] | None = None
    job_id: str | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    count: int | None = None
    reason: str | None = None


class Results(_Document):
    """A batch in the order of `seq`; `dropped_through` says what a full spool had to give up."""

    sent_at: datetime
    dropped_through: int | None = None
    results: list[Item] = msgspec.field(default_factory=list)


RejectionCode = Literal["not_assigned", "unknown_monitor", "in_the_future", "invalid"]


class Rejection(_Answer):
    """A result that is refused for good; the probe forgets it."""

    seq: int
    code: RejectionCode
    message: str


class Receipt(_Answer):
    """Only what `committed_through` covers may leave the spool."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]
    committed_through: int


class Load(_Document):
    """`overdue_ms` is for how long the wheel has not come to a slot that is due; more than a moment is a standstill."""

    due: int = 0
    in_flight: int = 0
    lag_p99_ms: float = 0.0
    loop_lag_p99_ms: float = 0.0
    cpu_pct: float = 0.0
    overdue_ms: float = 0.0


class SpoolState(_Document):
    depth: int = 0
    oldest_at: datetime | None = None
    dropped_total: int = 0


class Heartbeat(_Document):
    """`capacity` is how many checks may run at once."""

    clock: datetime
    boot_id: str
    version: str
    assignments_version: int | None = None
    assignments_digest: str | None = None
    blind: list[str] = msgspec.field(default_factory=list)
    capacity: int | None = None
    load: Load = msgspec.field(default_factory=Load)
    spool: SpoolState = msgspec.field(default_factory=SpoolState)


class HeartbeatAnswer(_Answer):
    server_time: datetime
    assignments_version: int
    committed_through: int
    draining: bool
