"""The seam between the runner and the kinds of check: what a check owes, and which kinds there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import structlog

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.result import Observation
from statuspulse.egress.gate import Gate
from statuspulse.probe.dns import DnsCheck
from statuspulse.probe.grpc import GrpcCheck
from statuspulse.probe.http import HttpCheck
from statuspulse.probe.icmp import IcmpCheck
from statuspulse.probe.tcp import TcpCheck
from statuspulse.probe.tls import TlsCheck

log = structlog.get_logger(__name__)
Spec_contra = TypeVar("Spec_contra", contravariant=True)


class Check(Protocol[Spec_contra]):
    """One kind of check. It looks at the target once and tells what it saw.

    It never raises, except when it is cancelled: a failing target and a fault of ours are both observations.
    `timeout_ms` is the one deadline for everything it does; it has returned 250 ms after that at the latest and has
    left nothing behind: no connection, no task, no timer. It may run many times at once.
    """

    async def run(self, spec: Spec_contra, *, timeout_ms: int) -> Observation: ...


class Contained:
    """Keeps the promise never to raise: a defect of ours becomes a void observation, not the target's outage."""

    def __init__(self, check: Check[Any]) -> None:
        self._check = check

    async def run(self, spec: Any, *, timeout_ms: int) -> Observation:
        try:
            return await self._check.run(spec, timeout_ms=timeout_ms)
        except Exception as error:  # whatever it is, it is ours
            log.exception("check.defect")
            detail = f"internal: {type(error).__name__}"
            return Observation(failure=Failure.of(FailureClass.PROBE_ERROR, detail))


def checks(gate: Gate, now: Callable[[], int]) -> Mapping[MonitorType, Check[Any]]:
    """The check of each type; a new kind is one file and one line here. `now` is in ms."""
    return {
        MonitorType.HTTP: Contained(HttpCheck(gate, now)),
        MonitorType.TCP: Contained(TcpCheck(gate)),
        MonitorType.DNS: Contained(DnsCheck(gate)),
        MonitorType.TLS: Contained(TlsCheck(gate, now)),
        MonitorType.ICMP: Contained(IcmpCheck(gate)),
        MonitorType.GRPC: Contained(GrpcCheck(gate)),
    }
