"""The members that every kind of monitor has: what callers send and what is stored of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import (
    Description,
    Line,
    Members,
    MetadataKey,
    MetadataValue,
    Quorum,
    Regions,
    Slug,
    Tags,
    WebUrl,
    unique,
)
from statuspulse.catalog.members.maintenance import PlannedTime
from statuspulse.catalog.members.objective import SlaMembers
from statuspulse.catalog.members.rule import ChannelText, RuleMembers
from statuspulse.domain.times import SECOND

LONGEST_INTERVAL_SECONDS = 86_400
# Key of the validation context under which the caller passes the instance's floor.
SHORTEST_INTERVAL = "shortest_interval_seconds"
_DEFAULT_TIMEOUT_MS = 10_000
_SHORTEST_DELAY_MS = 100
DEFAULT_REGIONS = ("local",)

MonitorText = Annotated[Line, Field(min_length=1, max_length=255)]


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

    count: Annotated[int, Field(ge=0, le=3, description="How often a failed check is tried again in its round.")] = 1
    delay_ms: Annotated[
        int,
        Field(ge=0, le=30_000, description="How long to wait before the next try; at least 100 unless `count` is 0."),
        AfterValidator(_delay),
    ] = 1000


class CheckMembers(Members):
    """What every type has that is checked; `timeout_ms` is by default the smaller of 10 s and the interval."""

    interval_seconds: Annotated[
        IntervalSeconds,
        Field(description="How often each region looks. The instance may have a floor: 10 as it comes."),
    ] = 60
    timeout_ms: Annotated[
        int,
        Field(ge=100, le=60_000, description="How long one check may take in all; by default 10 s or the interval."),
    ] = Field(default_factory=lambda valid: default_timeout_ms(valid["interval_seconds"]))
    regions: Annotated[Regions, Field(description="Slugs of the regions that look; by default `local`.")] = Field(
        default_factory=lambda: list(DEFAULT_REGIONS)
    )
    region_strategy: Annotated[
        Literal["parallel", "rotate"],
        Field(description="`parallel`: every region looks in each interval. `rotate`: one region does, in turn."),
    ] = "parallel"
    quorum: Annotated[
        Quorum, Field(description="How many of the regions that report have to fail for `down`: a word or a number.")
    ] = "majority"
    failure_threshold: Annotated[
        int, Field(ge=1, le=10, description="Failed checks in a row after which a region counts as failing.")
    ] = 2
    recovery_threshold: Annotated[
        int, Field(ge=1, le=10, description="Good checks in a row after which a failing region counts as passing.")
    ] = 2
    retry: Annotated[RetryMembers, Field(description="Further tries within a round, before it counts as failed.")] = (
        Field(default_factory=RetryMembers)
    )
    degraded_latency_ms: Annotated[
        Annotated[int, Field(ge=1, le=60_000)] | None,
        Field(description="Above this p95 of the last 5 rounds it is `degraded`; null for no limit."),
    ] = None


class OwnMembers(Members):
    """What every type has, whether it is checked or calls us."""

    severity: Annotated[
        Literal["critical", "error", "warning", "info"],
        Field(description="That of its incidents; policies and rules may tell by it."),
    ] = "critical"
    escalation_policy: Annotated[
        Slug | None,
        Field(description="Slug of the policy that its incidents follow; by default the team's. null is without one."),
    ] = None
    notifications: Annotated[
        list[ChannelText],
        Field(max_length=20, description="URLs or ids of the channels that hear of it when it goes down and recovers."),
    ] = Field(default_factory=list)
    notification_rules: Annotated[
        list[RuleMembers],
        Field(
            max_length=20, description="Who hears of what and when, in place of telling all `notifications` at once."
        ),
    ] = Field(default_factory=list)
    maintenance_windows: Annotated[
        list[PlannedTime],
        Field(max_length=20, description="Planned times, described here or by the id of a window of the team."),
    ] = Field(default_factory=list)
    sla: Annotated[
        SlaMembers | None,
        Field(description="What was promised of it: an objective of its own, with budget and warnings; null for none."),
    ] = None
    depends_on: Annotated[
        list[MonitorText],
        Field(
            max_length=20, description="Ids of monitors of the team: while one of them is down this one pages nobody."
        ),
        AfterValidator(unique),
    ] = Field(default_factory=list)
    tags: Annotated[Tags, Field(description="Words to find it by, in lower case, such as `prod` or `team:web`.")] = (
        Field(default_factory=list)
    )
    description: Annotated[Description | None, Field(description="What it is, for people.")] = None
    runbook_url: Annotated[WebUrl | None, Field(description="What to do about it; messages carry the link.")] = None
    metadata: Annotated[
        dict[MetadataKey, MetadataValue],
        Field(max_length=50, description="Your own keys and texts; nothing reads them."),
    ] = Field(default_factory=dict)
    paused: Annotated[bool, Field(description="Not checked, and no time of it counts.")] = False


class CommonMembers(OwnMembers, CheckMembers):
    """What every type has that is checked."""


COMMON = frozenset({"name", "type", *CommonMembers.model_fields})
