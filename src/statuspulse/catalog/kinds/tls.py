"""Monitors of type tls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.catalog.kinds.addresses import Host, Port, host_problems, policy_problems
from statuspulse.catalog.kinds.kind import Config, Kind, nothing_to_rename
from statuspulse.catalog.kinds.names import ServerName, server_name_problems
from statuspulse.catalog.members.common import Members, Name
from statuspulse.catalog.members.monitor import CommonMembers
from statuspulse.catalog.refusals import Detail
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.urls import bracketed

_DAYS = "Fewer days until the first certificate of the chain ends, and the check fails; 0 waits for the end itself."


class HandshakeMembers(Members):
    host: Annotated[Host, Field(description="A name or an address.")]
    port: Annotated[Port, Field(description="The port to connect to.")] = 443
    server_name: Annotated[ServerName | None, Field(description="The name that TLS asks for; null for the host.")] = (
        None
    )
    verify: Annotated[bool, Field(description="Whether the certificate has to be trusted and to fit the name.")] = True
    min_days_left: Annotated[int, Field(ge=0, le=365, description=_DAYS)] = 0
    min_version: Annotated[Literal["1.2", "1.3"], Field(description="The lowest version of TLS that is good.")] = "1.2"


class TlsMonitor(CommonMembers, HandshakeMembers):
    """A monitor of type tls: a handshake, and the end of the certificates."""

    name: Annotated[Name, Field(description="What people call it; need not be unique.")]
    type: Annotated[Literal["tls"], Field(description="What is checked, and how; stays as it is.")]


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
