"""The shapes of answers on uptime, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers.common import Answer, Envelope
from statuspulse.api.answers.status import Duration, Percentage
from statuspulse.api.periods import BucketName

WorstState = Annotated[
    Literal["down", "degraded", "unknown", "maintenance", "paused", "up"] | None,
    Field(description="The worst that it was, in this order; null before its creation."),
]


class UptimeFigures(Answer):
    """The six kinds of seconds are the time since creation, exactly. Null where nothing was measured or is kept."""

    start_at: datetime
    end_at: datetime
    uptime_pct: Percentage | None
    up_seconds: Duration
    degraded_seconds: Duration
    downtime_seconds: Duration
    maintenance_seconds: Duration
    paused_seconds: Duration
    unknown_seconds: Duration
    checks_total: int | None
    checks_failed: int | None
    incidents: Annotated[int, Field(description="Incidents that were triggered in it.")]
    avg_latency_ms: Duration | None
    p50_latency_ms: Duration | None
    p90_latency_ms: Duration | None
    p95_latency_ms: Duration | None
    p99_latency_ms: Duration | None


class UptimeBucket(UptimeFigures):
    """One bucket, cut to the window."""

    state: WorstState


class UptimeTotals(UptimeFigures):
    """The whole window."""

    coverage_pct: Annotated[
        Percentage | None,
        Field(description="Share of the window, maintenance and pause excluded, that was measured."),
    ]
    outages: Annotated[int, Field(description="How often it went down; an outage that a window interrupts is one.")]
    mttr_seconds: Annotated[Duration | None, Field(description="Mean time from trigger to resolution of incidents.")]
    mtbf_seconds: Annotated[Duration | None, Field(description="Time that it was up or degraded for each outage.")]


class UptimeSeriesItem(Answer):
    """The uptime of one monitor inside another answer; a gap is a bucket with nulls, never a missing one."""

    object: Literal["uptime_series"]
    monitor_id: str
    name: str
    bucket: BucketName
    timezone: str
    totals: UptimeTotals
    data: list[UptimeBucket]


class UptimeSeriesAnswer(UptimeSeriesItem, Envelope):
    """The uptime of one monitor."""


class UptimeSeriesList(Envelope):
    """The uptime of several monitors in the same buckets, in the order in which they were asked for."""

    object: Literal["uptime_list"]
    bucket: BucketName
    timezone: str
    data: list[UptimeSeriesItem]
