"""What callers say of an on-call schedule, as closed objects."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Line, Members, Name, Omissible, Time
from statuspulse.catalog.members.hours import TimeZone, WallTime
from statuspulse.catalog.members.team import Email

# Members of an answer that may be sent back; they are not the caller's to set.
READ_ONLY = frozenset(
    {"object", "request_id", "message", "warnings", "id", "team_id", "version", "created_at", "updated_at"}
)


class OverrideMembers(Members):
    """Somebody else is on call from then to then."""

    start_at: Time
    end_at: Time
    member: Email

    @model_validator(mode="after")
    def _ordered(self) -> OverrideMembers:
        if self.start_at >= self.end_at:
            raise PydanticCustomError("parameter_conflict", "has to end behind its start")
        return self


class ScheduleRequest(Members):
    """Members of the team in turn; the first is on call from `starts_on` on, by default since the last handoff."""

    name: Name
    timezone: Annotated[TimeZone | None, Field(description="The IANA name of the zone; null for that of the team.")] = (
        None
    )
    rotation: Annotated[
        Line,
        Field(
            max_length=100,
            description="`daily`, `weekly`, or a rule of FREQ=DAILY or FREQ=WEEKLY with INTERVAL and BYDAY.",
        ),
    ] = "weekly"
    handoff: WallTime = "09:00"
    starts_on: Omissible[Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]] = None
    members: Annotated[list[Email], Field(min_length=1, max_length=50)]
    overrides: Annotated[list[OverrideMembers], Field(max_length=200)] = Field(default_factory=list)


class ScheduleEdit(Members):
    """Members to change; null takes one back to its default."""

    name: Omissible[Name] = None
    timezone: TimeZone | None = None
    rotation: Annotated[Line, Field(max_length=100)] | None = None
    handoff: WallTime | None = None
    starts_on: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None
    members: Omissible[Annotated[list[Email], Field(min_length=1, max_length=50)]] = None
    overrides: Annotated[list[OverrideMembers], Field(max_length=200)] | None = None
