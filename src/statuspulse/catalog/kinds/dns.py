"""Monitors of type dns."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from statuspulse.catalog.kinds.addresses import Host, host_problems, is_port, policy_problems
from statuspulse.catalog.kinds.kind import Config, Kind
from statuspulse.catalog.members import Fixed, Members, Name, one_line
from statuspulse.catalog.monitor_members import CommonMembers
from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.egress.literals import literal_address
from statuspulse.egress.policy import Policy, Purpose

_OBJECT = {"type": ["object", "null"]}
_RCODES = Literal["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "NOTAUTH", "NOTZONE"]
_DNS_PORT = 53
_ROOT_ZONE = "."
_ADDRESS_VERSIONS = {"A": 4, "AAAA": 6}

Resolver = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(one_line)]
ExpectedValue = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(one_line)]


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


class DnsMonitor(CommonMembers, DnsMembers):
    """A monitor of type dns; `hostname` is another word for `host`."""

    name: Name
    type: Literal["dns"]


def _target(config: Config) -> str:
    return str(config["host"])


def _problems(config: Config, policy: Policy) -> Iterator[Detail]:
    if config["host"] != _ROOT_ZONE:
        yield from host_problems(config["host"])
    yield from _resolver_problems(config["resolver"], policy)
    yield from _value_problems(config)


def _resolver_problems(resolver: str | None, policy: Policy) -> Iterator[Detail]:
    if resolver is None:
        return
    host, port = resolver, _DNS_PORT
    before, separator, after = resolver.rpartition(":")
    if separator and "]" not in after and (":" not in before or before.startswith("[")):
        host, port = before, int(after) if is_port(after) else 0
    try:
        is_address = literal_address(host) is not None
    except ValueError:
        is_address = False
    if not is_address or port == 0:
        message = "has to be an address such as 9.9.9.9, 9.9.9.9:53 or [2620:fe::fe]:53"
        yield Detail(code="parameter_invalid_format", path=("resolver",), message=message)
        return
    yield from policy_problems(host, port, Purpose.CHECK_RESOLVER, policy, ("resolver",))


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
