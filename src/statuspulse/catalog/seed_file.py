"""The shape of the seed file; monitors and incidents keep the bodies of their POST."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Fixed, Line, Members, Name, RegionSlug, Slug, Time
from statuspulse.catalog.members.token import ScopeName
from statuspulse.domain.access import may_be_given
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.ids import is_id


def _token(text: str) -> str:
    if not may_be_given(text):
        raise PydanticCustomError(
            "parameter_invalid_format", "needs 16 to 255 printable ASCII characters without spaces"
        )
    return text


def _failure_class(name: str) -> str:
    if name not in set(FailureClass):
        raise PydanticCustomError("parameter_invalid_enum", "is no failure class")
    return name


class _Prefixed:
    """Texts that are ids of one kind."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __call__(self, text: str) -> str:
        if not is_id(text, self._prefix):
            raise PydanticCustomError(
                "parameter_invalid_format",
                "must be {prefix}_ and 6 to 32 of [0-9a-z]",
                {"prefix": self._prefix},
            )
        return text


MonitorId = Annotated[str, AfterValidator(_Prefixed("mon"))]
IncidentId = Annotated[str, AfterValidator(_Prefixed("inc"))]
ProbeId = Annotated[str, AfterValidator(_Prefixed("prb"))]


class TeamEntry(Members):
    name: Name
    slug: Slug


class TokenEntry(Members):
    name: Name
    token: Annotated[Line, AfterValidator(_token)]
    scopes: Annotated[list[ScopeName], Field(min_length=1)]
    expires_at: Time | None = None


class ProbeEntry(Members):
    id: ProbeId
    name: Name
    region: RegionSlug
    region_name: Name | None = None


class StateEntry(Members):
    state: Literal["pending", "up", "degraded", "down", "unknown"]
    start: Time = Field(alias="from")
    end: Time | None = Field(alias="to", default=None)


class FailureEntry(Members):
    kind: Annotated[str, AfterValidator(_failure_class)] = Field(alias="class")
    detail: Line = ""


class ResultEntry(Members):
    scheduled_at: Time
    region: RegionSlug
    ok: bool | None
    status_code: Annotated[int, Field(ge=100, le=999)] | None = None
    latency_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None
    failure: FailureEntry | None = None


class StatusEntry(Members):
    states: list[StateEntry] = Field(default_factory=list)
    results: list[ResultEntry] = Field(default_factory=list)


class MonitorHead(Members):
    """What the file says of a monitor beside the body of its POST."""

    id: MonitorId
    created_at: Time | None = None
    status: StatusEntry | None = None


class IncidentHead(Members):
    """What the file says of an incident beside the body of its POST."""

    id: IncidentId
    number: Annotated[int, Field(ge=1)] | None = None
    triggered_at: Time | None = None
    acknowledged_at: Time | None = None
    resolved_at: Time | None = None


_LATER = Fixed(default=[], answered={"type": "array"})


class SeedFile(Members):
    team: TeamEntry
    escalation_policies: Annotated[Any, _LATER] = None
    channels: Annotated[Any, _LATER] = None
    maintenance_windows: Annotated[Any, _LATER] = None
    tokens: list[TokenEntry] = Field(default_factory=list)
    probes: list[ProbeEntry] = Field(default_factory=list)
    monitors: list[dict[str, Any]] = Field(default_factory=list)
    incidents: list[dict[str, Any]] = Field(default_factory=list)
