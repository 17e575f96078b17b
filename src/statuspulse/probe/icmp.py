"""The ICMP check: a few echo requests, and how many of them were answered."""

from __future__ import annotations

from time import monotonic_ns

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases
from statuspulse.domain.specs.icmp import IcmpSpec, IpVersion
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.icmp import Echoes, ping
from statuspulse.egress.literals import ascii_name, literal_address
from statuspulse.egress.policy import Purpose
from statuspulse.probe.target import find

_NO_PORT = 0


class IcmpCheck:
    """Runs ICMP specifications through one gate. The latency is the average round trip, and none without a reply."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def run(self, spec: IcmpSpec, *, timeout_ms: int) -> Observation:
        deadline = Deadline.after(timeout_ms)
        begun = monotonic_ns()
        try:
            is_address = literal_address(spec.host) is not None
            located = await self._locate(spec, deadline)
        except ValueError as error:
            return Observation(failure=Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {error}"))
        phases = Phases(dns_us=0 if is_address else (monotonic_ns() - begun) // 1000)
        if isinstance(located, Failure):
            return Observation(failure=located, latency_us=phases.dns_us, phases=phases)
        echoes = await ping(located, spec.packets, deadline)
        if isinstance(echoes, Failure):
            return Observation(failure=echoes, phases=phases, ip=located.first)
        return Observation(
            failure=_loss(echoes, spec.max_loss_pct),
            latency_us=_average(echoes.round_trips_us),
            phases=phases,
            ip=located.first,
        )

    async def _locate(self, spec: IcmpSpec, deadline: Deadline) -> Located | Failure:
        if spec.ip_version is IpVersion.AUTO or literal_address(spec.host) is not None:
            return (await find(self._gate, spec.host, _NO_PORT, Purpose.CHECK_ICMP, deadline)).located
        return await self._gate.locate(
            ascii_name(spec.host), _NO_PORT, Purpose.CHECK_ICMP, deadline, spec.ip_version.value
        )


def _loss(echoes: Echoes, max_loss_pct: int) -> Failure | None:
    lost = echoes.sent - len(echoes.round_trips_us)
    detail = f"{lost} of {echoes.sent} packets lost"
    if lost == echoes.sent:
        return Failure(FailureClass.TIMEOUT, detail)
    if lost * 100 > max_loss_pct * echoes.sent:
        return Failure(FailureClass.ASSERTION_FAILED, detail)
    return None


def _average(round_trips_us: tuple[int, ...]) -> int | None:
    return sum(round_trips_us) // len(round_trips_us) if round_trips_us else None
