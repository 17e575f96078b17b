"""What callers say of teams and the people in them, as closed objects."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Fixed, Line, Members, Name, Omissible, Slug
from statuspulse.catalog.members.hours import TimeZone
from statuspulse.catalog.members.rule import ChannelText
from statuspulse.domain.team_settings import StatusWindow

DEFAULT_REGIONS = ["local"]

# Members of an answer that may be sent back with a PATCH; they are not the caller's to set there.
READ_ONLY = frozenset(
    {"object", "request_id", "message", "warnings", "id", "team_id", "user_id", "created_at", "updated_at"}
)
READ_ONLY_OF_TEAM = READ_ONLY | {"version"}

_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")

Role = Literal["owner", "editor", "responder", "viewer"]


def _email(text: str) -> str:
    if _EMAIL.fullmatch(text) is None:
        raise PydanticCustomError("parameter_invalid_format", "must be an address such as ana@example.com")
    return text.lower()


Email = Annotated[Line, Field(max_length=254), AfterValidator(_email)]
Contacts = Annotated[list[ChannelText], Field(max_length=10)]
ChannelId = Annotated[Line, Field(max_length=40)]


class SettingsRequest(Members):
    """Null takes a setting back to its default."""

    require_preconditions: bool | None = None
    lenient_references: bool | None = None
    status_default_window: StatusWindow | None = None
    reopen_window_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    fallback_channel: ChannelId | None = None


class TeamEdit(Members):
    """Members to change; the slug stays as it is."""

    name: Omissible[Name] = None
    slug: Omissible[Slug] = None
    default_policy: Slug | None = None
    default_regions: Annotated[Any, Fixed(default=DEFAULT_REGIONS, answered={"type": "array"})] = None
    timezone: Annotated[
        TimeZone | None, Field(description="Where the team's clock hangs, for hours that name no zone; by default UTC.")
    ] = None
    settings: SettingsRequest | None = Field(default_factory=SettingsRequest)


class TeamRequest(TeamEdit):
    """A new team."""

    name: Name
    slug: Slug


class MemberRequest(Members):
    """A person who is to belong to the team."""

    email: Email
    role: Role
    contacts: Contacts = Field(default_factory=list)


class MemberEdit(Members):
    """Members to change; the address stays as it is."""

    email: Omissible[Email] = None
    role: Omissible[Role] = None
    contacts: Omissible[Contacts] = None
