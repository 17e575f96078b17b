"""The TCP check: a connection that has to be accepted (`ENGINE.md` 2.2)."""

from __future__ import annotations

from time import monotonic_ns

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.dial import connect
from statuspulse.egress.gate import Gate
from statuspulse.egress.literals import ascii_name, literal_address
from statuspulse.egress.policy import Purpose


class TcpCheck:
    """Runs TCP specifications through one gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def run(self, spec: TcpSpec, *, timeout_ms: int) -> Observation:
        deadline = Deadline.after(timeout_ms)
        try:
            ip = literal_address(spec.host)
            name = ascii_name(spec.host) if ip is None else ip
        except ValueError as error:
            return Observation(failure=Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {error}"))
        begun = monotonic_ns()
        if ip is not None:
            located = self._gate.guard.judge(ip, spec.port, Purpose.CHECK_TCP)
        else:
            located = await self._gate.locate(name, spec.port, Purpose.CHECK_TCP, deadline)
        dns_us = 0 if ip is not None else _since(begun)
        if isinstance(located, Failure):
            return Observation(failure=located, latency_us=dns_us, phases=Phases(dns_us=dns_us))
        asked = monotonic_ns()
        outcome = await connect(located, spec.port, deadline)
        connect_us = _since(asked)
        dialled = located.first
        if not isinstance(outcome, Failure):
            dialled = outcome.ip
            outcome.close()
        return Observation(
            failure=outcome if isinstance(outcome, Failure) else None,
            latency_us=dns_us + connect_us,
            phases=Phases(dns_us=dns_us, connect_us=connect_us),
            ip=dialled,
        )


def _since(begun: int) -> int:
    return (monotonic_ns() - begun) // 1000
