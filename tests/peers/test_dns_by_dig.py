"""The DNS check and dig ask the same unbound and hear the same."""

from __future__ import annotations

from typing import Any

import pytest

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.result import Observation
from statuspulse.domain.specs.dns import DnsProtocol, DnsSpec, Match, RecordType, SoaSerial
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.dns import DnsCheck
from statuspulse.probe.http import HttpCheck
from tests.peers.agreement import Phases, disagreements
from tests.peers.conftest import SLOW_SECONDS
from tests.peers.dig import Dig
from tests.peers.nginx import Web
from tests.peers.unbound import BROKEN_ZONE, REFUSED_ZONE, SLOW_ZONE, TTL_SECONDS, Unbound

HOSTS = {RecordType.CNAME: "alias.test", RecordType.SRV: "_sip._tcp.web.test", RecordType.PTR: "192.0.2.7"}


@pytest.fixture
def check(gate: Gate) -> DnsCheck:
    return DnsCheck(gate)


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind, seen
    return seen.failure.detail


def resolver_of(protocol: DnsProtocol, resolver: Unbound) -> str:
    return {DnsProtocol.DOT: resolver.dot, DnsProtocol.DOH: resolver.doh}.get(protocol, resolver.address)


async def values_of(dig: Dig, resolver: Unbound, record_type: RecordType) -> tuple[str, ...]:
    """What dig says, in the words of a monitor: strings of a text record are one, and stand without quotes."""
    host = "7.2.0.192.in-addr.arpa" if record_type is RecordType.PTR else HOSTS.get(record_type, "web.test")
    dug = await dig.ask(resolver.address, host, record_type)
    assert dug.status == "NOERROR"
    assert dug.values
    if record_type is RecordType.TXT:
        return tuple(value[1:-1].replace('" "', "") for value in dug.values)
    return dug.values


@pytest.mark.parametrize("record_type", RecordType)
async def test_every_type_over_every_way_says_what_dig_says(
    check: DnsCheck, resolver: Unbound, dig: Dig, record_type: RecordType
) -> None:
    values = await values_of(dig, resolver, record_type)
    for protocol in DnsProtocol:
        asked: dict[str, Any] = {
            "host": HOSTS.get(record_type, "web.test"),
            "record_type": record_type,
            "resolver": resolver_of(protocol, resolver),
            "protocol": protocol,
            "match": Match.EXACT,
        }
        whole = await check.run(DnsSpec(**asked, expected_values=values), timeout_ms=5000)
        assert whole.failure is None, (protocol, whole)
        fewer = await check.run(DnsSpec(**asked, expected_values=(*values[1:], values[0] + "1")), timeout_ms=5000)
        failed(fewer, FailureClass.ASSERTION_FAILED)


@pytest.mark.parametrize(
    ("host", "rcode"),
    [
        ("nobody.test", "NXDOMAIN"),
        (f"web.{BROKEN_ZONE}", "SERVFAIL"),
        (f"web.{REFUSED_ZONE}", "REFUSED"),
        ("alias.test", "NOERROR"),
    ],
)
async def test_return_codes_are_those_of_dig(
    check: DnsCheck, resolver: Unbound, dig: Dig, host: str, rcode: str
) -> None:
    assert (await dig.ask(resolver.address, host, "A")).status == rcode
    for protocol in DnsProtocol:
        asked: dict[str, Any] = {"host": host, "resolver": resolver_of(protocol, resolver), "protocol": protocol}
        meant = await check.run(DnsSpec(**asked, expected_rcode=rcode), timeout_ms=5000)
        assert meant.failure is None, (protocol, meant)
        other = "NXDOMAIN" if rcode == "NOERROR" else "NOERROR"
        seen = await check.run(DnsSpec(**asked, expected_rcode=other), timeout_ms=5000)
        assert failed(seen, FailureClass.STATUS_MISMATCH) == f"got {rcode}, expected {other}"


async def test_ttls_are_those_of_dig(check: DnsCheck, resolver: Unbound, dig: Dig) -> None:
    dug = await dig.ask(resolver.address, "web.test", "A")
    assert dug.ttls == {TTL_SECONDS}
    for low, high, words in (
        (TTL_SECONDS, TTL_SECONDS, None),
        (TTL_SECONDS + 1, None, f"the TTL is {TTL_SECONDS} s, expected at least {TTL_SECONDS + 1} s"),
        (None, TTL_SECONDS - 1, f"the TTL is {TTL_SECONDS} s, expected at most {TTL_SECONDS - 1} s"),
    ):
        spec = DnsSpec(host="web.test", resolver=resolver.address, ttl_min_seconds=low, ttl_max_seconds=high)
        seen = await check.run(spec, timeout_ms=5000)
        assert (None if seen.failure is None else seen.failure.detail) == words


async def test_flags_are_those_of_dig(check: DnsCheck, resolver: Unbound, dig: Dig) -> None:
    dug = await dig.ask(resolver.address, "web.test", "A", "+adflag")
    assert ("aa" in dug.flags, "ad" in dug.flags) == (True, False)
    own = await check.run(DnsSpec(host="web.test", resolver=resolver.address, require_aa=True), timeout_ms=5000)
    assert own.failure is None
    signed = await check.run(DnsSpec(host="web.test", resolver=resolver.address, require_ad=True), timeout_ms=5000)
    assert "AD is not set" in failed(signed, FailureClass.ASSERTION_FAILED)
    slow = await dig.ask(resolver.address, f"web.{SLOW_ZONE}", "A")
    assert "aa" not in slow.flags
    spec = DnsSpec(host=f"web.{SLOW_ZONE}", resolver=resolver.address, require_aa=True)
    assert "AA is not set" in failed(await check.run(spec, timeout_ms=5000), FailureClass.ASSERTION_FAILED)


async def test_an_answer_too_long_for_a_datagram_comes_over_tcp_for_both(
    check: DnsCheck, resolver: Unbound, dig: Dig
) -> None:
    cut = await dig.ask(resolver.address, "long.test", "TXT", "+ignore")
    dug = await dig.ask(resolver.address, "long.test", "TXT")
    assert ("tc" in cut.flags, dug.over, len(dug.values)) == (True, "TCP", 20)
    values = tuple(value[1:-1] for value in dug.values)
    spec = DnsSpec(
        host="long.test",
        record_type=RecordType.TXT,
        resolver=resolver.address,
        expected_values=values,
        match=Match.EXACT,
    )
    seen = await check.run(spec, timeout_ms=5000)
    assert seen.failure is None
    assert seen.bytes_read > 4000


async def test_the_serial_is_that_of_dig(check: DnsCheck, resolver: Unbound, dig: Dig) -> None:
    serial = int((await dig.ask(resolver.address, "web.test", "SOA")).values[0].split()[2])
    for at_least, holds in ((serial, True), (serial + 1, False)):
        rule = SoaSerial(equal_on=(resolver.address,), at_least=at_least)
        asked = DnsSpec(host="web.test", record_type=RecordType.SOA, resolver=resolver.address, soa_serial=rule)
        seen = await check.run(asked, timeout_ms=5000)
        assert (seen.failure is None) is holds


async def test_a_slow_answer_takes_as_long_as_dig_says(check: DnsCheck, resolver: Unbound, dig: Dig) -> None:
    host = f"web.{SLOW_ZONE}"

    async def ours() -> Phases:
        seen = await check.run(DnsSpec(host=host, resolver=resolver.address), timeout_ms=5000)
        assert seen.phases.dns_us is not None
        assert seen.phases.dns_us > SLOW_SECONDS * 1_000_000
        return {"dns": seen.phases.dns_us}

    async def reference() -> Phases:
        return {"dns": (await dig.ask(resolver.address, host, "A")).took_ms * 1000}

    assert await disagreements(ours, reference) == []


async def test_the_name_of_an_http_check_takes_as_long_as_dig_says(resolver: Unbound, web: Web, dig: Dig) -> None:
    host = f"web.{SLOW_ZONE}"
    gate = Gate(Policy(), nameservers=(resolver.address,))

    async def ours() -> Phases:
        seen = await HttpCheck(gate, lambda: 0).run(HttpSpec(url=f"http://{host}:{web.port}/page"), timeout_ms=5000)
        assert seen.failure is None
        assert seen.phases.dns_us is not None
        return {"dns": seen.phases.dns_us}

    async def reference() -> Phases:
        return {"dns": (await dig.ask(resolver.address, host, "A")).took_ms * 1000}

    try:
        assert await disagreements(ours, reference) == []
    finally:
        gate.close()
