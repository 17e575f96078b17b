"""The members that every kind of monitor has: the request of `API.md` C.1 and what is stored of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from statuspulse.catalog.maintenance_members import InlineWindow, WindowId
from statuspulse.catalog.members import (
    Description,
    Fixed,
    Members,
    MetadataKey,
    MetadataValue,
    Quorum,
    Regions,
    Slug,
    Tags,
    WebUrl,
)
from statuspulse.catalog.rule_members import ChannelText, RuleMembers
from statuspulse.domain.times import SECOND

LONGEST_INTERVAL_SECONDS = 86_400
# Key of the validation context under which the caller passes the instance's floor.
SHORTEST_INTERVAL = "shortest_interval_seconds"
_DEFAULT_TIMEOUT_MS = 10_000
_SHORTEST_DELAY_MS = 100
DEFAULT_REGIONS = ("local",)

_OBJECT = {"type": ["object", "null"]}


def between_floor_and(ceiling: int) -> AfterValidator:
    """Seconds whose floor is a setting of the instance, so that it comes with the call."""

    def held(seconds: int, info: ValidationInfo) -> int:
        floor = (info.context or {}).get(SHORTEST_INTERVAL, 1)
        if floor <= seconds <= ceiling:
            return seconds
        text = "must be between {floor} and {ceiling}"
        context = {"floor": floor, "ceiling": ceiling, "limit": floor if seconds < floor else ceiling}
        raise PydanticCustomError("parameter_out_of_range", text, context)

    return AfterValidator(held)


IntervalSeconds = Annotated[
    int,
    between_floor_and(LONGEST_INTERVAL_SECONDS),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LONGEST_INTERVAL_SECONDS}),
]


def default_timeout_ms(interval_seconds: int) -> int:
    """What holds where nobody says anything: the smaller of 10 s and the interval."""
    return min(_DEFAULT_TIMEOUT_MS, interval_seconds * SECOND)


def _delay(milliseconds: int, info: ValidationInfo) -> int:
    """Where nothing is tried again, no delay is too short."""
    if milliseconds < _SHORTEST_DELAY_MS and info.data.get("count") != 0:
        text = "must be at least {limit}, unless count is 0"
        raise PydanticCustomError("parameter_out_of_range", text, {"limit": _SHORTEST_DELAY_MS})
    return milliseconds


class RetryMembers(Members):
    """Further attempts within a round; `delay_ms` is at least 100 unless `count` is 0."""

    count: Annotated[int, Field(ge=0, le=3)] = 1
    delay_ms: Annotated[int, Field(ge=0, le=30_000), AfterValidator(_delay)] = 1000


class CheckMembers(Members):
    """What every type has that is checked; `timeout_ms` is by default the smaller of 10 s and the interval."""

    interval_seconds: IntervalSeconds = 60
    timeout_ms: Annotated[int, Field(ge=100, le=60_000)] = Field(
        default_factory=lambda valid: default_timeout_ms(valid["interval_seconds"])
    )
    regions: Regions = Field(default_factory=lambda: list(DEFAULT_REGIONS))
    region_strategy: Literal["parallel", "rotate"] = "parallel"
    quorum: Quorum = "majority"
    failure_threshold: Annotated[int, Field(ge=1, le=10)] = 2
    recovery_threshold: Annotated[int, Field(ge=1, le=10)] = 2
    retry: RetryMembers = Field(default_factory=RetryMembers)
    degraded_latency_ms: Annotated[int, Field(ge=1, le=60_000)] | None = None


class OwnMembers(Members):
    """What every type has, whether it is checked or calls us."""

    severity: Literal["critical", "error", "warning", "info"] = "critical"
    escalation_policy: Slug | None = None
    notifications: Annotated[list[ChannelText], Field(max_length=20)] = Field(default_factory=list)
    notification_rules: Annotated[list[RuleMembers], Field(max_length=20)] = Field(default_factory=list)
    maintenance_windows: Annotated[list[InlineWindow | WindowId], Field(max_length=20)] = Field(default_factory=list)
    sla: Annotated[Any, Fixed(default=None, answered=_OBJECT)] = None
    depends_on: Annotated[Any, Fixed(default=[], answered={"type": "array", "items": {"type": "string"}})] = Field(
        default_factory=list
    )
    tags: Tags = Field(default_factory=list)
    description: Description | None = None
    runbook_url: WebUrl | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50)] = Field(default_factory=dict)
    paused: bool = False


class CommonMembers(OwnMembers, CheckMembers):
    """What every type has that is checked."""


COMMON = frozenset({"name", "type", *CommonMembers.model_fields})
