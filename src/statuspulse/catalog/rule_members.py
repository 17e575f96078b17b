"""Notification rules of a monitor as callers send them (`API.md` C.4)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from statuspulse.catalog.hours_members import HoursMembers
from statuspulse.catalog.members import Members, Name, one_line, unique

ChannelText = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(one_line)]
State = Literal["down", "up", "degraded", "unknown"]
_BOTH: tuple[State, ...] = ("down", "up")


class WhenMembers(Members):
    """What a rule matches: the outage, its end, or both, and states that are no outage.

    No severities are all of them, no schedule is always.
    """

    states: Annotated[list[State], Field(min_length=1, max_length=4), AfterValidator(unique)] = Field(
        default_factory=lambda: list(_BOTH)
    )
    severities: Annotated[
        list[Literal["critical", "error", "warning", "info"]], Field(max_length=4), AfterValidator(unique)
    ] = Field(default_factory=list)
    schedule: HoursMembers | None = None


class RuleMembers(Members):
    """Who hears of what, from the top: every rule that matches tells its channels, one that mutes ends the list."""

    name: Name
    when: WhenMembers = Field(default_factory=WhenMembers)
    notify: Annotated[list[ChannelText], Field(max_length=20)] = Field(default_factory=list)
    after_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    repeat_seconds: Annotated[int, Field(ge=60, le=86_400)] | None = None
    send_resolved: bool = True
    mute: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> RuleMembers:
        if bool(self.notify) == self.mute:
            text = "needs channels in notify, except for a rule that mutes, which has none"
            raise PydanticCustomError("parameter_conflict", text)
        if self.repeat_seconds and "down" not in self.when.states:
            text = "tells of what is no outage once: repeat_seconds belongs to the state down"
            raise PydanticCustomError("parameter_conflict", text)
        if self.after_seconds and self.when.states == ["up"]:
            text = "tells of an end at once: after_seconds belongs to the states down, degraded and unknown"
            raise PydanticCustomError("parameter_conflict", text)
        return self
