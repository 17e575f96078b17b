"""Which kinds of check there are; a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.specs.dns import DnsSpec
from statuspulse.domain.specs.grpc import GrpcSpec
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.icmp import IcmpSpec
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.domain.specs.tls import TlsSpec

Spec = HttpSpec | TcpSpec | DnsSpec | TlsSpec | IcmpSpec | GrpcSpec

SPECS: dict[MonitorType, type[Spec]] = {
    MonitorType.HTTP: HttpSpec,
    MonitorType.TCP: TcpSpec,
    MonitorType.DNS: DnsSpec,
    MonitorType.TLS: TlsSpec,
    MonitorType.ICMP: IcmpSpec,
    MonitorType.GRPC: GrpcSpec,
}


def spec_of(config: Mapping[str, Any]) -> Spec:
    """What the probe does, from a normalised configuration."""
    return SPECS[MonitorType(config["type"])].of(config)
