"""The ICMP check: packets over loopback, really sent, and the bytes that they are made of."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.result import Observation, Verdict
from statuspulse.domain.specs.icmp import IcmpSpec, IpVersion
from statuspulse.egress.gate import Gate
from statuspulse.egress.icmp import answered_sequence, checksum, echo_request
from statuspulse.egress.policy import Policy
from statuspulse.probe.icmp import IcmpCheck
from tests.targets import DnsTarget

SCENE = Path(__file__).with_name("icmp_scene.py")
# A namespace belongs to root; others get one inside a user namespace, where they play root.
NAMESPACE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--user", "--map-root-user"]
WITHOUT_PRIVILEGES = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"]
NONCE = bytes(range(16))


@pytest.fixture
def names() -> Iterator[DnsTarget]:
    with DnsTarget() as made:
        yield made


@pytest.fixture
async def check(names: DnsTarget) -> AsyncIterator[IcmpCheck]:
    gate = Gate(Policy(), nameservers=(names.address,))
    yield IcmpCheck(gate)
    gate.close()


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind, seen
    return seen.failure.detail


def staged(
    host: str,
    *,
    answered: list[int] | None = None,
    packets: int = 3,
    max_loss_pct: int = 0,
    timeout_ms: int = 2000,
    groups: str = "1 0",
    privileged: bool = True,
) -> dict[str, Any]:
    """What the check sees in a namespace of its own, whose `groups` may use datagram sockets for ICMP."""
    prepare = 'ip link set lo up && echo "$0" > /proc/sys/net/ipv4/ping_group_range && exec "$@"'
    numbers = [str(number) for number in (packets, max_loss_pct, timeout_ms)]
    program = [sys.executable, str(SCENE), host, json.dumps(answered), *numbers]
    drop = [] if privileged else WITHOUT_PRIVILEGES
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", prepare, groups, *drop, *program],
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "127.1"])
async def test_a_host_that_answers_is_ok_and_the_average_round_trip_is_its_latency(check: IcmpCheck, host: str) -> None:
    seen = await check.run(IcmpSpec(host=host), timeout_ms=2000)
    assert (seen.failure, seen.verdict) == (None, Verdict.OK)
    assert seen.ip == ("::1" if ":" in host else "127.0.0.1")
    assert seen.phases.dns_us == 0
    assert seen.latency_us is not None
    assert 0 < seen.latency_us < 1_000_000


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_works_on_both_kinds_of_loop(run: Callable[[Coroutine[Any, Any, Observation]], Observation]) -> None:
    async def main() -> Observation:
        gate = Gate(Policy())
        try:
            return await IcmpCheck(gate).run(IcmpSpec(host="localhost", packets=10), timeout_ms=2000)
        finally:
            gate.close()

    assert run(main()).failure is None


async def test_many_checks_at_once_take_only_their_own_replies(check: IcmpCheck) -> None:
    specs = [IcmpSpec(host=host, packets=5) for host in ("127.0.0.1", "::1") * 20]
    seen = await asyncio.gather(*(check.run(spec, timeout_ms=5000) for spec in specs))
    assert [one.failure for one in seen] == [None] * 40


async def test_a_name_is_resolved_in_the_version_that_is_wanted(check: IcmpCheck, names: DnsTarget) -> None:
    names.records("both.test", "A", "127.0.0.1")
    names.records("both.test", "AAAA", "::1")
    names.records("four.test", "A", "127.0.0.1")
    for version, ip in ((IpVersion.V4, "127.0.0.1"), (IpVersion.V6, "::1")):
        seen = await check.run(IcmpSpec(host="both.test", ip_version=version), timeout_ms=2000)
        assert (seen.failure, seen.ip) == (None, ip)
        assert seen.phases.dns_us
    missing = await check.run(IcmpSpec(host="four.test", ip_version=IpVersion.V6), timeout_ms=2000)
    assert failed(missing, FailureClass.DNS_ERROR) == "no_address: four.test has no IPv6 address"
    nobody = await check.run(IcmpSpec(host="nobody.test", ip_version=IpVersion.V6), timeout_ms=2000)
    assert failed(nobody, FailureClass.DNS_ERROR).startswith("nxdomain: ")


async def test_one_denied_address_refuses_the_name_in_every_version(names: DnsTarget) -> None:
    names.records("mixed.test", "A", "169.254.169.254")
    names.records("mixed.test", "AAAA", "::1")
    gate = Gate(Policy(), nameservers=(names.address,))
    try:
        for version in IpVersion:
            seen = await IcmpCheck(gate).run(IcmpSpec(host="mixed.test", ip_version=version), timeout_ms=2000)
            detail = failed(seen, FailureClass.BLOCKED_BY_POLICY)
            assert detail == "the address policy denies metadata addresses"
    finally:
        gate.close()


async def test_a_denied_address_is_refused_before_anything_is_sent() -> None:
    gate = Gate(Policy.parse(probe_deny="loopback", delivery_allow="", operator_urls=()))
    try:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            seen = await IcmpCheck(gate).run(IcmpSpec(host=host), timeout_ms=1000)
            detail = failed(seen, FailureClass.BLOCKED_BY_POLICY)
            assert detail == "the address policy denies loopback addresses"
            assert seen.ip is None
    finally:
        gate.close()


@pytest.mark.parametrize("host", ["", "a b", "1.2.3.4.5"])
async def test_a_host_that_is_none_is_our_fault(check: IcmpCheck, host: str) -> None:
    seen = await check.run(IcmpSpec(host=host), timeout_ms=1000)
    assert failed(seen, FailureClass.PROBE_ERROR).startswith("assertion_invalid: ")


# --- losses, in a namespace where loopback stays silent ----------------------------------------------------------


def test_some_packets_lost_is_an_assertion_that_failed_and_forged_replies_do_not_count() -> None:
    seen = staged("127.0.0.1", answered=[1], timeout_ms=600)
    assert seen["failure"] == ["assertion_failed", "2 of 3 packets lost"]
    assert seen["latency_us"] > 0
    assert 0.5 < seen["spent"] < 0.85


def test_losses_within_the_limit_are_ok() -> None:
    assert staged("127.0.0.1", answered=[0, 1, 2], packets=4, max_loss_pct=25, timeout_ms=400)["failure"] is None
    assert staged("127.0.0.1", answered=[2], max_loss_pct=100, timeout_ms=400)["failure"] is None


@pytest.mark.parametrize("max_loss_pct", [0, 100])
def test_all_packets_lost_is_a_time_out_whatever_is_allowed(max_loss_pct: int) -> None:
    seen = staged("127.0.0.1", answered=[], max_loss_pct=max_loss_pct, timeout_ms=400)
    assert seen["failure"] == ["timeout", "3 of 3 packets lost"]
    assert seen["latency_us"] is None
    assert 0.35 < seen["spent"] < 0.65


# --- permission --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_without_privileges_a_datagram_socket_does_where_the_kernel_allows_it(host: str) -> None:
    assert staged(host, groups="0 2147483647", privileged=False)["failure"] is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_with_the_capability_a_raw_socket_does(host: str) -> None:
    assert staged(host, groups="1 0", privileged=True)["failure"] is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_without_either_it_is_our_fault_and_the_text_names_the_cure(host: str) -> None:
    kind, detail = staged(host, groups="1 0", privileged=False)["failure"]
    assert kind == "probe_error"
    assert detail.startswith("no permission: ")
    assert "net.ipv4.ping_group_range" in detail
    assert "CAP_NET_RAW" in detail


# --- the bytes ---------------------------------------------------------------------------------------------------


def test_the_checksum_is_that_of_rfc_1071() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF
    assert checksum(b"\x01") == 0xFEFF
    assert checksum(echo_request(4, 7, 3, NONCE)) == 0


def test_a_request_is_laid_out_as_in_the_standard() -> None:
    request = echo_request(4, 0x0102, 0x0304, NONCE)
    assert (request[:2], request[4:8], request[8:]) == (b"\x08\x00", b"\x01\x02\x03\x04", NONCE)
    assert echo_request(6, 0x0102, 0x0304, NONCE)[:4] == b"\x80\x00\x00\x00"


def reply_to(request: bytes, kind: int, *, code: int = 0) -> bytes:
    bare = bytes((kind, code, 0, 0)) + request[4:]
    return bare[:2] + checksum(bare).to_bytes(2, "big") + bare[4:]


def test_only_the_reply_to_a_request_of_ours_counts() -> None:
    request = echo_request(4, 7, 3, NONCE)
    reply = reply_to(request, 0)
    header = bytes((0x46, *range(23)))
    assert answered_sequence(reply, 4, 7, NONCE) == 3
    assert answered_sequence(header + reply, 4, 7, NONCE) == 3
    assert answered_sequence(reply_to(echo_request(6, 7, 3, NONCE), 129), 6, 7, NONCE) == 3
    for other in (
        b"",
        b"\x45",
        request,
        reply[:-1],
        reply + b"\0",
        reply[:-1] + b"\xff",
        reply_to(request, 0, code=1),
        reply_to(request, 3),
        reply_to(echo_request(4, 8, 3, NONCE), 0),
        reply_to(echo_request(4, 7, 3, bytes(16)), 0),
    ):
        assert answered_sequence(other, 4, 7, NONCE) is None
    assert answered_sequence(reply, 6, 7, NONCE) is None
