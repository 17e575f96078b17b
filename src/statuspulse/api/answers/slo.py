"""The shapes of answers on objectives, for the OpenAPI document."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field
from starlette.responses import Response

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope
from statuspulse.api.answers.status import Duration, Percentage

SloStatusName = Literal["met", "at_risk", "breached", "no_data"]
SloKindName = Literal["availability", "latency"]
SloWindowName = Literal["24h", "7d", "30d", "90d", "calendar_month"]
Left = Annotated[
    float | None,
    Field(description="Percent of the budget; below zero where more was spent, null where there is no budget."),
]


class CsvFile(Response):
    """A table of RFC 4180."""

    media_type = "text/csv"


class ReportPage(Response):
    """A page to be printed."""

    media_type = "text/html"


class BurnPair(Answer):
    """Both windows (s) have to burn faster than the rate."""

    burn_rate: float
    long: int
    short: int


class SloAlerting(Answer):
    """The pairs that say `sla.at_risk`; null is off."""

    fast: BurnPair | None
    slow: BurnPair | None
    ticket: BurnPair | None


class SloBudget(Answer):
    """The budget of the period that holds now. `observed_pct` is null where nothing was measured."""

    period_start: datetime
    period_end: datetime
    observed_pct: Percentage | None
    budget_seconds: Duration
    consumed_seconds: Duration
    remaining_pct: Left
    excluded_maintenance_seconds: Duration
    unknown_seconds: Duration


class SloItem(Answer):
    """An objective inside another answer. One that is `of_config` follows the member `sla` of its monitor."""

    object: Literal["slo"]
    id: str
    team_id: str
    name: str
    monitor_id: str | None
    tags: list[str]
    kind: SloKindName
    objective_pct: float
    latency_threshold_ms: int | None
    window: SloWindowName
    timezone: str
    alerting: SloAlerting
    notify: list[str]
    of_config: bool
    status: SloStatusName
    burning: Annotated[
        Literal["fast", "slow", "ticket"] | None,
        Field(description="The fastest pair that was told of and burns in both windows."),
    ]
    breached_at: datetime | None
    budget: SloBudget
    version: int
    created_at: datetime
    updated_at: datetime


class SloAnswer(SloItem, Envelope):
    """A service level objective and how it stands."""


class SloList(ListEnvelope):
    """A page of objectives."""

    data: list[SloItem]


class SloDay(Answer):
    """One day of the objective's time zone, cut to the period."""

    date: date
    observed_pct: Percentage | None
    consumed_seconds: Duration
    measured_seconds: Duration
    excluded_maintenance_seconds: Duration
    paused_seconds: Duration
    unknown_seconds: Duration


class SloIncident(Answer):
    """An incident and what it spent of the budget in the period."""

    incident_id: str
    number: int
    title: str
    monitor_id: str | None
    triggered_at: datetime
    resolved_at: datetime | None
    consumed_seconds: Duration


class SloReportItem(Answer):
    """A period of an objective. Over several monitors seconds are those of all of them together.

    Measured, maintenance, paused, unknown, absent (a monitor did not exist) and ahead seconds are the period times the
    monitors, exactly. `met` is null where nothing was measured.
    """

    object: Literal["slo_report"]
    slo_id: str
    name: str
    monitor_id: str | None
    tags: list[str]
    kind: SloKindName
    latency_threshold_ms: int | None
    window: SloWindowName
    timezone: str
    period: Annotated[str | None, Field(description="The month, where the period is one.")]
    period_start: datetime
    period_end: datetime
    objective_pct: float
    observed_pct: Percentage | None
    met: bool | None
    budget_seconds: Duration
    consumed_seconds: Duration
    remaining_pct: Left
    measured_seconds: Duration
    excluded_maintenance_seconds: Duration
    paused_seconds: Duration
    unknown_seconds: Duration
    absent_seconds: Duration
    ahead_seconds: Duration
    worst_incidents: Annotated[list[SloIncident], Field(max_length=10)]
    daily: list[SloDay]
    generated_at: datetime


class SloReportAnswer(SloReportItem, Envelope):
    """The report of an objective."""


class SloReportList(ListEnvelope):
    """A page of reports, one of each objective."""

    data: list[SloReportItem]
