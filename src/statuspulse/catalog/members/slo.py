"""What callers say of a service level objective, as closed objects."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Line, Members, Name, Omissible, Tag, unique
from statuspulse.catalog.members.hours import TimeZone
from statuspulse.catalog.members.objective import ObjectivePct, ThresholdMs, WindowName
from statuspulse.catalog.members.rule import ChannelText
from statuspulse.domain.slo import RATE_UNITS, USUAL_ALERTING

# Members of an answer that may be sent back; they are not the caller's to set.
READ_ONLY = frozenset(
    {
        "object",
        "request_id",
        "message",
        "warnings",
        "id",
        "team_id",
        "of_config",
        "status",
        "burning",
        "budget",
        "breached_at",
        "version",
        "created_at",
        "updated_at",
    }
)


def _rate(rate: float) -> float:
    if round(rate * RATE_UNITS) / RATE_UNITS != rate:
        raise PydanticCustomError("parameter_invalid_format", "may have at most two decimals, as in 14.4")
    return rate


class PairMembers(Members):
    """Both windows (s) have to burn faster than the rate, which is 1 where the budget lasts for just the period."""

    burn_rate: Annotated[float, Field(gt=0, le=1000), AfterValidator(_rate)]
    long: Annotated[int, Field(ge=300, le=2_592_000)]
    short: Annotated[int, Field(ge=60, le=2_592_000)]

    @model_validator(mode="after")
    def _ordered(self) -> PairMembers:
        if self.short >= self.long:
            raise PydanticCustomError("parameter_conflict", "needs a short window that is shorter than the long one")
        return self


class AlertingMembers(Members):
    """The pairs of burn rates that say `sla.at_risk`; null switches one off."""

    fast: PairMembers | None = Field(default_factory=lambda: PairMembers.model_validate(USUAL_ALERTING["fast"]))
    slow: PairMembers | None = Field(default_factory=lambda: PairMembers.model_validate(USUAL_ALERTING["slow"]))
    ticket: PairMembers | None = Field(default_factory=lambda: PairMembers.model_validate(USUAL_ALERTING["ticket"]))


TagsOfSlo = Annotated[list[Tag], Field(max_length=32), AfterValidator(unique)]
Notify = Annotated[list[ChannelText], Field(max_length=20)]
MonitorRef = Annotated[Line, Field(max_length=255)]


class SloRequest(Members):
    """A new objective over one monitor, or over all monitors that have every one of the tags."""

    name: Name
    monitor_id: MonitorRef | None = None
    tags: TagsOfSlo = Field(default_factory=list)
    kind: Literal["availability", "latency"] = "availability"
    objective_pct: ObjectivePct
    latency_threshold_ms: ThresholdMs | None = None
    window: WindowName = "30d"
    timezone: Annotated[
        TimeZone | None,
        Field(description="The IANA name of the zone in which days and months begin; null for that of the team now."),
    ] = None
    alerting: AlertingMembers = Field(default_factory=AlertingMembers)
    notify: Notify = Field(default_factory=list)


class SloEdit(Members):
    """Members to change; null takes one back to its default, what it is about stays."""

    name: Omissible[Name] = None
    monitor_id: MonitorRef | None = None
    tags: TagsOfSlo | None = None
    kind: Omissible[Literal["availability", "latency"]] = None
    objective_pct: Omissible[ObjectivePct] = None
    latency_threshold_ms: ThresholdMs | None = None
    window: WindowName | None = None
    timezone: TimeZone | None = None
    alerting: AlertingMembers | None = None
    notify: Notify | None = None
