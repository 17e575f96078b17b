"""Monitors of type icmp."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.catalog.kinds.addresses import Host, host_problems, policy_problems
from statuspulse.catalog.kinds.kind import Config, Kind, nothing_to_rename
from statuspulse.catalog.members.common import Members, Name
from statuspulse.catalog.members.monitor import CommonMembers
from statuspulse.catalog.refusals import Detail
from statuspulse.egress.literals import literal_address
from statuspulse.egress.policy import Policy, Purpose

_LOSS = "More lost packets than that, and the check fails; it always fails when all of them are lost."
_NO_PORT = 0


class IcmpMembers(Members):
    host: Annotated[Host, Field(description="A name or an address.")]
    packets: Annotated[int, Field(ge=1, le=10, description="How many echo requests a check sends.")] = 3
    max_loss_pct: Annotated[int, Field(ge=0, le=100, description=_LOSS)] = 0
    ip_version: Annotated[
        Literal["auto", "4", "6"], Field(description="The family of addresses; `auto` is what host and probe have.")
    ] = "auto"


class IcmpMonitor(CommonMembers, IcmpMembers):
    """A monitor of type icmp: echo requests to a host."""

    name: Annotated[Name, Field(description="What people call it; need not be unique.")]
    type: Annotated[Literal["icmp"], Field(description="What is checked, and how; stays as it is.")]


def _target(config: Config) -> str:
    return str(config["host"])


def _problems(config: Config, policy: Policy) -> Iterator[Detail]:
    yield from host_problems(config["host"])
    yield from policy_problems(config["host"], _NO_PORT, Purpose.CHECK_ICMP, policy, ("host",))
    yield from _version_problems(config["host"], config["ip_version"])


def _version_problems(host: str, ip_version: str) -> Iterator[Detail]:
    try:
        ip = literal_address(host)
    except ValueError:
        return
    if ip is not None and ip_version not in ("auto", "6" if ":" in ip else "4"):
        message = "is not the version of the address in host"
        yield Detail(code="parameter_conflict", path=("ip_version",), message=message)


ICMP = Kind(
    name="icmp",
    members=IcmpMembers,
    model=IcmpMonitor,
    target=_target,
    problems=_problems,
    aliases={},
    ways=(),
    under_one_name=nothing_to_rename,
)
