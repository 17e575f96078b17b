"""The shapes of answers to those who have something looked at now (`API.md` D.1, D.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers import Answer, Envelope

Milliseconds = Annotated[float, Field(ge=0)]


class CheckTimings(Answer):
    """Milliseconds per phase; null where a phase was not reached or does not exist."""

    dns: Milliseconds | None
    connect: Milliseconds | None
    tls: Milliseconds | None
    ttfb: Milliseconds | None
    transfer: Milliseconds | None


class CheckTls(Answer):
    """The certificate that was shown; `not_after` is the earliest end in its chain."""

    not_after: datetime
    days_left: int
    version: str | None


class CheckFailure(Answer):
    """Why a look was not ok; `missed` where nobody looked."""

    failure_class: Annotated[str, Field(alias="class")]
    detail: str


class CheckResult(Answer):
    """What one region saw; `ok` is null where there is no verdict. What was not stored has no id."""

    object: Literal["result"]
    id: str | None
    monitor_id: str | None
    round: int | None
    kind: Literal["manual"]
    scheduled_at: datetime
    lag_ms: Milliseconds
    region: str
    probe_id: str | None
    observed_at: datetime
    ok: bool | None
    attempt: int
    status_code: int | None
    latency_ms: Milliseconds | None
    timings_ms: CheckTimings
    bytes: int
    ip: str | None
    tls: CheckTls | None
    failure: CheckFailure | None
    config_version: int | None
    in_maintenance: bool


class CheckRun(Envelope):
    """One look from every region that was asked."""

    object: Literal["check_run"]
    id: str
    monitor_id: str | None
    started_at: datetime
    finished_at: datetime
    results: list[CheckResult]
