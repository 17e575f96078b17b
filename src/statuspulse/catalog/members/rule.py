"""Notification rules of a monitor as callers send them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Members, Name, one_line, unique
from statuspulse.catalog.members.hours import HoursMembers, QuietHoursMembers

ChannelText = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(one_line)]
State = Literal["down", "up", "degraded", "unknown"]
_BOTH: tuple[State, ...] = ("down", "up")


class WhenMembers(Members):
    """What a rule matches: the outage, its end, or both, and states that are no outage.

    No severities are all of them, no schedule is always.
    """

    states: Annotated[
        list[State],
        Field(
            min_length=1,
            max_length=4,
            description="The outage (`down`), its end (`up`), and states that are no outage (`degraded`, `unknown`); "
            "by default `down` and `up`.",
        ),
        AfterValidator(unique),
    ] = Field(default_factory=lambda: list(_BOTH))
    severities: Annotated[
        list[Literal["critical", "error", "warning", "info"]],
        Field(max_length=4, description="Severities of incidents; none are all of them."),
        AfterValidator(unique),
    ] = Field(default_factory=list)
    schedule: Annotated[HoursMembers | None, Field(description="When the rule holds; null for always.")] = None


class RuleMembers(Members):
    """Who hears of what, from the top: every rule that matches tells its channels, one that mutes ends the list."""

    name: Annotated[Name, Field(description="What people call the rule.")]
    when: Annotated[WhenMembers, Field(description="What the rule is about.")] = Field(default_factory=WhenMembers)
    notify: Annotated[
        list[ChannelText], Field(max_length=20, description="URLs or ids of the channels that are told.")
    ] = Field(default_factory=list)
    after_seconds: Annotated[
        int, Field(ge=0, le=86_400, description="How long the outage has to last before they are told.")
    ] = 0
    repeat_seconds: Annotated[
        Annotated[int, Field(ge=60, le=86_400)] | None,
        Field(description="How often they are told again until somebody has it; null for once."),
    ] = None
    send_resolved: Annotated[bool, Field(description="Whether they hear of the end, too.")] = True
    quiet_hours: Annotated[
        QuietHoursMembers | None,
        Field(description="Hours in which what is not critical waits for their end; null for none."),
    ] = None
    mute: Annotated[bool, Field(description="Tells nobody, and no rule behind it either.")] = False

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
        if self.quiet_hours is not None and (self.mute or "down" not in self.when.states):
            text = "has nothing that could wait: quiet_hours belong to a rule that tells of the state down"
            raise PydanticCustomError("parameter_conflict", text)
        return self
