"""The shapes of answers with transitions, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers.common import Answer, Health, ListEnvelope, State
from statuspulse.api.answers.status import Duration, StatusFailure

Standing = Annotated[
    Literal["none", "passing", "failing"], Field(description="What enough results in a row have made of it.")
]


class Observation(Answer):
    """What one region had seen last when it was decided, and what it voted."""

    region: str
    standing: Standing
    observed_at: datetime
    ok: bool | None
    status_code: int | None
    latency_ms: Duration | None
    failure: StatusFailure | None


class TransitionItem(Answer):
    """A change of state. History, and so uptime, has it at `first_observed_at`, where what was seen began."""

    object: Literal["transition"]
    state_seq: int
    state: State
    previous_state: State
    health: Health
    previous_health: Health
    changed_at: Annotated[datetime, Field(description="When it was decided.")]
    first_observed_at: datetime
    duration_seconds: Annotated[
        Duration | None, Field(description="How long it held in history; null while no other has followed.")
    ]
    reason: str
    incident_id: str | None
    maintenance_window_id: str | None
    evidence: list[Observation]


class TransitionList(ListEnvelope):
    """A page of transitions."""

    data: list[TransitionItem]
