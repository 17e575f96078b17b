"""What a tcp or dns monitor is configured to do reaches the probe unchanged."""

from __future__ import annotations

import msgspec
import pytest

from statuspulse.domain.specs.dns import DnsProtocol, DnsSpec, Match, RecordType, SoaSerial
from statuspulse.domain.specs.registry import Spec
from statuspulse.domain.specs.tcp import Starttls, Step, TcpSpec
from statuspulse.protocol.conversion import spec_document, spec_of

SPECS = [
    TcpSpec(host="a.test", port=1),
    TcpSpec(
        host="a.test",
        port=1,
        tls=True,
        verify=False,
        server_name="b.test",
        steps=(Step(expect="x", regex=True), Step(send="a\x00"), Step(starttls=Starttls.LDAP)),
    ),
    DnsSpec(
        host="a.test",
        record_type=RecordType.SOA,
        resolver="9.9.9.9",
        expected_values=("1 a", "b"),
        match=Match.EXACT,
        protocol=DnsProtocol.DOT,
        ttl_min_seconds=1,
        ttl_max_seconds=2,
        require_aa=True,
        require_ad=True,
        soa_serial=SoaSerial(equal_on=("a.test", "b.test:5"), at_least=7),
    ),
]


@pytest.mark.parametrize("spec", SPECS)
def test_a_specification_survives_the_way_to_the_probe(spec: Spec) -> None:
    wire = msgspec.json.encode(spec_document(spec))
    assert spec_of("tcp" if isinstance(spec, TcpSpec) else "dns", msgspec.json.decode(wire)) == spec


def test_an_assignment_on_disk_from_before_the_script_is_still_read() -> None:
    assert spec_of("tcp", {"host": "a.test", "port": 1}) == SPECS[0]
    old = {"host": "a.test", "record_type": "A", "resolver": None, "expected_rcode": "NOERROR", "match": "any"}
    assert spec_of("dns", {**old, "expected_values": []}) == DnsSpec(host="a.test")
