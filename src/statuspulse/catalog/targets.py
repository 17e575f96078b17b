"""Whether a monitor's target can be what it says; literal addresses of denied classes are refused (`API.md` C.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from statuspulse.catalog.refusals import Detail, Path
from statuspulse.egress.literals import ascii_name, literal_address
from statuspulse.egress.policy import Policy, Purpose, literal_verdict
from statuspulse.egress.urls import bracketed, parse_url

_DNS_PORT = 53
_ROOT_ZONE = "."
_ADDRESS_VERSIONS = {"A": 4, "AAAA": 6}


def target_of(config: Mapping[str, Any]) -> str:
    """The address that people see, as it was given."""
    match config["type"]:
        case "http":
            return str(config["url"])
        case "tcp":
            return f"{bracketed(config['host'].strip('[]'))}:{config['port']}"
        case _:
            return str(config["host"])


def problems(config: Mapping[str, Any], policy: Policy) -> Iterator[Detail]:
    """What is wrong with the target. Names are not looked up: they are judged when they are dialled."""
    match config["type"]:
        case "http":
            url = parse_url(config["url"])
            yield from _judged(url.host, url.port, Purpose.CHECK_HTTP, policy, ("url",))
        case "tcp":
            yield from _host(config["host"])
            yield from _judged(config["host"], config["port"], Purpose.CHECK_TCP, policy, ("host",))
        case _:
            if config["host"] != _ROOT_ZONE:
                yield from _host(config["host"])
            yield from _resolver(config["resolver"], policy)
            yield from _values(config)


def endpoint(text: str) -> tuple[str, int]:
    """Host and port of `tcp://host:port`; raises ValueError."""
    scheme, separator, authority = text.partition("://")
    if scheme.lower() != "tcp" or not separator:
        raise ValueError("has to be of the form tcp://host:port")
    host, separator, port = authority.rpartition(":")
    if not separator or not host or not _is_port(port):
        raise ValueError("has to be of the form tcp://host:port")
    return host, int(port)


def _host(host: str) -> Iterator[Detail]:
    try:
        if literal_address(host) is None:
            ascii_name(host)
    except ValueError as error:
        yield Detail(code="parameter_invalid_format", path=("host",), message=f"is no usable host: {error}")


def _judged(host: str, port: int, purpose: Purpose, policy: Policy, path: Path) -> Iterator[Detail]:
    try:
        verdict = literal_verdict(host, port, purpose, policy)
    except ValueError:
        return
    if verdict is not None and not verdict.allowed:
        yield Detail(code="url_blocked", path=path, message=f"cannot be checked: {verdict.text}")


def _resolver(resolver: str | None, policy: Policy) -> Iterator[Detail]:
    if resolver is None:
        return
    host, port = resolver, _DNS_PORT
    before, separator, after = resolver.rpartition(":")
    if separator and "]" not in after and (":" not in before or before.startswith("[")):
        host, port = before, int(after) if _is_port(after) else 0
    try:
        is_address = literal_address(host) is not None
    except ValueError:
        is_address = False
    if not is_address or port == 0:
        message = "has to be an address such as 9.9.9.9, 9.9.9.9:53 or [2620:fe::fe]:53"
        yield Detail(code="parameter_invalid_format", path=("resolver",), message=message)
        return
    yield from _judged(host, port, Purpose.CHECK_RESOLVER, policy, ("resolver",))


def _values(config: Mapping[str, Any]) -> Iterator[Detail]:
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


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535
