"""Monitors of type tcp."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from statuspulse.catalog.kinds.addresses import Host, Port, host_problems, is_port, policy_problems
from statuspulse.catalog.kinds.kind import Config, Kind
from statuspulse.catalog.kinds.tcp_members import Spoken, StarttlsName, Steps, TlsChoice
from statuspulse.catalog.members.common import Members, Name
from statuspulse.catalog.members.monitor import CommonMembers
from statuspulse.catalog.refusals import Detail, InvalidInputError, Path
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.urls import bracketed
from statuspulse.probe.pattern import PATTERN_LIMIT, compiled

_URL = {"type": "string", "pattern": "^tcp://", "description": "Host and port in one: tcp://host:port."}


class TcpMembers(Members):
    host: Annotated[Host, Field(description="A name or an address.")]
    port: Annotated[Port, Field(description="The port to connect to.")]
    send: Annotated[Spoken | None, Field(description="What is sent once the connection stands, as it is written.")] = (
        None
    )
    expect: Annotated[Spoken | None, Field(description="What the answer has to contain.")] = None
    tls: Annotated[TlsChoice, Field(description="TLS from the start: true, or its options.")] = False
    starttls: Annotated[
        StarttlsName | None, Field(description="The protocol in which TLS is asked for before anything else is said.")
    ] = None
    steps: Annotated[
        Steps, Field(description="A conversation of up to ten steps, in place of `send` and `expect`.")
    ] = Field(default_factory=list)


class TcpMonitor(CommonMembers, TcpMembers):
    """A monitor of type tcp: `host` and `port`, or both in one as `url: "tcp://host:port"`.

    `tls` is true for TLS from the start, or an object with its options; beside a `starttls` the options are for that.
    """

    name: Annotated[Name, Field(description="What people call it; need not be unique.")]
    type: Annotated[Literal["tcp"], Field(description="What is checked, and how; stays as it is.")]


def endpoint(text: str) -> tuple[str, int]:
    """Host and port of `tcp://host:port`; raises ValueError."""
    scheme, separator, authority = text.partition("://")
    if scheme.lower() != "tcp" or not separator:
        raise ValueError("has to be of the form tcp://host:port")
    host, separator, port = authority.rpartition(":")
    if not separator or not host or not port.isdecimal():
        raise ValueError("has to be of the form tcp://host:port")
    if not is_port(port):
        raise ValueError("has a port that is not between 1 and 65535")
    return host, int(port)


def _target(config: Config) -> str:
    return f"{bracketed(config['host'].strip('[]'))}:{config['port']}"


def _problems(config: Config, policy: Policy) -> Iterator[Detail]:
    yield from host_problems(config["host"])
    yield from policy_problems(config["host"], config["port"], Purpose.CHECK_TCP, policy, ("host",))
    yield from _script_problems(config)
    yield from _tls_problems(config)


def _script_problems(config: Config) -> Iterator[Detail]:
    for name in ("send", "expect"):
        if config["steps"] and config[name] is not None:
            message = "cannot stand beside steps; make it one of them"
            yield Detail(code="parameter_conflict", path=(name,), message=message)
    for place, step in enumerate(config["steps"]):
        if step.get("regex"):
            yield from _pattern_problems(step["expect"], ("steps", place, "expect"))


def _pattern_problems(pattern: str, path: Path) -> Iterator[Detail]:
    if len(pattern) > PATTERN_LIMIT:
        message = f"must have at most {PATTERN_LIMIT} characters as a pattern"
        yield Detail(code="parameter_too_long", path=path, message=message, extra={"limit": PATTERN_LIMIT})
        return
    try:
        compiled(pattern)
    except ValueError as error:
        message = f"is no pattern that RE2 takes, which knows no look-around and no back-references: {error}"
        yield Detail(code="parameter_invalid_format", path=path, message=message)


def _tls_problems(config: Config) -> Iterator[Detail]:
    """TLS begins once. Options alone begin it, too, unless a `starttls` does."""
    places: list[Path] = [] if config["starttls"] is None else [("starttls",)]
    places += [("steps", place, "starttls") for place, step in enumerate(config["steps"]) if "starttls" in step]
    if config["tls"] is True:
        places.insert(0, ("tls",))
    for path in places[1:]:
        yield Detail(code="parameter_conflict", path=path, message="would begin TLS a second time")
    if isinstance(config["tls"], dict) and config["tls"]["server_name"] is not None:
        for problem in host_problems(config["tls"]["server_name"]):
            yield replace(problem, path=("tls", "server_name"))


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
