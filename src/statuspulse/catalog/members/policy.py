"""What callers say of an escalation policy, as closed objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Description, Line, Members, Name, Omissible, Slug, unique
from statuspulse.catalog.members.hours import HoursMembers
from statuspulse.catalog.validation import read

# Members of an answer that may be sent back; they are not the caller's to set.
READ_ONLY = frozenset(
    {
        "object",
        "request_id",
        "message",
        "warnings",
        "id",
        "team_id",
        "is_default",
        "auto_created",
        "version",
        "created_at",
        "updated_at",
    }
)
RULES = ("steps", "repeat", "ack_timeout_seconds", "auto_resolve_seconds", "severities")


class TargetMembers(Members):
    """One receiver; the monitor's own notifications have no id, all others need one."""

    type: Literal["user", "channel", "monitor_notifications", "schedule"]
    id: Annotated[Line, Field(max_length=40)] | None = None

    @model_validator(mode="after")
    def _named(self) -> TargetMembers:
        if (self.id is None) != (self.type == "monitor_notifications"):
            text = "needs an id, except for monitor_notifications, which has none"
            raise PydanticCustomError("parameter_conflict", text)
        return self


class StepMembers(Members):
    """One rung: who is told so long after the step before, the first so long after the trigger."""

    delay_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    targets: Annotated[list[TargetMembers], Field(min_length=1, max_length=10)]
    only_between: HoursMembers | None = None


class RepeatMembers(Members):
    """How often the ladder is climbed again; by default after the delay of its last step."""

    count: Annotated[int, Field(ge=0, le=9)] = 0
    delay_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = None


class PolicyMembers(Members):
    """Everything of a policy but its slug."""

    name: Name
    description: Description | None = None
    steps: Annotated[list[StepMembers], Field(min_length=1, max_length=10)]
    repeat: RepeatMembers = Field(default_factory=RepeatMembers)
    ack_timeout_seconds: Annotated[int, Field(ge=300, le=86_400)] | None = None
    auto_resolve_seconds: Annotated[int, Field(ge=600, le=2_592_000)] | None = None
    severities: Annotated[
        list[Literal["critical", "error", "warning", "info"]], Field(max_length=4), AfterValidator(unique)
    ] = Field(default_factory=list)


class PolicyRequest(PolicyMembers):
    """A new escalation policy."""

    slug: Slug


class PolicyEdit(Members):
    """Members to change; null takes one back to its default, the slug stays as it is."""

    slug: Omissible[Slug] = None
    name: Omissible[Name] = None
    description: Description | None = None
    steps: Omissible[Annotated[list[StepMembers], Field(min_length=1, max_length=10)]] = None
    repeat: RepeatMembers | None = None
    ack_timeout_seconds: Annotated[int, Field(ge=300, le=86_400)] | None = None
    auto_resolve_seconds: Annotated[int, Field(ge=600, le=2_592_000)] | None = None
    severities: (
        Annotated[list[Literal["critical", "error", "warning", "info"]], Field(max_length=4), AfterValidator(unique)]
        | None
    ) = None


class PolicyTrial(Members):
    """What a trial supposes: an incident of this monitor and severity, triggered then."""

    monitor_id: Omissible[Annotated[Line, Field(max_length=255)]] = None
    severity: Literal["critical", "error", "warning", "info"] = "critical"


def read_policy(document: Mapping[str, Any]) -> tuple[PolicyMembers, dict[str, Any]]:
    """A whole policy without its slug, and its rules as they are stored; raises InvalidInputError."""
    members = read(PolicyMembers, {name: value for name, value in document.items() if name != "slug"})
    rules = {name: value for name, value in members.model_dump().items() if name in RULES}
    if rules["repeat"]["delay_seconds"] is None:
        rules["repeat"]["delay_seconds"] = rules["steps"][-1]["delay_seconds"]
    return members, rules
