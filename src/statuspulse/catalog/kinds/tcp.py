"""Monitors of type tcp."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from statuspulse.catalog.kinds.addresses import Host, Port, host_problems, is_port, policy_problems
from statuspulse.catalog.kinds.kind import Config, Kind
from statuspulse.catalog.members import Fixed, Members, Name
from statuspulse.catalog.monitor_members import CommonMembers
from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.urls import bracketed

_ARRAY = {"type": "array", "items": {"type": "object"}}
_URL = {"type": "string", "pattern": "^tcp://", "description": "Host and port in one: tcp://host:port."}


class TcpMembers(Members):
    host: Host
    port: Port
    send: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None
    expect: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None
    tls: Annotated[Any, Fixed(default=False, answered={"type": "boolean"})] = False
    starttls: Annotated[Any, Fixed(default=None, answered={"type": ["string", "null"]})] = None
    steps: Annotated[Any, Fixed(default=[], answered=_ARRAY)] = Field(default_factory=list)


class TcpMonitor(CommonMembers, TcpMembers):
    """A monitor of type tcp: `host` and `port`, or both in one as `url: "tcp://host:port"`."""

    name: Name
    type: Literal["tcp"]


def endpoint(text: str) -> tuple[str, int]:
    """Host and port of `tcp://host:port`; raises ValueError."""
    scheme, separator, authority = text.partition("://")
    if scheme.lower() != "tcp" or not separator:
        raise ValueError("has to be of the form tcp://host:port")
    host, separator, port = authority.rpartition(":")
    if not separator or not host or not is_port(port):
        raise ValueError("has to be of the form tcp://host:port")
    return host, int(port)


def _target(config: Config) -> str:
    return f"{bracketed(config['host'].strip('[]'))}:{config['port']}"


def _problems(config: Config, policy: Policy) -> Iterator[Detail]:
    yield from host_problems(config["host"])
    yield from policy_problems(config["host"], config["port"], Purpose.CHECK_TCP, policy, ("host",))


def _split_url(document: dict[str, Any]) -> None:
    if "url" not in document:
        return
    url = document.pop("url")
    if url is None:
        raise _wrong("parameter_missing", "url", "is required, or host and port")
    if not isinstance(url, str):
        raise _wrong("parameter_invalid_type", "url", "must be a string")
    try:
        host, port = endpoint(url)
    except ValueError as error:
        raise _wrong("parameter_invalid_format", "url", str(error)) from None
    if document.get("host", host) != host or document.get("port", port) != port:
        raise _wrong("parameter_conflict", "url", "names another endpoint than host and port; send one of the two")
    document |= {"host": host, "port": port}


def _wrong(code: str, name: str, message: str) -> InvalidInputError:
    return InvalidInputError([Detail(code=code, path=(name,), message=message)])


TCP = Kind(
    name="tcp",
    members=TcpMembers,
    model=TcpMonitor,
    target=_target,
    problems=_problems,
    aliases={"url": _URL},
    ways=(("host", "port"), ("url",)),
    under_one_name=_split_url,
)
