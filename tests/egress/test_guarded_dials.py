"""The guard at the socket: redirects, rebinding and libcurl's own surprises reach no forbidden address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pycurl
import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation
from statuspulse.domain.specs.dns import DnsSpec
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Guard, Located
from statuspulse.egress.http_client import HttpClient, Unreachable, UnreachableKind
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.urls import parse_url
from statuspulse.probe.dns import DnsCheck
from statuspulse.probe.http import HttpCheck
from statuspulse.probe.tcp import TcpCheck
from tests.targets import DnsTarget, HttpTarget, http_answer, until, wall_ms

BLOCKED = FailureClass.BLOCKED_BY_POLICY


def strict() -> Policy:
    return Policy.parse(probe_deny="loopback,private", delivery_allow="", operator_urls=())


def all_but(port: int) -> Policy:
    """Loopback is open, but for the canary's port: so that a target may lead to it."""
    return Policy(protected=frozenset({("127.0.0.1", port)}))


@pytest.fixture
def canary() -> Iterator[HttpTarget]:
    with HttpTarget() as target:
        yield target
        assert target.connections == 0


@pytest.fixture
def names() -> Iterator[DnsTarget]:
    with DnsTarget() as target:
        yield target


@pytest.fixture
async def gate(names: DnsTarget) -> AsyncIterator[Gate]:
    made = Gate(strict(), nameservers=(names.address,))
    yield made
    made.close()


@pytest.fixture
async def leading_gate(names: DnsTarget, canary: HttpTarget) -> AsyncIterator[Gate]:
    made = Gate(all_but(canary.port), nameservers=(names.address,))
    yield made
    made.close()


def assert_blocked(seen: Observation) -> None:
    assert seen.failure is not None
    assert seen.failure.kind is BLOCKED
    # After a redirect the host is told as its Location says it; what a name leads to is not.
    assert "127." not in seen.failure.detail.rpartition(", and ")[2]


SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "017700000001",
    "[::ffff:127.0.0.1]",
    "localhost",
    "127.0.0.1.",
]


@pytest.mark.parametrize("host", SPELLINGS)
async def test_a_denied_target_sees_no_packet(gate: Gate, canary: HttpTarget, names: DnsTarget, host: str) -> None:
    spec = HttpSpec(url=f"http://{host}:{canary.port}/")
    assert_blocked(await HttpCheck(gate, wall_ms).run(spec, timeout_ms=1000))
    assert_blocked(await TcpCheck(gate).run(TcpSpec(host=host, port=canary.port), timeout_ms=1000))
    assert names.asked == []


@pytest.mark.parametrize("host", SPELLINGS)
async def test_a_redirect_to_a_denied_target_is_not_followed(leading_gate: Gate, canary: HttpTarget, host: str) -> None:
    with HttpTarget() as lure:
        location = f"http://{host}:{canary.port}/"
        lure.routes["/"] = http_answer(302, b"", f"Location: {location}")
        seen = await HttpCheck(leading_gate, wall_ms).run(HttpSpec(url=f"{lure.url}/"), timeout_ms=1000)
        assert_blocked(seen)
        assert lure.connections == 1


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "gopher://127.0.0.1:1/x", "ftp://127.0.0.1/", "dict://127.0.0.1:1/", "data:,x"]
)
async def test_a_redirect_to_another_scheme_is_not_followed(leading_gate: Gate, location: str) -> None:
    with HttpTarget() as lure:
        lure.routes["/"] = http_answer(301, b"", f"Location: {location}")
        seen = await HttpCheck(leading_gate, wall_ms).run(HttpSpec(url=f"{lure.url}/"), timeout_ms=1000)
        assert seen.failure is not None
        assert seen.failure.kind is FailureClass.REDIRECT_ERROR


async def test_one_denied_address_refuses_the_whole_name(gate: Gate, canary: HttpTarget, names: DnsTarget) -> None:
    names.records("mixed.test", "A", "192.0.2.1", "127.0.0.1")
    names.records("six.test", "A", "8.8.8.8")
    names.records("six.test", "AAAA", "::ffff:127.0.0.1")
    for name in ("mixed.test", "six.test"):
        spec = HttpSpec(url=f"http://{name}:{canary.port}/")
        assert_blocked(await HttpCheck(gate, wall_ms).run(spec, timeout_ms=1000))
        assert_blocked(await TcpCheck(gate).run(TcpSpec(host=name, port=canary.port), timeout_ms=1000))


async def test_a_name_that_changes_its_mind_is_judged_each_time(names: DnsTarget, canary: HttpTarget) -> None:
    # 127.0.0.2 is the good address, 127.0.0.1 with the canary's port the forbidden one.
    gate = Gate(all_but(canary.port), nameservers=(names.address,))
    try:
        names.script("moody.test", "A", ("127.0.0.2",), ("127.0.0.1",), ttl=0)
        spec = HttpSpec(url=f"http://moody.test:{canary.port}/")
        first = await HttpCheck(gate, wall_ms).run(spec, timeout_ms=1000)
        assert first.failure is not None
        assert first.failure.kind is FailureClass.CONNECT_REFUSED
        assert first.ip == "127.0.0.2"
        assert_blocked(await HttpCheck(gate, wall_ms).run(spec, timeout_ms=1000))
    finally:
        gate.close()


async def test_a_name_that_changes_its_mind_between_hops_is_judged_at_each(
    leading_gate: Gate, canary: HttpTarget, names: DnsTarget
) -> None:
    with HttpTarget() as lure:
        names.script("hop.test", "A", ("127.0.0.1",), ttl=0)
        lure.routes["/"] = http_answer(302, b"", f"Location: http://hop.test:{canary.port}/")
        seen = await HttpCheck(leading_gate, wall_ms).run(
            HttpSpec(url=f"http://hop.test:{lure.port}/"), timeout_ms=1000
        )
        assert_blocked(seen)


async def test_many_rebinding_checks_and_deliveries_reach_the_canary_never(
    gate: Gate, canary: HttpTarget, names: DnsTarget
) -> None:
    names.script("flip.test", "A", *(("192.0.2.1",), ("127.0.0.1",)) * 200, ttl=0)
    spec = HttpSpec(url=f"http://flip.test:{canary.port}/")
    check, client = HttpCheck(gate, wall_ms), HttpClient(gate)
    for _ in range(100):
        assert_blocked(await check.run(spec, timeout_ms=1000))
        answer = await client.request(
            method="POST",
            url=spec.url,
            headers={},
            body=b"{}",
            purpose=Purpose.DELIVERY_WEBHOOK,
            timeout_s=1,
            max_bytes=1,
        )
        assert isinstance(answer, Unreachable)
        assert answer.kind is UnreachableKind.BLOCKED_BY_POLICY


async def test_the_socket_is_judged_whatever_libcurl_was_told(gate: Gate, canary: HttpTarget) -> None:
    """Everything before the last guard is out of order: only the address about to be dialled counts."""
    transfer = gate.take_transfer()
    url = parse_url(f"http://8.8.8.8:{canary.port}/")
    transfer.prepare(url, "8.8.8.8", Purpose.CHECK_HTTP, deadline=Deadline.after(1000), limit=10, follows=False)
    transfer.handle.setopt(pycurl.CONNECT_TO, [f"::127.0.0.1:{canary.port}"])
    exchange = transfer.conclude(*await gate.launch(transfer, Deadline.after(1000)))
    gate.give_back(transfer, renew=True)
    assert exchange.failure == Failure(BLOCKED, "the address policy denies loopback addresses")


async def test_only_the_pinned_address_is_dialled_even_among_allowed_ones(canary: HttpTarget) -> None:
    gate = Gate(Policy())
    try:
        transfer = gate.take_transfer()
        url = parse_url("http://127.0.0.2:9/")
        transfer.prepare(url, "127.0.0.2", Purpose.CHECK_HTTP, deadline=Deadline.after(1000), limit=10, follows=False)
        transfer.handle.setopt(pycurl.CONNECT_TO, [f"::127.0.0.1:{canary.port}"])
        exchange = transfer.conclude(*await gate.launch(transfer, Deadline.after(1000)))
        gate.give_back(transfer, renew=True)
        assert exchange.failure == Failure(BLOCKED, "libcurl was about to dial an unjudged address")
    finally:
        gate.close()


async def test_an_adopted_policy_holds_at_once(names: DnsTarget, canary: HttpTarget) -> None:
    gate = Gate(Policy(), nameservers=(names.address,))
    try:
        spec = TcpSpec(host="127.0.0.3", port=canary.port)
        before = await TcpCheck(gate).run(spec, timeout_ms=1000)
        assert before.failure is not None
        assert before.failure.kind is FailureClass.CONNECT_REFUSED
        gate.guard.adopt(strict())
        assert_blocked(await TcpCheck(gate).run(spec, timeout_ms=1000))
    finally:
        gate.close()


async def test_a_resolver_that_a_user_chose_is_judged_like_a_target(gate: Gate, names: DnsTarget) -> None:
    spec = DnsSpec(host="a.test", resolver=names.address)
    assert_blocked(await DnsCheck(gate).run(spec, timeout_ms=1000))
    assert names.asked == []


async def test_the_resolver_of_the_host_is_its_operators_choice(gate: Gate, names: DnsTarget) -> None:
    names.records("a.test", "A", "192.0.2.1")
    seen = await DnsCheck(gate).run(DnsSpec(host="a.test"), timeout_ms=1000)
    assert seen.failure is None


@pytest.mark.parametrize("host", SPELLINGS)
async def test_deliveries_do_not_reach_loopback_unless_it_is_listed(gate: Gate, canary: HttpTarget, host: str) -> None:
    answer = await HttpClient(gate).request(
        method="POST",
        url=f"http://{host}:{canary.port}/secret",
        headers={},
        body=b"{}",
        purpose=Purpose.DELIVERY_SLACK,
        timeout_s=1,
        max_bytes=100,
    )
    assert answer == Unreachable(
        kind=UnreachableKind.BLOCKED_BY_POLICY, text="the address policy denies loopback addresses"
    )


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch, canary: HttpTarget) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, canary.url)
    gate = Gate(Policy())
    try:
        with HttpTarget() as target:
            seen = await HttpCheck(gate, wall_ms).run(HttpSpec(url=target.url), timeout_ms=1000)
            assert seen.failure is None
            assert target.connections == 1
    finally:
        gate.close()


async def test_a_cancelled_check_leaves_nothing_behind(names: DnsTarget) -> None:
    gate = Gate(Policy(), nameservers=(names.address,))
    try:
        with HttpTarget() as target:
            target.delay_seconds = 5
            running = asyncio.ensure_future(HttpCheck(gate, wall_ms).run(HttpSpec(url=target.url), timeout_ms=5000))
            await until(lambda: target.arrivals)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            target.heal()
            seen = await HttpCheck(gate, wall_ms).run(HttpSpec(url=target.url), timeout_ms=1000)
            assert seen.failure is None
    finally:
        gate.close()


def test_remembered_verdicts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statuspulse.egress.guard._REMEMBERED", 3)
    guard = Guard(Policy())
    for number in range(10):
        assert isinstance(guard.judge(f"127.0.0.{number}", 80, Purpose.CHECK_TCP), Located)
    assert len(guard._refusals) <= 3
    assert len(guard._literals) <= 3


async def test_the_peer_that_answered_is_compared_with_the_judged_one(names: DnsTarget) -> None:
    gate = Gate(Policy())
    try:
        with HttpTarget() as target:
            transfer = gate.take_transfer()
            deadline = Deadline.after(1000)
            url = parse_url(target.url)
            transfer.prepare(url, "127.0.0.1", Purpose.CHECK_HTTP, deadline=deadline, limit=10, follows=False)
            code, text = await gate.launch(transfer, deadline)
            transfer._ip = "127.0.0.2"
            exchange = transfer.conclude(code, text)
            gate.give_back(transfer, renew=True)
        assert exchange.failure == Failure(BLOCKED, "another peer than the judged one answered")
    finally:
        gate.close()


async def test_a_host_that_trusts_nobody_fails_for_reasons_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statuspulse.egress.gate.trusted_bundle", lambda: None)
    gate = Gate(Policy())
    try:
        with HttpTarget() as target:
            assert (await HttpCheck(gate, wall_ms).run(HttpSpec(url=target.url), timeout_ms=1000)).failure is None
    finally:
        gate.close()
