"""The members of a monitor, one closed object per type: the request of `API.md` C.1 and what is stored of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members import (
    Description,
    ExpectedStatus,
    Fixed,
    Members,
    MetadataKey,
    MetadataValue,
    Name,
    Quorum,
    Regions,
    Slug,
    Tags,
    WebUrl,
    one_line,
)
from statuspulse.domain.times import SECOND

LONGEST_INTERVAL_SECONDS = 86_400
# Key of the validation context under which the caller passes the instance's floor.
SHORTEST_INTERVAL = "shortest_interval_seconds"
_DEFAULT_TIMEOUT_MS = 10_000
_DEFAULT_REGIONS = ("local",)

_ARRAY = {"type": "array", "items": {"type": "object"}}
_OBJECT = {"type": ["object", "null"]}
_RCODES = Literal["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "NOTAUTH", "NOTZONE"]

Host = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(one_line)]
Resolver = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(one_line)]
ExpectedValue = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(one_line)]
ChannelText = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(one_line)]


def _interval(seconds: int, info: ValidationInfo) -> int:
    """The floor is a setting of the instance, so it comes with the call."""
    floor = (info.context or {}).get(SHORTEST_INTERVAL, 1)
    if not floor <= seconds <= LONGEST_INTERVAL_SECONDS:
        limit = floor if seconds < floor else LONGEST_INTERVAL_SECONDS
        text = "must be between {floor} and {ceiling}"
        context = {"floor": floor, "ceiling": LONGEST_INTERVAL_SECONDS, "limit": limit}
        raise PydanticCustomError("parameter_out_of_range", text, context)
    return seconds


IntervalSeconds = Annotated[
    int,
    AfterValidator(_interval),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LONGEST_INTERVAL_SECONDS}),
]


class RetryMembers(Members):
    count: Annotated[int, Field(ge=0, le=3)] = 1
    delay_ms: Annotated[int, Field(ge=100, le=30_000)] = 1000


class TlsMembers(Members):
    verify: Annotated[Any, Fixed(default=True, answered={"type": "boolean"})] = True
    expiry_warn_days: Annotated[Any, Fixed(default=14, answered={"type": "integer"})] = 14
    server_name: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None


class CommonMembers(Members):
    """What every type has; `timeout_ms` is by default the smaller of 10 s and the interval."""

    interval_seconds: IntervalSeconds = 60
    timeout_ms: Annotated[int, Field(ge=100, le=60_000)] = Field(
        default_factory=lambda valid: min(_DEFAULT_TIMEOUT_MS, valid["interval_seconds"] * SECOND)
    )
    regions: Regions = Field(default_factory=lambda: list(_DEFAULT_REGIONS))
    region_strategy: Annotated[Any, Fixed(default="parallel", answered={"type": "string"})] = "parallel"
    quorum: Quorum = "majority"
    failure_threshold: Annotated[int, Field(ge=1, le=10)] = 2
    recovery_threshold: Annotated[int, Field(ge=1, le=10)] = 2
    retry: RetryMembers = Field(default_factory=RetryMembers)
    degraded_latency_ms: Annotated[Any, Fixed(default=None, answered={"type": ["integer", "null"]})] = None
    severity: Literal["critical", "error", "warning", "info"] = "critical"
    escalation_policy: Slug | None = None
    notifications: Annotated[list[ChannelText], Field(max_length=20)] = Field(default_factory=list)
    notification_rules: Annotated[Any, Fixed(default=[], answered=_ARRAY)] = Field(default_factory=list)
    maintenance_windows: Annotated[Any, Fixed(default=[], answered=_ARRAY)] = Field(default_factory=list)
    sla: Annotated[Any, Fixed(default=None, answered=_OBJECT)] = None
    depends_on: Annotated[Any, Fixed(default=[], answered={"type": "array", "items": {"type": "string"}})] = Field(
        default_factory=list
    )
    tags: Tags = Field(default_factory=list)
    description: Description | None = None
    runbook_url: WebUrl | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50)] = Field(default_factory=dict)
    paused: bool = False


class HttpMembers(Members):
    url: WebUrl
    method: Annotated[Any, Fixed(default="GET", answered={"type": "string"})] = "GET"
    headers: Annotated[Any, Fixed(default=[], answered=_ARRAY)] = Field(default_factory=list)
    body: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None
    auth: Annotated[Any, Fixed(default=None, answered=_OBJECT)] = None
    expected_status: ExpectedStatus = Field(default_factory=lambda: ["2xx"])
    follow_redirects: bool = True
    max_redirects: Annotated[int, Field(ge=0, le=20)] = 5
    http_version: Annotated[Any, Fixed(default="auto", answered={"type": "string"})] = "auto"
    ip_version: Annotated[Any, Fixed(default="auto", answered={"type": "string"})] = "auto"
    tls: TlsMembers = Field(default_factory=TlsMembers)
    max_body_bytes: Annotated[int, Field(ge=0, le=5 << 20)] = 1 << 20
    assertions: Annotated[Any, Fixed(default=[], answered=_ARRAY)] = Field(default_factory=list)


class TcpMembers(Members):
    host: Host
    port: Annotated[int, Field(ge=1, le=65_535)]
    send: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None
    expect: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None
    tls: Annotated[Any, Fixed(default=False, answered={"type": "boolean"})] = False
    starttls: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None
    steps: Annotated[Any, Fixed(default=[], answered=_ARRAY)] = Field(default_factory=list)


class DnsMembers(Members):
    host: Host
    record_type: Literal["A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "SRV", "CAA", "PTR"] = "A"
    resolver: Resolver | None = None
    protocol: Annotated[Any, Fixed(default="udp", answered={"type": "string"})] = "udp"
    expected_rcode: _RCODES = "NOERROR"
    expected_values: Annotated[list[ExpectedValue], Field(max_length=50)] = Field(default_factory=list)
    match: Literal["any", "all", "exact"] = "any"
    ttl_min_seconds: Annotated[Any, Fixed(default=None, answered={"type": ["integer", "null"]})] = None
    ttl_max_seconds: Annotated[Any, Fixed(default=None, answered={"type": ["integer", "null"]})] = None
    require_aa: Annotated[Any, Fixed(default=False, answered={"type": "boolean"})] = False
    require_ad: Annotated[Any, Fixed(default=False, answered={"type": "boolean"})] = False
    soa_serial: Annotated[Any, Fixed(default=None, answered=_OBJECT)] = None


class HttpMonitor(CommonMembers, HttpMembers):
    """A monitor of type http."""

    name: Name
    type: Literal["http"]


class TcpMonitor(CommonMembers, TcpMembers):
    """A monitor of type tcp: `host` and `port`, or both in one as `url: "tcp://host:port"`."""

    name: Name
    type: Literal["tcp"]


class DnsMonitor(CommonMembers, DnsMembers):
    """A monitor of type dns; `hostname` is another word for `host`."""

    name: Name
    type: Literal["dns"]


AnyMonitor = HttpMonitor | TcpMonitor | DnsMonitor
MODELS: dict[str, type[AnyMonitor]] = {"http": HttpMonitor, "tcp": TcpMonitor, "dns": DnsMonitor}
COMMON = frozenset({"name", "type", *CommonMembers.model_fields})
