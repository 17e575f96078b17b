"""The shapes of answers on latency, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers.common import Answer, Envelope
from statuspulse.api.answers.status import Duration
from statuspulse.api.periods import BucketName


class LatencyBucket(Answer):
    """The successful scheduled checks of one bucket, cut to the window; null where there are none."""

    start_at: datetime
    end_at: datetime
    region: Annotated[str | None, Field(description="Null where the regions are taken together.")]
    count: Annotated[int | None, Field(description="How many checks have a latency.")]
    avg_latency_ms: Duration | None
    min_latency_ms: Duration | None
    max_latency_ms: Duration | None
    percentiles_ms: Annotated[
        dict[str, Duration | None],
        Field(description="By what was asked for, such as `95`; within 1 % of the exact one."),
    ]


class LatencySeriesAnswer(Envelope):
    """Percentiles over time, each from one merged histogram and never an average of other percentiles."""

    object: Literal["latency_series"]
    monitor_id: str
    bucket: BucketName
    timezone: str
    group_by: Literal["region", "none"]
    percentiles: list[float]
    data: list[LatencyBucket]


class HeatMapColumn(Answer):
    """How many checks of one bucket lie in each row; null where none are kept for so narrow a bucket."""

    start_at: datetime
    end_at: datetime
    region: Annotated[str | None, Field(description="Null where the regions are taken together.")]
    counts: list[int] | None


class LatencyHeatMapAnswer(Envelope):
    """Row i counts the latencies above `buckets_ms[i]` up to `buckets_ms[i + 1]`; rows grow by one factor."""

    object: Literal["latency_heatmap"]
    monitor_id: str
    bucket: BucketName
    timezone: str
    group_by: Literal["region", "none"]
    buckets_ms: list[Duration]
    data: list[HeatMapColumn]
