"""The DNS check over UDP, TCP, DoT and DoH, and its rules on TTLs, flags and serials."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver
import pytest
import trustme
import uvloop

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Certificate, Observation
from statuspulse.domain.specs.dns import DnsProtocol, DnsSpec, Match, RecordType, SoaSerial
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.dns import DnsCheck
from tests import certificates
from tests.starttls_peers import wanting_a_certificate
from tests.targets import Arrival, DnsTarget, HttpTarget, Mood, TcpTarget, http_answer

LATE = 2190
RECORDS = {
    RecordType.A: ("192.0.2.1", "192.0.2.2"),
    RecordType.AAAA: ("2001:db8::1", "2001:db8::2"),
    RecordType.CNAME: ("Elsewhere.test.",),
    RecordType.MX: ("10 mx1.test.", "20 mx2.test."),
    RecordType.NS: ("ns1.test.", "ns2.test."),
    RecordType.TXT: ('"v=spf1 " "include:a.test" " -all"', '"second; with \\"quotes\\""'),
    RecordType.SOA: ("ns.test. admin.test. 2026112301 7200 900 1209600 300",),
    RecordType.SRV: ("1 2 443 srv1.test.", "2 2 443 srv2.test."),
    RecordType.CAA: ('0 issue "ca.example"', '0 iodef "mailto:sec@example.test"'),
    RecordType.PTR: ("host.test.",),
}


class DohTarget(HttpTarget):
    """Gives the answers of a name server over HTTPS at /dns-query (RFC 8484)."""

    def __init__(self, names: DnsTarget, tls: Any) -> None:
        super().__init__(tls=tls)
        self._names = names
        self.media_type = "application/dns-message"
        self.routes["/dns-query"] = self._resolve

    @property
    def resolver(self) -> str:
        return f"{self.url}/dns-query"

    def _resolve(self, arrival: Arrival) -> bytes:
        assert arrival.headers["content-type"] == "application/dns-message"
        assert arrival.what.startswith("POST ")
        answer = self._names.answer(arrival.body, is_datagram=False)
        assert answer is not None
        return http_answer(200, answer, f"Content-Type: {self.media_type}")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def names() -> Iterator[DnsTarget]:
    with DnsTarget() as target:
        target.records("web.test", "A", "192.0.2.1", "192.0.2.2")
        yield target


@pytest.fixture
def dot(authority: trustme.CA) -> Iterator[DnsTarget]:
    with DnsTarget(tls=certificates.good(authority, "127.0.0.1", "dns.test")) as target:
        target.records("web.test", "A", "192.0.2.1", "192.0.2.2")
        yield target


@pytest.fixture
def doh(authority: trustme.CA, names: DnsTarget) -> Iterator[DohTarget]:
    with DohTarget(names, certificates.good(authority, "127.0.0.1", "dns.test")) as target:
        yield target


@pytest.fixture
async def check(names: DnsTarget, trusted: str) -> AsyncIterator[DnsCheck]:
    gate = Gate(Policy(), nameservers=(names.address,), ca_file=trusted)
    yield DnsCheck(gate)
    gate.close()


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind
    return seen.failure.detail


def resolver_of(protocol: DnsProtocol, names: DnsTarget, dot: DnsTarget, doh: DohTarget) -> str:
    match protocol:
        case DnsProtocol.DOH:
            return doh.resolver
        case DnsProtocol.DOT:
            return dot.address
        case _:
            return names.address


@pytest.mark.parametrize("protocol", DnsProtocol)
@pytest.mark.parametrize("record_type", RecordType)
async def test_every_type_over_every_way_says_what_dnspython_reads(
    check: DnsCheck,
    names: DnsTarget,
    dot: DnsTarget,
    doh: DohTarget,
    record_type: RecordType,
    protocol: DnsProtocol,
) -> None:
    for server in (names, dot):
        server.records("x.test", record_type, *RECORDS[record_type])
    oracle = dns.resolver.Resolver(configure=False)
    oracle.nameservers, oracle.port = ["127.0.0.1"], names.port
    read = await asyncio.to_thread(oracle.resolve, "x.test.", record_type)
    values = tuple(_spoken(record_type, record) for record in read)
    spec = DnsSpec(
        host="x.test",
        record_type=record_type,
        protocol=protocol,
        resolver=resolver_of(protocol, names, dot, doh),
        expected_values=values,
        match=Match.EXACT,
    )
    seen = await check.run(spec, timeout_ms=2000)
    assert seen.failure is None, seen
    assert seen.ip == "127.0.0.1"
    assert (seen.certificate is not None) == (protocol in {DnsProtocol.DOT, DnsProtocol.DOH})


def _spoken(record_type: RecordType, record: Any) -> str:
    return b"".join(record.strings).decode() if record_type is RecordType.TXT else str(record.to_text())


async def test_over_tcp_no_datagram_is_sent(check: DnsCheck, names: DnsTarget) -> None:
    names.truncates = True  # datagrams would say nothing
    spec = DnsSpec(host="web.test", resolver=names.address, protocol=DnsProtocol.TCP)
    assert (await check.run(spec, timeout_ms=1000)).failure is None
    assert (names.connections, names.asked) == (1, ["web.test. A"])
    assert (await check.run(DnsSpec(host="web.test", protocol=DnsProtocol.TCP), timeout_ms=1000)).failure is None


async def test_the_certificate_of_a_dot_server_is_seen(check: DnsCheck, dot: DnsTarget) -> None:
    spec = DnsSpec(host="web.test", resolver=dot.address, protocol=DnsProtocol.DOT)
    seen = await check.run(spec, timeout_ms=2000)
    assert seen.certificate == Certificate(not_after=certificates.year_ms(LATE), tls_version="TLSv1.3")


async def test_a_dot_server_may_be_named(check: DnsCheck, names: DnsTarget, dot: DnsTarget, doh: DohTarget) -> None:
    names.records("dns.test", "A", "127.0.0.1")
    by_name = DnsSpec(host="web.test", resolver=f"DNS.test:{dot.port}", protocol=DnsProtocol.DOT)
    assert (await check.run(by_name, timeout_ms=2000)).failure is None
    by_url = DnsSpec(host="web.test", resolver=f"https://dns.test:{doh.port}/dns-query", protocol=DnsProtocol.DOH)
    assert (await check.run(by_url, timeout_ms=2000)).failure is None


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_works_on_both_kinds_of_loop(
    run: Callable[[Coroutine[Any, Any, Any]], Any], dot: DnsTarget, doh: DohTarget, trusted: str
) -> None:
    async def main() -> list[Failure | None]:
        gate = Gate(Policy(), ca_file=trusted)
        try:
            ways = ((DnsProtocol.DOT, dot.address), (DnsProtocol.DOH, doh.resolver))
            specs = [DnsSpec(host="web.test", resolver=resolver, protocol=protocol) for protocol, resolver in ways]
            return [(await DnsCheck(gate).run(spec, timeout_ms=2000)).failure for spec in specs]
        finally:
            gate.close()

    assert run(main()) == [None, None]


@pytest.mark.parametrize("protocol", DnsProtocol)
async def test_a_return_code_counts_over_every_way(
    check: DnsCheck, names: DnsTarget, dot: DnsTarget, doh: DohTarget, protocol: DnsProtocol
) -> None:
    resolver = resolver_of(protocol, names, dot, doh)
    seen = await check.run(DnsSpec(host="nobody.test", resolver=resolver, protocol=protocol), timeout_ms=2000)
    assert seen.failure == Failure(FailureClass.STATUS_MISMATCH, "got NXDOMAIN, expected NOERROR")


@pytest.mark.parametrize("protocol", DnsProtocol)
async def test_silence_over_every_way_is_a_dns_error(
    check: DnsCheck, names: DnsTarget, dot: DnsTarget, doh: DohTarget, protocol: DnsProtocol
) -> None:
    for server in (names, dot, doh):
        server.mood = Mood.SILENT
    resolver = resolver_of(protocol, names, dot, doh)
    seen = await check.run(DnsSpec(host="web.test", resolver=resolver, protocol=protocol), timeout_ms=300)
    assert failed(seen, FailureClass.DNS_ERROR).endswith(" did not answer within 300 ms")
    with TcpTarget(mood=Mood.SILENT) as mute:  # no handshake either
        resolver = f"https://127.0.0.1:{mute.port}/" if protocol is DnsProtocol.DOH else f"127.0.0.1:{mute.port}"
        seen = await check.run(DnsSpec(host="web.test", resolver=resolver, protocol=protocol), timeout_ms=300)
        kind = FailureClass.CONNECT_REFUSED if protocol is DnsProtocol.UDP else FailureClass.DNS_ERROR
        failed(seen, kind)


@pytest.mark.parametrize("protocol", DnsProtocol)
async def test_a_refused_port_over_every_way_is_connect_refused(
    check: DnsCheck, names: DnsTarget, dot: DnsTarget, doh: DohTarget, protocol: DnsProtocol
) -> None:
    resolver = resolver_of(protocol, names, dot, doh)
    names.stop()
    for server in (dot, doh):
        server.mood = Mood.REFUSING
    seen = await check.run(DnsSpec(host="web.test", resolver=resolver, protocol=protocol), timeout_ms=1000)
    failed(seen, FailureClass.CONNECT_REFUSED)
    names.start()


@pytest.mark.parametrize("protocol", DnsProtocol)
async def test_garbage_over_every_way_is_a_protocol_error(
    check: DnsCheck, names: DnsTarget, dot: DnsTarget, doh: DohTarget, protocol: DnsProtocol
) -> None:
    names.garbles = dot.garbles = True
    resolver = resolver_of(protocol, names, dot, doh)
    seen = await check.run(DnsSpec(host="web.test", resolver=resolver, protocol=protocol), timeout_ms=2000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == "the answer is no DNS message"


@pytest.mark.parametrize("protocol", [DnsProtocol.DOT, DnsProtocol.DOH])
async def test_an_unknown_host_of_a_resolver_is_a_dns_error(check: DnsCheck, protocol: DnsProtocol) -> None:
    resolver = "https://nowhere.test/dns-query" if protocol is DnsProtocol.DOH else "nowhere.test"
    seen = await check.run(DnsSpec(host="web.test", resolver=resolver, protocol=protocol), timeout_ms=1000)
    assert failed(seen, FailureClass.DNS_ERROR).startswith("nxdomain: ")
    assert seen.ip is None


async def test_a_bad_certificate_of_a_resolver_is_a_tls_failure(
    check: DnsCheck, names: DnsTarget, authority: trustme.CA
) -> None:
    for tls, kind in (
        (certificates.expired(authority), FailureClass.TLS_EXPIRED),
        (certificates.good(authority, "other.test"), FailureClass.TLS_ERROR),
    ):
        with DnsTarget(tls=tls) as dot, DohTarget(names, tls) as doh:
            for protocol, resolver in ((DnsProtocol.DOT, dot.address), (DnsProtocol.DOH, doh.resolver)):
                seen = await check.run(DnsSpec(host="a.test", resolver=resolver, protocol=protocol), timeout_ms=2000)
                failed(seen, kind)
                assert seen.certificate is not None
                assert dot.asked == []


async def test_a_dot_server_that_wants_a_certificate_of_ours_is_a_tls_error(
    check: DnsCheck, authority: trustme.CA
) -> None:
    with wanting_a_certificate(certificates.good(authority)) as port:
        spec = DnsSpec(host="a.test", resolver=f"127.0.0.1:{port}", protocol=DnsProtocol.DOT)
        assert "alert" in failed(await check.run(spec, timeout_ms=2000), FailureClass.TLS_ERROR)


async def test_an_http_error_of_a_resolver_is_status_mismatch(check: DnsCheck, doh: DohTarget) -> None:
    doh.break_()
    spec = DnsSpec(host="web.test", resolver=doh.resolver, protocol=DnsProtocol.DOH)
    seen = await check.run(spec, timeout_ms=2000)
    assert failed(seen, FailureClass.STATUS_MISMATCH) == "the resolver answered with HTTP status 503"


async def test_a_page_is_no_dns_message(check: DnsCheck, doh: DohTarget) -> None:
    doh.media_type = "text/html"
    spec = DnsSpec(host="web.test", resolver=doh.resolver, protocol=DnsProtocol.DOH)
    seen = await check.run(spec, timeout_ms=2000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == "the answer over HTTPS is none to the question"


# --- rules on the answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "detail"),
    [
        (None, None, None),
        (30, 300, None),
        (31, None, "the TTL is 30 s, expected at least 31 s"),
        (None, 299, "the TTL is 300 s, expected at most 299 s"),
    ],
)
async def test_the_lowest_and_the_highest_ttl_of_the_chain_count(
    check: DnsCheck, names: DnsTarget, low: int | None, high: int | None, detail: str | None
) -> None:
    names.alias("www.test", "ttl.test", ttl=300)
    names.records("ttl.test", "A", "192.0.2.1", ttl=30)
    seen = await check.run(DnsSpec(host="www.test", ttl_min_seconds=low, ttl_max_seconds=high), timeout_ms=1000)
    assert seen.failure == (None if detail is None else Failure(FailureClass.ASSERTION_FAILED, detail))


async def test_without_records_there_is_no_ttl(check: DnsCheck, names: DnsTarget) -> None:
    spec = DnsSpec(host="web.test", record_type=RecordType.MX, ttl_min_seconds=0)
    failed(await check.run(spec, timeout_ms=1000), FailureClass.ASSERTION_FAILED)
    assert names.asked == ["web.test. MX"]


@pytest.mark.parametrize(("member", "flag"), [("require_aa", dns.flags.AA), ("require_ad", dns.flags.AD)])
async def test_a_flag_may_be_required(check: DnsCheck, names: DnsTarget, member: str, flag: int) -> None:
    required = DnsSpec(host="web.test", **{member: True})  # type: ignore[arg-type]
    seen = await check.run(required, timeout_ms=1000)
    assert failed(seen, FailureClass.ASSERTION_FAILED).endswith(f"{member[-2:].upper()} is not set")
    names.flags = dns.flags.Flag(names.flags | flag)
    assert (await check.run(required, timeout_ms=1000)).failure is None


@pytest.fixture
def secondary() -> Iterator[DnsTarget]:
    with DnsTarget() as target:
        yield target


def zone(server: DnsTarget, serial: int) -> None:
    server.records("zone.test", "SOA", f"ns.test. admin.test. {serial} 7200 900 1209600 300")


def serial_spec(rule: SoaSerial) -> DnsSpec:
    return DnsSpec(host="zone.test", record_type=RecordType.SOA, soa_serial=rule)


async def test_a_serial_may_have_a_floor(check: DnsCheck, names: DnsTarget) -> None:
    zone(names, 2026112301)
    assert (await check.run(serial_spec(SoaSerial(at_least=2026112301)), timeout_ms=1000)).failure is None
    seen = await check.run(serial_spec(SoaSerial(at_least=2026112302)), timeout_ms=1000)
    expected = "serial 2026112301 in the answer, expected at least 2026112302"
    assert failed(seen, FailureClass.ASSERTION_FAILED) == expected


async def test_serials_have_to_agree(check: DnsCheck, names: DnsTarget, secondary: DnsTarget) -> None:
    names.records("ns2.test", "A", "127.0.0.1")
    servers = (names.address, f"ns2.test:{secondary.port}")
    zone(names, 8)
    zone(secondary, 8)
    assert (await check.run(serial_spec(SoaSerial(equal_on=servers)), timeout_ms=1000)).failure is None
    assert secondary.asked == ["zone.test. SOA"]
    zone(secondary, 7)
    seen = await check.run(serial_spec(SoaSerial(equal_on=servers)), timeout_ms=1000)
    expected = f"serials differ: 8 on {names.address}, 7 on ns2.test:{secondary.port}"
    assert failed(seen, FailureClass.ASSERTION_FAILED) == expected


async def test_the_floor_holds_on_every_listed_server(check: DnsCheck, names: DnsTarget, secondary: DnsTarget) -> None:
    zone(names, 8)
    zone(secondary, 7)
    rule = SoaSerial(equal_on=(names.address, secondary.address), at_least=8)
    seen = await check.run(serial_spec(rule), timeout_ms=1000)
    expected = f"serial 7 in the answer of {secondary.address}, expected at least 8"
    assert failed(seen, FailureClass.ASSERTION_FAILED) == expected


async def test_a_listed_server_that_cannot_tell_fails_the_check(
    check: DnsCheck, names: DnsTarget, secondary: DnsTarget
) -> None:
    zone(names, 8)
    rule = SoaSerial(equal_on=(names.address, secondary.address))
    seen = await check.run(serial_spec(rule), timeout_ms=1000)
    assert failed(seen, FailureClass.ASSERTION_FAILED) == f"no SOA record in the answer of {secondary.address}"
    secondary.mood = Mood.SILENT
    seen = await check.run(serial_spec(rule), timeout_ms=300)
    assert failed(seen, FailureClass.DNS_ERROR) == f"timeout: {secondary.address} did not answer within 300 ms"


@pytest.mark.parametrize(
    ("protocol", "resolver"),
    [
        (DnsProtocol.DOT, None),
        (DnsProtocol.DOH, None),
        (DnsProtocol.DOH, "http://dns.test/"),
        (DnsProtocol.DOH, "9.9.9.9"),
        (DnsProtocol.TCP, "dns.test"),
        (DnsProtocol.DOT, "https://dns.test/"),
    ],
)
async def test_a_resolver_of_the_wrong_form_is_our_fault(
    check: DnsCheck, protocol: DnsProtocol, resolver: str | None
) -> None:
    seen = await check.run(DnsSpec(host="web.test", protocol=protocol, resolver=resolver), timeout_ms=1000)
    assert failed(seen, FailureClass.PROBE_ERROR).startswith("assertion_invalid: ")


# --- the address policy ------------------------------------------------------------------------------------------


async def test_no_way_reaches_a_denied_address(
    names: DnsTarget, dot: DnsTarget, doh: DohTarget, trusted: str, secondary: DnsTarget
) -> None:
    names.records("inside.test", "A", "127.0.0.1")
    zone(names, 1)
    strict = Policy.parse(probe_deny="loopback,private", delivery_allow="", operator_urls=())
    gate = Gate(strict, nameservers=(names.address,), ca_file=trusted)
    listed = SoaSerial(equal_on=(secondary.address, f"inside.test:{secondary.port}"))
    try:
        for spec in (
            DnsSpec(host="web.test", protocol=DnsProtocol.TCP, resolver=secondary.address),
            DnsSpec(host="web.test", protocol=DnsProtocol.DOT, resolver=dot.address),
            DnsSpec(host="web.test", protocol=DnsProtocol.DOT, resolver=f"inside.test:{dot.port}"),
            DnsSpec(host="web.test", protocol=DnsProtocol.DOH, resolver=doh.resolver),
            DnsSpec(host="web.test", protocol=DnsProtocol.DOH, resolver=f"https://inside.test:{doh.port}/dns-query"),
            serial_spec(listed),
        ):
            seen = await DnsCheck(gate).run(spec, timeout_ms=1000)
            assert "127." not in failed(seen, FailureClass.BLOCKED_BY_POLICY)
    finally:
        gate.close()
    assert (dot.connections, doh.connections, secondary.asked) == (0, 0, [])
