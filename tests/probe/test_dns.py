"""The DNS check against a scripted name server on loopback."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import dns.message
import pytest
import uvloop

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Verdict
from statuspulse.domain.specs.dns import DnsSpec, Match, RecordType
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.dns import DnsCheck
from statuspulse.probe.dns_answer import Question, Reply
from tests.targets import DnsTarget, Mood


@pytest.fixture
def server() -> Iterator[DnsTarget]:
    with DnsTarget() as target:
        target.records("web.test", "A", "192.0.2.1", "192.0.2.2")
        yield target


@pytest.fixture
async def check(server: DnsTarget) -> AsyncIterator[DnsCheck]:
    gate = Gate(Policy(), nameservers=(server.address,))
    yield DnsCheck(gate)
    gate.close()


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind
    return seen.failure.detail


async def test_an_answer_is_ok(check: DnsCheck, server: DnsTarget) -> None:
    seen = await check.run(DnsSpec(host="web.test", resolver=server.address), timeout_ms=1000)
    assert (seen.verdict, seen.ip) == (Verdict.OK, "127.0.0.1")
    assert seen.bytes_read > 12
    assert seen.latency_us == seen.phases.dns_us
    assert server.asked == ["web.test. A"]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_works_on_both_kinds_of_loop(
    run: Callable[[Coroutine[Any, Any, Observation]], Observation], server: DnsTarget
) -> None:
    async def main() -> Observation:
        gate = Gate(Policy())
        try:
            spec = DnsSpec(host="web.test", resolver=server.address, expected_values=("192.0.2.1",))
            return await DnsCheck(gate).run(spec, timeout_ms=1000)
        finally:
            gate.close()

    server.truncates = True
    assert run(main()).failure is None


async def test_without_a_resolver_the_hosts_first_one_is_asked(check: DnsCheck, server: DnsTarget) -> None:
    assert (await check.run(DnsSpec(host="web.test"), timeout_ms=1000)).failure is None
    assert server.asked == ["web.test. A"]


async def test_a_cut_off_answer_is_asked_for_again_over_tcp(check: DnsCheck, server: DnsTarget) -> None:
    server.truncates = True
    spec = DnsSpec(host="web.test", resolver=server.address, expected_values=("192.0.2.2",))
    assert (await check.run(spec, timeout_ms=1000)).failure is None
    assert (server.connections, server.asked) == (1, ["web.test. A"] * 2)


async def test_a_wrong_return_code_is_status_mismatch(check: DnsCheck, server: DnsTarget) -> None:
    seen = await check.run(DnsSpec(host="nobody.test", resolver=server.address), timeout_ms=1000)
    assert seen.failure == Failure(FailureClass.STATUS_MISMATCH, "got NXDOMAIN, expected NOERROR")
    expected = DnsSpec(host="nobody.test", resolver=server.address, expected_rcode="nxdomain")
    assert (await check.run(expected, timeout_ms=1000)).failure is None
    server.break_()
    seen = await check.run(DnsSpec(host="web.test", resolver=server.address), timeout_ms=1000)
    assert failed(seen, FailureClass.STATUS_MISMATCH) == "got SERVFAIL, expected NOERROR"


@pytest.mark.parametrize(
    ("match", "values", "detail"),
    [
        (Match.ANY, ("192.0.2.9", "192.0.2.2"), None),
        (Match.ANY, ("192.0.2.9",), "got 192.0.2.1, 192.0.2.2, expected any of 192.0.2.9"),
        (Match.ALL, ("192.0.2.2",), None),
        (Match.ALL, ("192.0.2.2", "192.0.2.9"), "got 192.0.2.1, 192.0.2.2, expected all of 192.0.2.2, 192.0.2.9"),
        (Match.EXACT, ("192.0.2.2", "192.0.2.1"), None),
        (Match.EXACT, ("192.0.2.2",), "got 192.0.2.1, 192.0.2.2, expected exact of 192.0.2.2"),
        (Match.ANY, (), None),
    ],
)
async def test_values_are_held_against_the_answer(
    check: DnsCheck, server: DnsTarget, match: Match, values: tuple[str, ...], detail: str | None
) -> None:
    spec = DnsSpec(host="web.test", resolver=server.address, expected_values=values, match=match)
    seen = await check.run(spec, timeout_ms=1000)
    assert seen.failure == (None if detail is None else Failure(FailureClass.ASSERTION_FAILED, detail))


@pytest.mark.parametrize(
    ("record_type", "record", "expected"),
    [
        (RecordType.AAAA, "2001:db8:0:0::1", "2001:0db8::0001"),
        (RecordType.CNAME, "Web.Test.", "web.test"),
        (RecordType.NS, "ns1.test.", "NS1.test."),
        (RecordType.PTR, "host.test.", "host.test"),
        (RecordType.MX, "10 Mail.test.", "10  mail.test"),
        (RecordType.TXT, '"v=spf1 " "-all"', "v=spf1 -all"),
        (RecordType.SRV, "1 2 443 srv.test.", "1 2 443 srv.test"),
        (RecordType.SOA, "ns.test. admin.test. 7 1 2 3 4", "ns.test admin.test 7 1 2 3 4"),
        (RecordType.CAA, '0 issue "ca.example"', '0 issue "ca.example"'),
    ],
)
async def test_what_means_the_same_is_the_same(
    check: DnsCheck, server: DnsTarget, record_type: RecordType, record: str, expected: str
) -> None:
    server.records("x.test", str(record_type), record)
    for value in (expected, "not this one" if record_type is not RecordType.AAAA else "::2"):
        spec = DnsSpec(host="x.test", record_type=record_type, resolver=server.address, expected_values=(value,))
        seen = await check.run(spec, timeout_ms=1000)
        assert (seen.failure is None) == (value == expected), seen


async def test_values_are_those_at_the_end_of_the_chain(check: DnsCheck, server: DnsTarget) -> None:
    server.alias("www.test", "edge.test")
    server.alias("edge.test", "web.test")
    spec = DnsSpec(
        host="www.test", resolver=server.address, expected_values=("192.0.2.1", "192.0.2.2"), match=Match.EXACT
    )
    assert (await check.run(spec, timeout_ms=1000)).failure is None


async def test_an_answer_without_values_meets_no_expectation(check: DnsCheck, server: DnsTarget) -> None:
    server.records("web.test", "TXT", '"x"')
    spec = DnsSpec(host="web.test", record_type=RecordType.MX, resolver=server.address, expected_values=("1 a",))
    seen = await check.run(spec, timeout_ms=1000)
    assert failed(seen, FailureClass.ASSERTION_FAILED) == "got nothing, expected any of 1 a"


async def test_an_endless_chain_is_a_protocol_error(check: DnsCheck, server: DnsTarget) -> None:
    server.alias("one.test", "two.test")
    server.alias("two.test", "one.test")
    spec = DnsSpec(host="one.test", resolver=server.address, expected_values=("192.0.2.1",))
    failed(await check.run(spec, timeout_ms=1000), FailureClass.PROTOCOL_ERROR)


async def test_only_the_first_values_are_shown(check: DnsCheck, server: DnsTarget) -> None:
    server.records("many.test", "A", *(f"192.0.2.{number}" for number in range(1, 9)))
    spec = DnsSpec(host="many.test", resolver=server.address, expected_values=("192.0.2.99",))
    seen = await check.run(spec, timeout_ms=1000)
    assert "192.0.2.5 and 3 more, expected" in failed(seen, FailureClass.ASSERTION_FAILED)


async def test_an_address_is_asked_about_backwards(check: DnsCheck, server: DnsTarget) -> None:
    server.records("1.2.0.192.in-addr.arpa", "PTR", "web.test.")
    spec = DnsSpec(host="192.0.2.1", record_type=RecordType.PTR, resolver=server.address, expected_values=("web.test",))
    assert (await check.run(spec, timeout_ms=1000)).failure is None


async def test_a_silent_name_server_is_a_dns_error(check: DnsCheck, server: DnsTarget) -> None:
    server.mood = Mood.SILENT
    seen = await check.run(DnsSpec(host="web.test", resolver=server.address), timeout_ms=150)
    assert failed(seen, FailureClass.DNS_ERROR) == f"timeout: {server.address} did not answer within 150 ms"
    assert seen.ip == "127.0.0.1"


async def test_silence_over_tcp_is_a_dns_error_too(check: DnsCheck, server: DnsTarget) -> None:
    server.truncates = True
    datagrams = server.answer

    def mute_stream(wire: bytes, *, is_datagram: bool) -> bytes | None:
        return datagrams(wire, is_datagram=True) if is_datagram else None

    server.answer = mute_stream  # type: ignore[method-assign]  # one server that answers one way only
    seen = await check.run(DnsSpec(host="web.test", resolver=server.address), timeout_ms=200)
    failed(seen, FailureClass.DNS_ERROR)


async def test_an_answer_over_tcp_that_breaks_off_is_a_protocol_error(check: DnsCheck, server: DnsTarget) -> None:
    server.truncates = True
    server.mood = Mood.CUTTING
    seen = await check.run(DnsSpec(host="web.test", resolver=server.address), timeout_ms=1000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == "the answer over TCP was cut short"


async def test_an_answer_that_is_cut_off_even_over_tcp_is_a_protocol_error(check: DnsCheck, server: DnsTarget) -> None:
    server.truncates = True
    answer = server.answer

    def always_cut(wire: bytes, *, is_datagram: bool) -> bytes | None:
        return answer(wire, is_datagram=True)

    server.answer = always_cut  # type: ignore[method-assign]  # a server that never says all
    seen = await check.run(DnsSpec(host="web.test", resolver=server.address), timeout_ms=1000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == "the answer over TCP is none to the question"


async def test_a_server_without_tcp_refuses(check: DnsCheck) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        port = udp.getsockname()[1]
        asking = asyncio.ensure_future(check.run(DnsSpec(host="a.test", resolver=f"127.0.0.1:{port}"), timeout_ms=1000))
        wire, peer = await asyncio.get_running_loop().sock_recvfrom(udp, 4096)
        udp.sendto(wire[:2] + b"\x83\x80" + wire[4:], peer)
        failed(await asking, FailureClass.CONNECT_REFUSED)


async def test_a_refused_port_is_connect_refused(check: DnsCheck) -> None:
    with DnsTarget() as closed:
        port = closed.port
    seen = await check.run(DnsSpec(host="web.test", resolver=f"127.0.0.1:{port}"), timeout_ms=1000)
    assert failed(seen, FailureClass.CONNECT_REFUSED) == f"connection refused by 127.0.0.1:{port}"


async def test_garbage_is_a_protocol_error(check: DnsCheck, server: DnsTarget) -> None:
    server.garbles = True
    seen = await check.run(DnsSpec(host="web.test", resolver=server.address), timeout_ms=1000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == "the answer is no DNS message"


async def test_an_answer_to_another_question_is_ignored(check: DnsCheck) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        port = udp.getsockname()[1]
        asking = asyncio.ensure_future(check.run(DnsSpec(host="a.test", resolver=f"127.0.0.1:{port}"), timeout_ms=1000))
        wire, peer = await asyncio.get_running_loop().sock_recvfrom(udp, 4096)
        forged = dns.message.make_response(dns.message.make_query("b.test", "A"))
        udp.sendto(forged.to_wire(), peer)
        udp.sendto(dns.message.make_response(dns.message.from_wire(wire)).to_wire(), peer)
        assert (await asking).failure is None


@pytest.mark.parametrize(
    "spec",
    [
        DnsSpec(host="web.test", resolver="dns.example"),
        DnsSpec(host="web.test", resolver="127.0.0.1:0"),
        DnsSpec(host="web.test", resolver="127.0.0.1:x"),
        DnsSpec(host="web.test", resolver="[::1"),
        DnsSpec(host="a" * 64 + ".test"),
        DnsSpec(host="a..b"),
        DnsSpec(host="web.test", expected_values=("not an address",)),
    ],
)
async def test_a_specification_that_makes_no_sense_is_our_fault(check: DnsCheck, spec: DnsSpec) -> None:
    seen = await check.run(spec, timeout_ms=1000)
    assert failed(seen, FailureClass.PROBE_ERROR).startswith("assertion_invalid: ")


@pytest.mark.parametrize(
    ("resolver", "expected"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
    ],
)
async def test_a_resolver_may_have_a_port(check: DnsCheck, resolver: str, expected: tuple[str, int]) -> None:
    where = check._server(DnsSpec(host="x", resolver=resolver)).where
    assert (where.host, where.port) == expected


def test_a_message_that_is_no_query_has_no_values() -> None:
    question = Question(DnsSpec(host="a.test", expected_values=("192.0.2.1",)))
    update = dns.message.from_wire(question.wire[:2] + b"\x28\x00" + b"\x00" * 8)
    failure = question.judge(Reply(update, 12))
    assert failure is not None
    assert failure.kind is FailureClass.ASSERTION_FAILED


def test_the_probe_loads_no_part_of_the_server_and_dnspython_only_when_it_is_needed() -> None:
    code = (
        "import sys, statuspulse.probe.check;"
        "print([name for name in ('fastapi', 'pydantic', 'sqlalchemy', 'dns.message') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
