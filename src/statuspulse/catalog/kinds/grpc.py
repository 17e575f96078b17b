"""Monitors of type grpc."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from statuspulse.catalog.kinds.addresses import Host, Port, host_problems, policy_problems
from statuspulse.catalog.kinds.kind import Config, Kind, nothing_to_rename
from statuspulse.catalog.kinds.names import ServerName, server_name_problems
from statuspulse.catalog.members.common import Members, Name, one_line
from statuspulse.catalog.members.monitor import CommonMembers
from statuspulse.catalog.refusals import Detail
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.urls import bracketed

_SERVICE = "The service that is asked about; empty for the server as a whole."

Service = Annotated[str, Field(max_length=200, description=_SERVICE), AfterValidator(one_line)]


class GrpcMembers(Members):
    host: Annotated[Host, Field(description="A name or an address.")]
    port: Annotated[Port, Field(description="The port to connect to.")]
    service: Annotated[
        Service, Field(description="The service whose health is asked for; empty for that of the whole server.")
    ] = ""
    tls: Annotated[bool, Field(description="Whether TLS is spoken.")] = False
    server_name: Annotated[ServerName | None, Field(description="The name that TLS asks for; null for the host.")] = (
        None
    )
    verify: Annotated[bool, Field(description="Whether the certificate has to be trusted and to fit the name.")] = True


class GrpcMonitor(CommonMembers, GrpcMembers):
    """A monitor of type grpc: the standard health check."""

    name: Annotated[Name, Field(description="What people call it; need not be unique.")]
    type: Annotated[Literal["grpc"], Field(description="What is checked, and how; stays as it is.")]


def _target(config: Config) -> str:
    endpoint = f"{bracketed(config['host'].strip('[]'))}:{config['port']}"
    return f"{endpoint}/{config['service']}" if config["service"] else endpoint


def _problems(config: Config, policy: Policy) -> Iterator[Detail]:
    yield from host_problems(config["host"])
    yield from policy_problems(config["host"], config["port"], Purpose.CHECK_TCP, policy, ("host",))
    yield from server_name_problems(config["server_name"])
    if config["server_name"] is not None and not config["tls"]:
        message = "has a meaning with tls only; leave it out, or set tls"
        yield Detail(code="parameter_conflict", path=("server_name",), message=message)


GRPC = Kind(
    name="grpc",
    members=GrpcMembers,
    model=GrpcMonitor,
    target=_target,
    problems=_problems,
    aliases={},
    ways=(),
    under_one_name=nothing_to_rename,
)
