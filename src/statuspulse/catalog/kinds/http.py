"""Monitors of type http."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from statuspulse.catalog.kinds.addresses import policy_problems
from statuspulse.catalog.kinds.http_assertions import Assertions, assertion_problems
from statuspulse.catalog.kinds.http_headers import Auth, Headers, auth_secrets, header_problems, header_secrets
from statuspulse.catalog.kinds.kind import Config, Kind, SecretMember, nothing_to_rename
from statuspulse.catalog.members.common import ExpectedStatus, Members, Name, WebUrl
from statuspulse.catalog.members.monitor import CommonMembers
from statuspulse.catalog.refusals import Detail
from statuspulse.egress.literals import ascii_name, literal_address
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.urls import Url, parse_url


def _server_name(name: str) -> str:
    try:
        if literal_address(name) is None:
            ascii_name(name)
            return name
    except ValueError:
        raise PydanticCustomError("parameter_invalid_format", "must be a host name") from None
    raise PydanticCustomError("parameter_invalid_format", "must be a host name; an address is never sent as one")


class TlsMembers(Members):
    verify: Annotated[bool, Field(description="Whether the certificate has to be trusted and to fit the name.")] = True
    expiry_warn_days: Annotated[
        int,
        Field(ge=0, le=365, description="So many days before a certificate ends `monitor.tls_expiring` tells of it."),
    ] = 14
    server_name: Annotated[
        Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_server_name)] | None,
        Field(description="The name that TLS asks for; null for the host of the URL."),
    ] = None


class HttpMembers(Members):
    url: Annotated[WebUrl, Field(description="What is called: http or https.")]
    method: Annotated[
        Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        Field(description="The method of the request."),
    ] = "GET"
    headers: Annotated[
        Headers, Field(description="Headers of the request; the value of a secret one is sealed and answered as ***.")
    ] = Field(default_factory=list)
    body: Annotated[
        Annotated[str, Field(max_length=65_536)] | None, Field(description="The body of the request; null for none.")
    ] = None
    auth: Annotated[
        Auth | None,
        Field(description="Credentials by `basic` or `bearer`; what is secret is sealed and answered as ***."),
    ] = None
    expected_status: Annotated[
        ExpectedStatus,
        Field(description="Statuses that are good: numbers, 2xx or 200-299, one or several; by default 2xx."),
    ] = Field(default_factory=lambda: ["2xx"])
    follow_redirects: Annotated[bool, Field(description="Whether a redirect leads on, or is the answer.")] = True
    max_redirects: Annotated[int, Field(ge=0, le=20, description="More redirects than that are a failure.")] = 5
    http_version: Annotated[
        Literal["auto", "1.1", "2"], Field(description="The version of HTTP; `auto` is what both sides speak.")
    ] = "auto"
    ip_version: Annotated[
        Literal["auto", "4", "6"], Field(description="The family of addresses; `auto` is what host and probe have.")
    ] = "auto"
    tls: Annotated[TlsMembers, Field(description="How TLS is spoken, for https.")] = Field(default_factory=TlsMembers)
    max_body_bytes: Annotated[
        int, Field(ge=0, le=5 << 20, description="How much of the body is read; by default 1 MiB.")
    ] = 1 << 20
    assertions: Annotated[Assertions, Field(description="Rules on the answer; all have to hold.")] = Field(
        default_factory=list
    )


class HttpMonitor(CommonMembers, HttpMembers):
    """A monitor of type http."""

    name: Annotated[Name, Field(description="What people call it; need not be unique.")]
    type: Annotated[Literal["http"], Field(description="What is checked, and how; stays as it is.")]


def _target(config: Config) -> str:
    return str(config["url"])


def _problems(config: Config, policy: Policy) -> Iterator[Detail]:
    url = parse_url(config["url"])
    yield from policy_problems(url.host, url.port, Purpose.CHECK_HTTP, policy, ("url",))
    yield from _family_problems(url, config["ip_version"])
    if config["body"] is not None and config["method"] == "HEAD":
        yield Detail(code="parameter_conflict", path=("body",), message="is not sent with HEAD; use another method")
    yield from header_problems(config["headers"], config["auth"])
    yield from assertion_problems(config)


def _family_problems(url: Url, ip_version: str) -> Iterator[Detail]:
    if url.ip is not None and ip_version not in {"auto", str(ip_address(url.ip).version)}:
        message = "is not that of the address in the url; leave it out"
        yield Detail(code="parameter_conflict", path=("ip_version",), message=message)


def _secrets(config: Config) -> Iterator[SecretMember]:
    yield from header_secrets(config["headers"])
    yield from auth_secrets(config["auth"])


HTTP = Kind(
    name="http",
    members=HttpMembers,
    model=HttpMonitor,
    target=_target,
    problems=_problems,
    aliases={},
    ways=(),
    under_one_name=nothing_to_rename,
    secrets=_secrets,
)
