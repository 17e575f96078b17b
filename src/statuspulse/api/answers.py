"""The shapes of answers, for the OpenAPI document: one flat schema each, open for members to come (`API.md` F)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from statuspulse.catalog.monitor_members import CommonMembers, DnsMembers, HttpMembers, TcpMembers

_OPEN = ConfigDict(extra="ignore", json_schema_serialization_defaults_required=True)

State = Literal["pending", "up", "degraded", "down", "unknown", "maintenance", "paused"]
Health = Literal["pending", "up", "degraded", "down", "unknown"]


class Answer(BaseModel):
    """A part of an answer; only members with a default may be absent from it."""

    model_config = ConfigDict(extra="ignore")


class SoftProblem(Answer):
    """A warning beside a good answer."""

    code: str
    message: str
    param: str | None


class Envelope(Answer):
    """The members of every good answer."""

    request_id: str
    message: Annotated[str, Field(max_length=500)]
    warnings: list[SoftProblem]


class ErrorDetail(Answer):
    """One thing that is wrong."""

    code: str
    param: str | None
    pointer: str | None
    message: str
    limit: int | None = None
    known: list[str] | None = None
    required_scope: str | None = None
    current_version: int | None = None
    monitor_ids: list[str] | None = None


class ErrorBody(Answer):
    """What went wrong, for programs."""

    type: str
    code: str
    param: str | None
    doc_url: str
    retry_after_seconds: int | None
    details: Annotated[list[ErrorDetail], Field(max_length=50)]


class Error(Answer):
    """Every refusal: a problem document of RFC 9457 with the members of the envelope."""

    object: Literal["error"]
    request_id: str
    message: str
    type: str
    title: str
    status: int
    detail: str
    instance: str
    violated_policies: list[str] | None = Field(default=None, alias="violated-policies")
    error: ErrorBody


class Actor(Answer):
    """Who did something."""

    type: str
    id: str | None
    label: str


class Links(Answer):
    """Paths to what belongs to a monitor."""

    self: str
    status: str
    config: str
    results: str


class _Named(Answer):
    id: str
    monitor_id: str
    team_id: str
    name: str
    target: str


class _Lived(Answer):
    state: State
    health: Health
    state_since: datetime
    last_probe_at: datetime | None
    next_probe_at: datetime | None
    config_version: int
    open_incident_id: str | None
    created_at: datetime
    updated_at: datetime
    links: Links


class _Applied(Answer):
    config_version: int
    applied_at: datetime
    updated_by: Actor


class HttpMonitorItem(_Lived, CommonMembers, HttpMembers, _Named):
    """A monitor of type http inside another answer."""

    model_config = _OPEN
    object: Literal["monitor"]
    type: Literal["http"]


class TcpMonitorItem(_Lived, CommonMembers, TcpMembers, _Named):
    """A monitor of type tcp inside another answer."""

    model_config = _OPEN
    object: Literal["monitor"]
    type: Literal["tcp"]


class DnsMonitorItem(_Lived, CommonMembers, DnsMembers, _Named):
    """A monitor of type dns inside another answer."""

    model_config = _OPEN
    object: Literal["monitor"]
    type: Literal["dns"]


class HttpMonitorAnswer(HttpMonitorItem, Envelope):
    """A monitor of type http."""


class TcpMonitorAnswer(TcpMonitorItem, Envelope):
    """A monitor of type tcp."""


class DnsMonitorAnswer(DnsMonitorItem, Envelope):
    """A monitor of type dns."""


class HttpConfigAnswer(_Applied, CommonMembers, HttpMembers, _Named, Envelope):
    """The configuration of a monitor of type http."""

    model_config = _OPEN
    object: Literal["monitor_config"]
    type: Literal["http"]


class TcpConfigAnswer(_Applied, CommonMembers, TcpMembers, _Named, Envelope):
    """The configuration of a monitor of type tcp."""

    model_config = _OPEN
    object: Literal["monitor_config"]
    type: Literal["tcp"]


class DnsConfigAnswer(_Applied, CommonMembers, DnsMembers, _Named, Envelope):
    """The configuration of a monitor of type dns."""

    model_config = _OPEN
    object: Literal["monitor_config"]
    type: Literal["dns"]


class _Changed(Answer):
    changed: list[str]


class HttpConfigChange(HttpConfigAnswer, _Changed):
    """What a change made of the configuration of a monitor of type http."""


class TcpConfigChange(TcpConfigAnswer, _Changed):
    """What a change made of the configuration of a monitor of type tcp."""


class DnsConfigChange(DnsConfigAnswer, _Changed):
    """What a change made of the configuration of a monitor of type dns."""


class HttpMonitorChange(HttpMonitorAnswer, _Changed):
    """What a change made of a monitor of type http."""


class TcpMonitorChange(TcpMonitorAnswer, _Changed):
    """What a change made of a monitor of type tcp."""


class DnsMonitorChange(DnsMonitorAnswer, _Changed):
    """What a change made of a monitor of type dns."""


_BY_TYPE = Field(discriminator="type")
MonitorItem = Annotated[HttpMonitorItem | TcpMonitorItem | DnsMonitorItem, _BY_TYPE]
MonitorAnswer = Annotated[HttpMonitorAnswer | TcpMonitorAnswer | DnsMonitorAnswer, _BY_TYPE]
ConfigAnswer = Annotated[HttpConfigAnswer | TcpConfigAnswer | DnsConfigAnswer, _BY_TYPE]
ConfigChange = Annotated[HttpConfigChange | TcpConfigChange | DnsConfigChange, _BY_TYPE]
MonitorChange = Annotated[HttpMonitorChange | TcpMonitorChange | DnsMonitorChange, _BY_TYPE]


class ListEnvelope(Envelope):
    """The members of every list; `total` is there only when asked for, and stops at 10,000."""

    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    url: str
    total: int | None = None


class MonitorList(ListEnvelope):
    """A page of monitors."""

    data: list[MonitorItem]


class Deleted(Envelope):
    """Something is gone."""

    object: str
    id: str
    deleted: Literal[True]


class EscalationTarget(Answer):
    """One receiver of a step."""

    type: Literal["user", "channel", "monitor_notifications", "schedule"]
    id: str | None


class EscalationStep(Answer):
    """One rung of the ladder."""

    delay_seconds: int
    targets: list[EscalationTarget]
    only_between: dict[str, Any] | None


class EscalationRepeat(Answer):
    """How often the ladder is climbed again."""

    count: int
    delay_seconds: int


class PolicyItem(Answer):
    """An escalation policy inside another answer."""

    object: Literal["escalation_policy"]
    id: str
    team_id: str
    slug: str
    name: str
    description: str | None
    is_default: bool
    auto_created: bool
    steps: list[EscalationStep]
    repeat: EscalationRepeat
    ack_timeout_seconds: int | None
    auto_resolve_seconds: int | None
    severities: list[str]
    created_at: datetime
    updated_at: datetime


class PolicyAnswer(PolicyItem, Envelope):
    """An escalation policy."""


class PolicyList(ListEnvelope):
    """A page of escalation policies."""

    data: list[PolicyItem]


class ApiAnswer(Envelope):
    """What answers here."""

    object: Literal["api"]
    version: str
    docs_url: str
