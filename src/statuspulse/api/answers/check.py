"""The shapes of answers to those who have something looked at now."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from statuspulse.api.answers.common import Answer, Envelope
from statuspulse.api.answers.result import ResultTimings, ResultTls
from statuspulse.api.answers.status import Duration, StatusFailure


class CheckResult(Answer):
    """What one region saw; `ok` is null where there is no verdict. What was not stored has no id."""

    object: Literal["result"]
    id: str | None
    monitor_id: str | None
    round: int | None
    kind: Literal["manual"]
    scheduled_at: datetime
    lag_ms: Duration
    region: str
    probe_id: str | None
    observed_at: datetime
    ok: bool | None
    attempt: int
    status_code: int | None
    latency_ms: Duration | None
    timings_ms: ResultTimings
    bytes: int
    ip: str | None
    tls: ResultTls | None
    failure: StatusFailure | None
    config_version: int | None
    in_maintenance: bool
    evidence: dict[str, Any] | None


class CheckRun(Envelope):
    """One look from every region that was asked."""

    object: Literal["check_run"]
    id: str
    monitor_id: str | None
    started_at: datetime
    finished_at: datetime
    results: list[CheckResult]
