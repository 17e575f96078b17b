"""Monitors of type dns."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from statuspulse.catalog.kinds.addresses import Host, policy_problems, question_problems
from statuspulse.catalog.kinds.kind import Config, Kind
from statuspulse.catalog.members.common import URL_LIMIT, Members, Name, one_line
from statuspulse.catalog.members.monitor import CommonMembers
from statuspulse.catalog.refusals import Detail, InvalidInputError, Path
from statuspulse.egress.endpoints import parse_endpoint
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.urls import parse_url

_RCODES = Literal["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "NOTAUTH", "NOTZONE"]
_DNS_PORT = 53
_DOT_PORT = 853
_ROOT_ZONE = "."
_ADDRESS_VERSIONS = {"A": 4, "AAAA": 6}

_LONGEST_TTL = (1 << 31) - 1  # RFC 2181, 8
_LARGEST_SERIAL = (1 << 32) - 1

Resolver = Annotated[str, Field(min_length=1, max_length=URL_LIMIT), AfterValidator(one_line)]
NameServer = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(one_line)]
Ttl = Annotated[int, Field(ge=0, le=_LONGEST_TTL)]
ExpectedValue = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(one_line)]


class SoaSerialMembers(Members):
    """A zone's serial: equal on these name servers, which are asked directly, and at least this number."""

    equal_on: Annotated[
        list[NameServer], Field(max_length=10, description="Name servers that have to have the same serial.")
    ] = Field(default_factory=list)
    at_least: Annotated[
        Annotated[int, Field(ge=0, le=_LARGEST_SERIAL)] | None, Field(description="The lowest serial that is good.")
    ] = None


class DnsMembers(Members):
    host: Annotated[Host, Field(description="The name that is asked about.")]
    record_type: Annotated[
        Literal["A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "SRV", "CAA", "PTR"],
        Field(description="The type of record that is asked for."),
    ] = "A"
    resolver: Annotated[
        Resolver | None,
        Field(description="Who is asked: an address, a name over dot, a URL over doh; null for the probe's own."),
    ] = None
    protocol: Annotated[Literal["udp", "tcp", "dot", "doh"], Field(description="How the question travels.")] = "udp"
    expected_rcode: Annotated[_RCODES, Field(description="The code that the answer has to have.")] = "NOERROR"
    expected_values: Annotated[
        list[ExpectedValue], Field(max_length=50, description="Values that the answer has to hold, by `match`.")
    ] = Field(default_factory=list)
    match: Annotated[
        Literal["any", "all", "exact"],
        Field(description="`any`: one of the values is there. `all`: each is. `exact`: no others are."),
    ] = "any"
    ttl_min_seconds: Annotated[Ttl | None, Field(description="The lowest TTL of the answer that is good.")] = None
    ttl_max_seconds: Annotated[Ttl | None, Field(description="The highest TTL of the answer that is good.")] = None
    require_aa: Annotated[bool, Field(description="Whether the answer has to be authoritative.")] = False
    require_ad: Annotated[
        bool, Field(description="Whether the resolver has to say that it has validated the answer.")
    ] = False
    soa_serial: Annotated[SoaSerialMembers | None, Field(description="What has to hold of the serial of the zone.")] = (
        None
    )


class DnsMonitor(CommonMembers, DnsMembers):
    """A monitor of type dns; `hostname` is another word for `host`."""

    name: Annotated[Name, Field(description="What people call it; need not be unique.")]
    type: Annotated[Literal["dns"], Field(description="What is checked, and how; stays as it is.")]


def _target(config: Config) -> str:
    return str(config["host"])


def _problems(config: Config, policy: Policy) -> Iterator[Detail]:
    if config["host"] != _ROOT_ZONE:
        yield from question_problems(config["host"])
    yield from _resolver_problems(config["resolver"], config["protocol"], policy)
    yield from _value_problems(config)
    yield from _ttl_problems(config)
    yield from _serial_problems(config, policy)


def _resolver_problems(resolver: str | None, protocol: str, policy: Policy) -> Iterator[Detail]:
    path = ("resolver",)
    if resolver is None:
        if protocol in {"dot", "doh"}:
            yield Detail(code="parameter_missing", path=path, message=f"is required with the protocol {protocol}")
    elif protocol == "doh":
        yield from _url_problems(resolver, policy, path)
    else:
        yield from _server_problems(resolver, policy, path, is_secure=protocol == "dot")


def _url_problems(resolver: str, policy: Policy, path: Path) -> Iterator[Detail]:
    if not resolver.lower().startswith("https://"):
        message = "has to be an https URL such as https://dns.example/dns-query with the protocol doh"
        yield Detail(code="scheme_unsupported", path=path, message=message)
        return
    if "{" in resolver:
        message = "must not be a template: questions are sent by POST, so leave the braces out"
        yield Detail(code="parameter_invalid_format", path=path, message=message)
        return
    try:
        url = parse_url(resolver)
    except ValueError as error:
        yield Detail(code="parameter_invalid_format", path=path, message=f"is no usable URL: {error}")
        return
    yield from policy_problems(url.host, url.port, Purpose.CHECK_RESOLVER, policy, path)


def _server_problems(text: str, policy: Policy, path: Path, *, is_secure: bool) -> Iterator[Detail]:
    """An address with or without a port; over DoT also a name."""
    try:
        server = parse_endpoint(text, _DOT_PORT if is_secure else _DNS_PORT)
    except ValueError:
        server = None
    if server is not None and (is_secure or server.is_address):
        yield from policy_problems(server.host, server.port, Purpose.CHECK_RESOLVER, policy, path)
    elif is_secure:
        message = "has to be an address or a name, such as 9.9.9.9, dns.example or dns.example:853"
        yield Detail(code="parameter_invalid_format", path=path, message=message)
    else:
        message = "has to be an address such as 9.9.9.9, 9.9.9.9:53 or [2620:fe::fe]:53"
        yield Detail(code="parameter_invalid_format", path=path, message=message)


def _ttl_problems(config: Config) -> Iterator[Detail]:
    low, high = config["ttl_min_seconds"], config["ttl_max_seconds"]
    if low is not None and high is not None and low > high:
        message = f"must not exceed ttl_max_seconds, which is {high}"
        yield Detail(code="parameter_conflict", path=("ttl_min_seconds",), message=message, extra={"limit": high})


def _serial_problems(config: Config, policy: Policy) -> Iterator[Detail]:
    rule = config["soa_serial"]
    if rule is None:
        return
    if config["record_type"] != "SOA":
        message = "needs record_type SOA"
        yield Detail(code="parameter_conflict", path=("soa_serial",), message=message)
    servers: list[str] = rule["equal_on"]
    if not servers and rule["at_least"] is None:
        message = "needs equal_on or at_least"
        yield Detail(code="parameter_missing", path=("soa_serial",), message=message)
    if len(servers) == 1:
        message = "needs at least two name servers"
        yield Detail(
            code="parameter_out_of_range", path=("soa_serial", "equal_on"), message=message, extra={"limit": 2}
        )
    for place, server in enumerate(servers):
        yield from _name_server_problems(server, policy, ("soa_serial", "equal_on", place))


def _name_server_problems(text: str, policy: Policy, path: Path) -> Iterator[Detail]:
    try:
        server = parse_endpoint(text, _DNS_PORT)
    except ValueError as error:
        message = f"has to be a name or an address, with or without a port: {error}"
        yield Detail(code="parameter_invalid_format", path=path, message=message)
        return
    yield from policy_problems(server.host, server.port, Purpose.CHECK_RESOLVER, policy, path)


def _value_problems(config: Config) -> Iterator[Detail]:
    version = _ADDRESS_VERSIONS.get(config["record_type"])
    if version is None:
        return
    for place, value in enumerate(config["expected_values"]):
        if not _is_address(value, version):
            yield Detail(
                code="parameter_invalid_format",
                path=("expected_values", place),
                message=f"has to be an IPv{version} address",
            )


def _is_address(text: str, version: int) -> bool:
    try:
        return ip_address(text).version == version
    except ValueError:
        return False


def _rename_hostname(document: dict[str, Any]) -> None:
    if "hostname" not in document:
        return
    value = document.pop("hostname")
    if document.get("host", value) != value:
        message = "is another word for host; send one of the two"
        raise InvalidInputError([Detail(code="parameter_conflict", path=("hostname",), message=message)])
    document["host"] = value


DNS = Kind(
    name="dns",
    members=DnsMembers,
    model=DnsMonitor,
    target=_target,
    problems=_problems,
    aliases={"hostname": DnsMembers.model_json_schema()["properties"]["host"]},
    ways=(("host",), ("hostname",)),
    under_one_name=_rename_hostname,
)
