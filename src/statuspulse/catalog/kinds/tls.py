"""Monitors of type tls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.catalog.kinds.addresses import Host, Port, host_problems, policy_problems
from statuspulse.catalog.kinds.kind import Config, Kind, nothing_to_rename
from statuspulse.catalog.kinds.names import ServerName, server_name_problems
from statuspulse.catalog.members import Members, Name
from statuspulse.catalog.monitor_members import CommonMembers
from statuspulse.catalog.refusals import Detail
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.urls import bracketed

_DAYS = "Fewer days until the first certificate of the chain ends, and the check fails; 0 waits for the end itself."


class HandshakeMembers(Members):
    host: Host
    port: Port = 443
    server_name: ServerName | None = None
    verify: bool = True
    min_days_left: Annotated[int, Field(ge=0, le=365, description=_DAYS)] = 0
    min_version: Literal["1.2", "1.3"] = "1.2"


class TlsMonitor(CommonMembers, HandshakeMembers):
    """A monitor of type tls: a handshake, and the end of the certificates."""

    name: Name
    type: Literal["tls"]


def _target(config: Config) -> str:
    return f"{bracketed(config['host'].strip('[]'))}:{config['port']}"


def _problems(config: Config, policy: Policy) -> Iterator[Detail]:
    yield from host_problems(config["host"])
    yield from policy_problems(config["host"], config["port"], Purpose.CHECK_TCP, policy, ("host",))
    yield from server_name_problems(config["server_name"])


TLS = Kind(
    name="tls",
    members=HandshakeMembers,
    model=TlsMonitor,
    target=_target,
    problems=_problems,
    aliases={},
    ways=(),
    under_one_name=nothing_to_rename,
)
