"""What callers say of a webhook endpoint, as closed objects."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import (
    Description,
    Line,
    Members,
    Omissible,
    OverlapSeconds,
    Tags,
    Time,
    WebUrl,
    unique,
)
from statuspulse.domain.webhook import names_something
from statuspulse.egress.request import header_lines

LONGEST_REPLAY_DAYS = 7

# What we say ourselves, and what belongs to the connection.
_OURS = frozenset({"content-type", "content-length", "host", "connection", "transfer-encoding", "user-agent", "expect"})
_OUR_PREFIXES = ("webhook-", "statuspulse-")


def _type_name(name: str) -> str:
    if not names_something(name):
        raise PydanticCustomError(
            "parameter_invalid_enum", 'must be a type of event, a beginning such as "incident.*", or "*"'
        )
    return name


def _header_name(name: str) -> str:
    if name.lower() in _OURS or name.lower().startswith(_OUR_PREFIXES):
        raise PydanticCustomError("parameter_invalid_format", "is a header that StatusPulse sets itself")
    try:
        header_lines([(name, "x")])
    except ValueError:
        raise PydanticCustomError("parameter_invalid_format", "is no name of a header") from None
    return name


TypeName = Annotated[Line, Field(max_length=64), AfterValidator(_type_name)]
Types = Annotated[list[TypeName], Field(min_length=1, max_length=40), AfterValidator(unique)]
Names = Annotated[list[Annotated[Line, Field(max_length=64)]], Field(max_length=100), AfterValidator(unique)]
SeverityName = Literal["critical", "error", "warning", "info"]


class HeaderMember(Members):
    """A header of every request; its value is never shown again."""

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_header_name)]
    value: Annotated[Line, Field(max_length=1000)]


class Filters(Members):
    """Where one of them names anything, an event has to be about it."""

    monitor_ids: Names = Field(default_factory=list)
    tags: Tags = Field(default_factory=list)
    severities: Annotated[list[SeverityName], Field(max_length=4), AfterValidator(unique)] = Field(default_factory=list)


Headers = Annotated[list[HeaderMember], Field(max_length=10)]


class WebhookRequest(Members):
    """A new endpoint; its secret is answered once."""

    url: WebUrl
    events: Types
    description: Description | None = None
    format: Literal["standard", "cloudevents"] = "standard"
    payload: Literal["full", "thin"] = "full"
    filters: Filters = Field(default_factory=Filters)
    headers: Headers = Field(default_factory=list)
    enabled: bool = True


class WebhookEdit(Members):
    """Members to change; lists and filters are replaced whole."""

    url: Omissible[WebUrl] = None
    events: Omissible[Types] = None
    description: Description | None = None
    format: Omissible[Literal["standard", "cloudevents"]] = None
    payload: Omissible[Literal["full", "thin"]] = None
    filters: Omissible[Filters] = None
    headers: Omissible[Headers] = None
    enabled: Omissible[bool] = None


class SecretRotation(Members):
    """For so long the secret of before signs, too."""

    overlap_seconds: OverlapSeconds = 86_400


class WebhookEnabling(Members):
    """Whether what happened while the endpoint was disabled is sent, too."""

    replay_missed: bool = False


class ReplayRequest(Members):
    """Events of a span of up to seven days; only those that the endpoint has not taken, unless all are wanted."""

    begin: Annotated[Time, Field(alias="from")]
    end: Annotated[Time, Field(alias="to")]
    types: Omissible[Types] = None
    only_failed: bool = True


class RedeliverRequest(Members):
    """Which endpoints are sent the event again; all that want it, where none is named."""

    endpoint_ids: Omissible[Names] = None
