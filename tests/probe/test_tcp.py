"""The TCP check against loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.result import Observation, Verdict
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.tcp import TcpCheck
from tests.targets import DnsTarget, Mood, TcpTarget, until


@pytest.fixture
def names() -> Iterator[DnsTarget]:
    with DnsTarget() as made:
        yield made


@pytest.fixture
async def check(names: DnsTarget) -> AsyncIterator[TcpCheck]:
    gate = Gate(Policy(), nameservers=(names.address,))
    yield TcpCheck(gate)
    gate.close()


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind
    return seen.failure.detail


async def test_an_accepted_connection_is_ok(check: TcpCheck) -> None:
    with TcpTarget() as target:
        seen = await check.run(TcpSpec(host="127.0.0.1", port=target.port), timeout_ms=1000)
    assert (seen.verdict, seen.ip, seen.phases.dns_us) == (Verdict.OK, "127.0.0.1", 0)
    assert seen.latency_us == seen.phases.connect_us


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_works_on_both_kinds_of_loop(run: Callable[[Coroutine[Any, Any, Observation]], Observation]) -> None:
    async def main() -> Observation:
        gate = Gate(Policy())
        try:
            return await TcpCheck(gate).run(TcpSpec(host="localhost", port=target.port), timeout_ms=1000)
        finally:
            gate.close()

    with TcpTarget() as target:
        assert run(main()).failure is None


async def test_the_connection_is_closed_afterwards(check: TcpCheck) -> None:
    with TcpTarget() as target:
        await check.run(TcpSpec(host="127.0.0.1", port=target.port), timeout_ms=1000)
        await until(lambda: target.arrivals and not target._talks)


async def test_a_refused_port_is_connect_refused(check: TcpCheck) -> None:
    with TcpTarget() as target:
        target.break_()
        seen = await check.run(TcpSpec(host="127.0.0.1", port=target.port), timeout_ms=1000)
        assert failed(seen, FailureClass.CONNECT_REFUSED) == f"connection refused by 127.0.0.1:{target.port}"
        target.heal()
        seen = await check.run(TcpSpec(host="127.0.0.1", port=target.port), timeout_ms=1000)
        assert seen.failure is None


async def test_a_full_accept_queue_is_connect_timeout(check: TcpCheck) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        seen = await check.run(TcpSpec(host="127.0.0.1", port=port), timeout_ms=200)
        for filler in fillers:
            filler.close()
    assert failed(seen, FailureClass.CONNECT_TIMEOUT) == f"no connection to 127.0.0.1:{port} within 200 ms"
    assert seen.latency_us is not None
    assert 150_000 < seen.latency_us < 450_000


async def test_a_connection_that_is_reset_at_once_was_accepted(check: TcpCheck) -> None:
    with TcpTarget(mood=Mood.CUTTING) as target:
        for _ in range(20):
            seen = await check.run(TcpSpec(host="127.0.0.1", port=target.port), timeout_ms=1000)
            assert seen.failure is None


async def test_a_name_is_resolved_and_its_time_counted(check: TcpCheck, names: DnsTarget) -> None:
    names.records("db.test", "A", "127.0.0.1")
    names.delay_seconds = 0.03
    with TcpTarget() as target:
        seen = await check.run(TcpSpec(host="DB.test.", port=target.port), timeout_ms=1000)
    assert seen.failure is None
    assert seen.phases.dns_us is not None
    assert seen.phases.connect_us is not None
    assert seen.phases.dns_us >= 30_000
    assert seen.latency_us == seen.phases.dns_us + seen.phases.connect_us


async def test_a_missing_name_is_a_dns_error(check: TcpCheck) -> None:
    seen = await check.run(TcpSpec(host="nobody.test", port=1), timeout_ms=1000)
    assert failed(seen, FailureClass.DNS_ERROR).startswith("nxdomain: ")
    assert seen.latency_us == seen.phases.dns_us


async def test_every_spelling_of_an_address_will_do(check: TcpCheck) -> None:
    with TcpTarget() as target:
        for host in ("127.1", "0x7f000001", "[::ffff:127.0.0.1]", "::ffff:127.0.0.1"):
            seen = await check.run(TcpSpec(host=host, port=target.port), timeout_ms=1000)
            assert seen.failure is None


@pytest.mark.parametrize("host", ["", "a b", "1.2.3.4.5", "http://x"])
async def test_a_host_that_is_none_is_our_fault(check: TcpCheck, host: str) -> None:
    seen = await check.run(TcpSpec(host=host, port=1), timeout_ms=1000)
    assert failed(seen, FailureClass.PROBE_ERROR).startswith("assertion_invalid: ")
