"""The shapes of answers to probes, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from statuspulse.api.answers.common import Answer, Envelope


class AssignedRetry(Answer):
    """Further attempts within a round."""

    count: int
    delay_ms: int


class AssignedMonitor(Answer):
    """One monitor as the probes of a region run it."""

    monitor_id: str
    team_id: str
    config_version: int
    type: str
    interval_seconds: int
    timeout_ms: int
    retry: AssignedRetry
    region_index: int
    region_count: int
    region_strategy: str
    spec: dict[str, Any]


class OfferedJob(Answer):
    """One look beside the schedule."""

    job_id: str
    kind: Literal["recheck", "run_now", "test"]
    monitor_id: str | None
    config_version: int
    type: str
    spec: dict[str, Any]
    timeout_ms: int
    not_before: datetime
    deadline_at: datetime


class AssignmentsAnswer(Envelope):
    """A snapshot, or with a base the difference to it."""

    object: Literal["assignments"]
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
    jobs: list[OfferedJob]
    members: list[str]
    epoch: int


class RejectedResult(Answer):
    """A result that is refused for good."""

    seq: int
    code: Literal["not_assigned", "unknown_monitor", "in_the_future", "invalid"]
    message: str


class ResultsReceipt(Envelope):
    """What became of a batch."""

    object: Literal["results_receipt"]
    accepted: int
    duplicates: int
    rejected: list[RejectedResult]
    committed_through: int


class HeartbeatReceived(Envelope):
    """The answer to a heartbeat."""

    object: Literal["heartbeat"]
    server_time: datetime
    assignments_version: int
    committed_through: int
    draining: bool


class ProbeKeyAnswer(Envelope):
    """A new key for the probe that calls; shown once."""

    object: Literal["probe_key"]
    id: str
    key: str
