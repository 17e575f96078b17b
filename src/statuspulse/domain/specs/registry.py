"""Which kinds of check there are; a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.specs.dns import DnsSpec
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.tcp import TcpSpec

Spec = HttpSpec | TcpSpec | DnsSpec

SPECS: dict[MonitorType, type[Spec]] = {
    MonitorType.HTTP: HttpSpec,
    MonitorType.TCP: TcpSpec,
    MonitorType.DNS: DnsSpec,
}


def spec_of(config: Mapping[str, Any]) -> Spec:
    """What the probe does, from a normalised configuration."""
    return SPECS[MonitorType(config["type"])].of(config)
