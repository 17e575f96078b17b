"""Specifications of tls, icmp and grpc: from a configuration to a probe and back."""

from __future__ import annotations

import pytest

from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.specs.grpc import GrpcSpec
from statuspulse.domain.specs.icmp import IcmpSpec, IpVersion
from statuspulse.domain.specs.registry import SPECS, Spec, spec_of
from statuspulse.domain.specs.tls import TlsSpec
from statuspulse.protocol import conversion

TLS = TlsSpec(
    host="shop.example", port=8443, server_name="www.shop.example", verify=False, min_days_left=14, min_version="1.3"
)
ICMP = IcmpSpec(host="gw.example", packets=5, max_loss_pct=20, ip_version=IpVersion.V6)
GRPC = GrpcSpec(host="api.example", port=50051, service="shop", tls=True, server_name="api", verify=False)


def test_every_type_has_a_specification() -> None:
    assert set(SPECS) == set(MonitorType)


@pytest.mark.parametrize(("monitor_type", "spec"), [("tls", TLS), ("icmp", ICMP), ("grpc", GRPC)])
def test_a_specification_is_the_same_after_configuration_and_journey(monitor_type: str, spec: Spec) -> None:
    document = conversion.spec_document(spec)
    assert spec_of({"type": monitor_type, **document}) == spec
    assert conversion.spec_of(monitor_type, document) == spec
