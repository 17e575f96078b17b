"""What an objective is made of, in a monitor's `sla` and in an SLO."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Members
from statuspulse.domain.slo import allowance_of

_DECIMALS = 6


def _objective(percent: float) -> float:
    if percent >= 100:
        text = "must be below {limit}: at 100 nothing may ever fail, and no budget is left to watch"
        raise PydanticCustomError("parameter_out_of_range", text, {"limit": 100})
    if percent <= 0:
        raise PydanticCustomError("parameter_out_of_range", "must be greater than {limit}", {"limit": 0})
    if round(percent, _DECIMALS) != percent or allowance_of(percent) == 0:
        raise PydanticCustomError("parameter_invalid_format", "may have at most six decimals, as in 99.95")
    return percent


ObjectivePct = Annotated[
    float,
    AfterValidator(_objective),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100}),
]
WindowName = Literal["24h", "7d", "30d", "90d", "calendar_month"]
ThresholdMs = Annotated[int, Field(ge=1, le=60_000)]


class SlaMembers(Members):
    """What is promised of the monitor: its availability or, with a threshold, that it answers faster than that."""

    objective_pct: ObjectivePct
    window: WindowName = "30d"
    latency_threshold_ms: ThresholdMs | None = None
