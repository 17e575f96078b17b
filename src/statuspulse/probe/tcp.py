"""The TCP check: a connection that has to be accepted, TLS on it, and a script that has to hold."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic_ns

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.dial import Stream, connect
from statuspulse.egress.gate import Gate
from statuspulse.egress.literals import ascii_name, literal_address
from statuspulse.egress.policy import Purpose
from statuspulse.probe.script import Script, compile_patterns


class TcpCheck:
    """Runs TCP specifications through one gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def run(self, spec: TcpSpec, *, timeout_ms: int) -> Observation:
        deadline = Deadline.after(timeout_ms)
        try:
            ip = literal_address(spec.host)
            name = ascii_name(spec.host) if ip is None else ip
            compile_patterns(spec.steps)
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
        connected = Observation(
            failure=outcome if isinstance(outcome, Failure) else None,
            latency_us=dns_us + connect_us,
            phases=Phases(dns_us=dns_us, connect_us=connect_us),
            ip=located.first if isinstance(outcome, Failure) else outcome.ip,
        )
        if isinstance(outcome, Failure):
            return connected
        try:
            return await self._converse(spec, outcome, connected, spec.server_name or name, timeout_ms)
        finally:
            outcome.close()

    async def _converse(
        self, spec: TcpSpec, stream: Stream, connected: Observation, server_name: str, timeout_ms: int
    ) -> Observation:
        """What follows a connection that stands."""

        async def shake() -> Failure | None:
            return await stream.start_tls(self._gate.tls, server_name, verify=spec.verify)

        begun = monotonic_ns()
        refusal = await shake() if spec.tls else None
        tls_us = _since(begun) if spec.tls else None
        script = Script(stream, shake, timeout_ms)
        begun = monotonic_ns()
        failure = await script.run(spec.steps) if refusal is None else refusal
        phases = replace(connected.phases, tls_us=tls_us if script.tls_us is None else script.tls_us)
        if spec.steps and refusal is None:
            phases = _with_script(phases, script, begun, _since(begun))
        return replace(
            connected,
            failure=failure,
            latency_us=_sum(phases),
            phases=phases,
            bytes_read=script.talk.received,
            certificate=stream.certificate,
        )


def _with_script(phases: Phases, script: Script, begun: int, spent_us: int) -> Phases:
    """The script's time to the first byte that came, and from there on; a handshake inside it counts on its own."""
    first_byte_at = script.talk.first_byte_at
    if first_byte_at is None:
        return replace(phases, ttfb_us=spent_us)
    ttfb_us = (first_byte_at - begun) // 1000
    return replace(phases, ttfb_us=ttfb_us, transfer_us=max(spent_us - ttfb_us - (script.tls_us or 0), 0))


def _sum(phases: Phases) -> int:
    parts = (phases.dns_us, phases.connect_us, phases.tls_us, phases.ttfb_us, phases.transfer_us)
    return sum(part for part in parts if part is not None)


def _since(begun: int) -> int:
    return (monotonic_ns() - begun) // 1000
