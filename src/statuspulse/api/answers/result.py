"""The shapes of answers with results, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from statuspulse.api.answers.common import Answer, ListEnvelope
from statuspulse.api.answers.status import Duration, StatusFailure


class ResultTimings(Answer):
    """How long the phases of the attempt took; null where one was not reached or does not exist."""

    dns: Duration | None
    connect: Duration | None
    tls: Duration | None
    ttfb: Duration | None
    transfer: Duration | None


class ResultTls(Answer):
    """The certificate that was seen: the earliest end in its chain."""

    not_after: datetime
    days_left: int
    version: str | None


class ResultItem(Answer):
    """What one check found. `ok` is null where it gave no verdict; `evidence` is kept of some failures."""

    object: Literal["result"]
    id: str
    monitor_id: str
    round: int
    kind: Literal["scheduled", "recheck", "first", "manual"]
    scheduled_at: datetime
    lag_ms: float
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
    config_version: int
    in_maintenance: bool
    evidence: Annotated[
        dict[str, Any] | None,
        Field(description="What was sent and answered, as far as the probe kept it, with secrets masked."),
    ]


class ResultList(ListEnvelope):
    """A page of results."""

    data: list[ResultItem]
