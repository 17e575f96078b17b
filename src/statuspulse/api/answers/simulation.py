"""The shape of a simulation, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers.common import Answer, Envelope, State
from statuspulse.api.answers.status import Duration, Percentage


class SimulationWindow(Answer):
    """What was replayed, and why it begins later than was asked for."""

    start_at: datetime
    end_at: datetime
    cut: Literal["created", "edited", "beyond_retention", "too_many_results"] | None


class SimulationConfig(Answer):
    """The rules that were applied."""

    interval_seconds: int
    regions: list[str]
    region_strategy: Literal["parallel", "rotate"]
    quorum: str | int
    failure_threshold: int
    recovery_threshold: int
    degraded_latency_ms: int | None


class SimulatedTransition(Answer):
    """A change of state; history has it at `first_observed_at`."""

    state: State
    previous_state: State
    changed_at: Annotated[datetime, Field(description="When it was decided, or would have been.")]
    first_observed_at: datetime
    reason: str


class SimulatedIncident(Answer):
    """An incident that the monitor opened, or would have."""

    opened_at: Annotated[datetime | None, Field(description="null: before the window.")]
    resolved_at: Annotated[datetime | None, Field(description="null: not within the window.")]
    duration_seconds: Annotated[Duration, Field(description="How long it was open within the window.")]
    pages: Annotated[
        int,
        Field(
            description="How often people were called for it within the window: once an opening that lasted so long."
        ),
    ]


class LongestOutage(SimulatedIncident):
    """The longest incident that was opened within the window."""

    noticed_later_seconds: Annotated[
        float | None,
        Field(description="How much later it would have been opened, below 0 earlier; null: not at all."),
    ]


class SimulationAccount(Answer):
    """What happened, or would have. Lists have the first 500, counts are of all."""

    transitions: list[SimulatedTransition]
    transition_count: int
    incidents: list[SimulatedIncident]
    incident_count: int
    pages: Annotated[
        int,
        Field(description="How often people were called: once an opening that lasted until somebody was."),
    ]
    notifications: Annotated[
        int,
        Field(description="Messages to channels; simulated ones by policy and rules of now, unacknowledged."),
    ]
    uptime_pct: Percentage | None
    coverage_pct: Percentage | None
    up_seconds: Duration
    degraded_seconds: Duration
    downtime_seconds: Duration
    unknown_seconds: Duration


class SimulationAnswer(Envelope):
    """A monitor's results under other rules, beside what did happen. Nothing was stored and nobody told."""

    object: Literal["simulation"]
    monitor_id: str
    window: SimulationWindow
    results: Annotated[int, Field(description="How many results were replayed, those before the window included.")]
    config: SimulationConfig
    changed: Annotated[list[str], Field(description="The rules that are not the monitor's own.")]
    longest_outage: LongestOutage | None
    actual: SimulationAccount
    simulated: SimulationAccount
