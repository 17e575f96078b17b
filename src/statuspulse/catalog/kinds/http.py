"""Monitors of type http."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from statuspulse.catalog.kinds.addresses import policy_problems
from statuspulse.catalog.kinds.kind import Config, Kind, nothing_to_rename
from statuspulse.catalog.members import ExpectedStatus, Fixed, Members, Name, WebUrl
from statuspulse.catalog.monitor_members import CommonMembers
from statuspulse.catalog.refusals import Detail
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.urls import parse_url

_ARRAY = {"type": "array", "items": {"type": "object"}}
_OBJECT = {"type": ["object", "null"]}


class TlsMembers(Members):
    verify: Annotated[Any, Fixed(default=True, answered={"type": "boolean"})] = True
    expiry_warn_days: Annotated[Any, Fixed(default=14, answered={"type": "integer"})] = 14
    server_name: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None


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


class HttpMonitor(CommonMembers, HttpMembers):
    """A monitor of type http."""

    name: Name
    type: Literal["http"]


def _target(config: Config) -> str:
    return str(config["url"])


def _problems(config: Config, policy: Policy) -> Iterator[Detail]:
    url = parse_url(config["url"])
    yield from policy_problems(url.host, url.port, Purpose.CHECK_HTTP, policy, ("url",))


HTTP = Kind(
    name="http",
    members=HttpMembers,
    model=HttpMonitor,
    target=_target,
    problems=_problems,
    aliases={},
    ways=(),
    under_one_name=nothing_to_rename,
)
