"""Hours of the week as callers send them, in policies and in rules."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Line, Members, unique


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError("timezone_unknown", 'is no IANA time zone such as "Europe/Berlin"') from None
    return name


TimeZone = Annotated[Line, Field(min_length=1, max_length=64), AfterValidator(_zone)]
WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EVERY_DAY: list[Any] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class HoursMembers(Members):
    """Wall time of some days; hours that end before they begin go over midnight, equal ones are whole days.

    Without a zone they are those of the team's wall.
    """

    timezone: Annotated[TimeZone | None, Field(description="The IANA name of the zone; null for that of the team.")] = (
        None
    )
    days: Annotated[
        list[Day],
        Field(min_length=1, max_length=7, description="Days on which the hours begin; by default every day."),
        AfterValidator(unique),
    ] = Field(default_factory=lambda: list(EVERY_DAY))
    begin: Annotated[WallTime, Field(alias="from", description="When they begin, by the clock on the wall.")]
    end: Annotated[WallTime, Field(alias="to", description="When they end.")]

    @model_serializer
    def _stored(self) -> dict[str, Any]:
        """Under the names that callers know, wherever it is a part of."""
        return {"timezone": self.timezone, "days": self.days, "from": self.begin, "to": self.end}


class QuietHoursMembers(HoursMembers):
    """Hours that leave some time of the week: what waits for them to end has to be told some day."""

    @model_validator(mode="after")
    def _ends(self) -> QuietHoursMembers:
        if self.begin == self.end and len(self.days) == len(EVERY_DAY):
            raise PydanticCustomError("parameter_conflict", "must leave some time of the week in which people are told")
        return self
