"""From the host of a monitor to a judged address, for the kinds of check that dial one."""

from __future__ import annotations

from time import monotonic_ns
from typing import NamedTuple

from statuspulse.domain.failure import Failure
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.literals import ascii_name, literal_address
from statuspulse.egress.policy import Purpose


class Target(NamedTuple):
    """Where to dial, or why not, and what finding it took in µs: 0 for an address."""

    located: Located | Failure
    dns_us: int


async def find(gate: Gate, host: str, port: int, purpose: Purpose, deadline: Deadline) -> Target:
    """Resolves and judges a host in any spelling; raises ValueError for what is none."""
    ip = literal_address(host)
    if ip is not None:
        return Target(gate.guard.judge(ip, port, purpose), 0)
    begun = monotonic_ns()
    located = await gate.locate(ascii_name(host), port, purpose, deadline)
    return Target(located, (monotonic_ns() - begun) // 1000)
