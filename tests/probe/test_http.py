"""The HTTP check against servers on loopback that are healthy, wrong, slow, silent, cutting and hostile."""

from __future__ import annotations

import asyncio
import gzip
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import trustme
import uvloop

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.result import Observation, Phases, Verdict
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.check import Contained, checks
from statuspulse.probe.http import HttpCheck
from tests.targets import Arrival, DnsTarget, HttpTarget, Mood, TcpTarget, http_answer, until, wall_ms

Run = Callable[[Coroutine[Any, Any, Observation]], Observation]


@pytest.fixture
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        yield made


@pytest.fixture
def names() -> Iterator[DnsTarget]:
    with DnsTarget() as made:
        yield made


@pytest.fixture
async def gate(names: DnsTarget) -> AsyncIterator[Gate]:
    made = Gate(Policy(), nameservers=(names.address,))
    yield made
    made.close()


@pytest.fixture
async def check(gate: Gate) -> HttpCheck:
    return HttpCheck(gate, wall_ms)


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind
    return seen.failure.detail


def known(phases: Phases) -> list[int]:
    every = (phases.dns_us, phases.connect_us, phases.tls_us, phases.ttfb_us, phases.transfer_us)
    return [phase for phase in every if phase is not None]


async def test_a_healthy_target_is_ok(check: HttpCheck, target: HttpTarget) -> None:
    seen = await check.run(HttpSpec(url=f"{target.url}/health?a=b"), timeout_ms=1000)
    assert (seen.verdict, seen.status_code, seen.bytes_read, seen.ip) == (Verdict.OK, 200, 3, "127.0.0.1")
    assert not seen.truncated
    assert seen.certificate is None
    arrival = target.arrivals[0]
    assert arrival.what == "GET /health?a=b HTTP/1.1"
    assert set(arrival.headers) == {"host", "user-agent", "accept"}
    assert arrival.headers["host"] == f"127.0.0.1:{target.port}"


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_works_on_both_kinds_of_loop(run: Run, target: HttpTarget) -> None:
    async def main() -> Observation:
        gate = Gate(Policy())
        try:
            return await HttpCheck(gate, wall_ms).run(
                HttpSpec(url=target.url.replace("127.0.0.1", "localhost")), timeout_ms=1000
            )
        finally:
            gate.close()

    assert run(main()).failure is None


async def test_every_check_has_a_connection_of_its_own(check: HttpCheck, target: HttpTarget) -> None:
    for _ in range(3):
        await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    assert target.connections == 3


async def test_many_checks_at_once_do_not_mix(check: HttpCheck, target: HttpTarget) -> None:
    def echo(arrival: Arrival) -> bytes:
        return http_answer(200, b"x" * int(arrival.path[2:]))

    target.routes.update({f"/{number}": echo for number in range(100, 200)})
    specs = [HttpSpec(url=f"{target.url}/{number}") for number in range(100, 200)]
    seen = await asyncio.gather(*(check.run(spec, timeout_ms=3000) for spec in specs))
    assert [each.bytes_read for each in seen] == [int(str(number)[1:]) for number in range(100, 200)]


async def test_the_phases_lie_within_the_latency(check: HttpCheck, target: HttpTarget) -> None:
    target.delay_seconds = 0.05
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    assert seen.latency_us is not None
    assert seen.phases.ttfb_us is not None
    assert seen.phases.tls_us is None
    assert 50_000 <= seen.phases.ttfb_us <= seen.latency_us
    assert seen.latency_us * 0.9 <= sum(known(seen.phases)) <= seen.latency_us


async def test_the_resolvers_time_is_in_the_dns_phase(check: HttpCheck, target: HttpTarget, names: DnsTarget) -> None:
    names.records("web.test", "A", "127.0.0.1")
    names.delay_seconds = 0.05
    seen = await check.run(HttpSpec(url=f"http://web.test:{target.port}/"), timeout_ms=1000)
    assert seen.failure is None
    assert seen.phases.dns_us is not None
    assert seen.latency_us is not None
    assert 50_000 <= seen.phases.dns_us <= seen.latency_us
    assert target.arrivals[0].headers["host"] == f"web.test:{target.port}"


@pytest.mark.parametrize(
    ("expected", "status", "detail"),
    [
        (((200, 299),), 204, None),
        (((200, 200), (404, 404)), 404, None),
        (((200, 200),), 503, "got 503, expected 200"),
        (((200, 299),), 404, "got 404, expected 2xx"),
        # Beyond what RFC 9110 knows, and sent by large sites to those that they take for robots.
        (((999, 999),), 999, None),
        (((900, 999),), 600, "got 600, expected 9xx"),
        (((200, 204), (401, 401)), 500, "got 500, expected 200-204 or 401"),
    ],
)
async def test_the_status_has_to_lie_in_a_range(
    check: HttpCheck, target: HttpTarget, expected: tuple[tuple[int, int], ...], status: int, detail: str | None
) -> None:
    target.routes["/"] = http_answer(status, b"")
    seen = await check.run(HttpSpec(url=target.url, expected_status=expected), timeout_ms=1000)
    assert seen.failure == (None if detail is None else Failure(FailureClass.STATUS_MISMATCH, detail))
    assert seen.status_code == status


async def test_a_refused_port_is_connect_refused(check: HttpCheck) -> None:
    with HttpTarget(mood=Mood.REFUSING) as target:
        seen = await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    assert failed(seen, FailureClass.CONNECT_REFUSED) == f"connection refused by 127.0.0.1:{target.port}"
    assert seen.phases.ttfb_us is None
    assert sum(known(seen.phases)) == seen.latency_us


async def test_the_other_addresses_of_this_host_are_tried_when_one_refuses(target: HttpTarget, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.2 twin\n127.0.0.1 twin\n127.0.0.3 twin\n")
    gate = Gate(Policy(), hosts_file=hosts)
    try:
        seen = await HttpCheck(gate, wall_ms).run(HttpSpec(url=f"http://twin:{target.port}/"), timeout_ms=1000)
        assert (seen.failure, seen.ip) == (None, "127.0.0.1")
        target.mood = Mood.REFUSING
        seen = await HttpCheck(gate, wall_ms).run(HttpSpec(url=f"http://twin:{target.port}/"), timeout_ms=1000)
        assert failed(seen, FailureClass.CONNECT_REFUSED) == f"connection refused by 127.0.0.3:{target.port}"
    finally:
        gate.close()


async def test_a_full_accept_queue_is_connect_timeout(check: HttpCheck) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        seen = await check.run(HttpSpec(url=f"http://127.0.0.1:{port}/"), timeout_ms=200)
        for filler in fillers:
            filler.close()
    assert failed(seen, FailureClass.CONNECT_TIMEOUT) == f"no connection to 127.0.0.1:{port} within 200 ms"


async def test_a_silent_target_is_a_timeout_in_time(check: HttpCheck, target: HttpTarget) -> None:
    target.mood = Mood.SILENT
    begun = monotonic()
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=300)
    assert monotonic() - begun < 2
    assert failed(seen, FailureClass.TIMEOUT) == "no complete answer within 300 ms"
    assert seen.phases.connect_us is not None
    assert seen.phases.ttfb_us is not None
    assert seen.phases.transfer_us is None


async def test_a_body_that_never_ends_is_a_timeout(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxx"
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=200)
    failed(seen, FailureClass.TIMEOUT)
    assert seen.phases.transfer_us is not None
    assert seen.status_code == 200


async def test_the_deadline_covers_all_hops(check: HttpCheck, target: HttpTarget) -> None:
    target.delay_seconds = 0.15
    target.routes["/"] = http_answer(302, b"", "Location: /")
    begun = monotonic()
    seen = await check.run(HttpSpec(url=target.url, max_redirects=20), timeout_ms=500)
    assert monotonic() - begun < 2
    failed(seen, FailureClass.TIMEOUT)


async def test_an_empty_answer_is_a_protocol_error(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = b""
    target.mood = Mood.CUTTING
    assert failed(await check.run(HttpSpec(url=target.url), timeout_ms=1000), FailureClass.PROTOCOL_ERROR)


async def test_a_cut_answer_is_a_protocol_error(check: HttpCheck, target: HttpTarget) -> None:
    target.mood = Mood.CUTTING
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == "the answer was cut short"


async def test_a_reset_is_a_protocol_error(check: HttpCheck) -> None:
    with TcpTarget(mood=Mood.CUTTING) as target:
        for _ in range(20):  # it comes before, while or after the request is sent
            seen = await check.run(HttpSpec(url=f"http://127.0.0.1:{target.port}/"), timeout_ms=1000)
            failed(seen, FailureClass.PROTOCOL_ERROR)


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the answer is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ""),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"Content-Length: 0\r\n\r\n", "more than 100 lines"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: " + b"b" * 70_000 + b"\r\n\r\n", "larger than 65536 bytes"),
        (
            b"HTTP/1.1 100 Continue\r\n\r\n" * 6 + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "more than 5 interim answers",
        ),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200_000, ""),
    ],
)
async def test_an_answer_that_is_none_is_a_protocol_error(
    check: HttpCheck, target: HttpTarget, answer: bytes, detail: str
) -> None:
    target.routes["/"] = answer
    target.mood = Mood.CUTTING if not answer.endswith(b"\r\n\r\n") else Mood.HEALTHY
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=2000)
    assert detail in failed(seen, FailureClass.PROTOCOL_ERROR)


async def test_a_head_within_its_bounds_is_fine(check: HttpCheck, target: HttpTarget) -> None:
    head = (
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5 + b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 99 + b"Content-Length: 0\r\n\r\n"
    )
    target.routes["/"] = head
    assert (await check.run(HttpSpec(url=target.url), timeout_ms=1000)).failure is None


async def test_reading_stops_at_the_cap_and_the_result_is_ok(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(200, b"z" * 5_000_000)
    seen = await check.run(HttpSpec(url=target.url, max_body_bytes=100_000), timeout_ms=2000)
    assert (seen.failure, seen.truncated, seen.bytes_read, seen.status_code) == (None, True, 100_000, 200)


async def test_a_body_of_exactly_the_cap_is_whole(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(200, b"z" * 5000)
    seen = await check.run(HttpSpec(url=target.url, max_body_bytes=5000), timeout_ms=1000)
    assert (seen.failure, seen.truncated, seen.bytes_read) == (None, False, 5000)


async def test_a_truncated_body_does_not_hide_a_wrong_status(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(500, b"z" * 50_000)
    seen = await check.run(HttpSpec(url=target.url, max_body_bytes=10_000), timeout_ms=1000)
    assert failed(seen, FailureClass.STATUS_MISMATCH) == "got 500, expected 2xx"


async def test_a_bomb_is_counted_as_it_comes_and_never_unpacked(check: HttpCheck, target: HttpTarget) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    target.routes["/"] = http_answer(200, bomb, "Content-Encoding: gzip")
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    assert (seen.failure, seen.bytes_read) == (None, len(bomb))


async def test_redirects_are_followed_and_their_phases_summed(check: HttpCheck, target: HttpTarget) -> None:
    target.delay_seconds = 0.03
    target.routes["/"] = http_answer(301, b"moved", "Location: b?x=1")
    target.routes["/b"] = http_answer(307, b"", f"location:   //127.0.0.1:{target.port}/c  ")
    seen = await check.run(HttpSpec(url=f"{target.url}/"), timeout_ms=2000)
    assert (seen.failure, seen.status_code) == (None, 200)
    assert [arrival.what for arrival in target.arrivals] == ["GET / HTTP/1.1", "GET /b?x=1 HTTP/1.1", "GET /c HTTP/1.1"]
    assert seen.phases.ttfb_us is not None
    assert seen.phases.ttfb_us >= 90_000
    assert seen.latency_us is not None
    assert sum(known(seen.phases)) <= seen.latency_us


async def test_without_following_the_redirect_is_the_answer(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(302, b"gone", "Location: /b")
    spec = HttpSpec(url=target.url, follow_redirects=False, expected_status=((302, 302),))
    seen = await check.run(spec, timeout_ms=1000)
    assert (seen.failure, seen.status_code, len(target.arrivals)) == (None, 302, 1)


@pytest.mark.parametrize(
    ("lines", "detail"),
    [
        ((), "status 302 without a Location"),
        (("Location:",), "status 302 without a Location"),
        (("Location: http://[::1",), "bad Location"),
        (("Location: mailto:a@b",), "bad Location"),
        (("Location: http://u:p@127.0.0.1/",), "bad Location"),
    ],
)
async def test_a_redirect_that_leads_nowhere_is_a_redirect_error(
    check: HttpCheck, target: HttpTarget, lines: tuple[str, ...], detail: str
) -> None:
    target.routes["/"] = http_answer(302, b"", *lines)
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    assert detail in failed(seen, FailureClass.REDIRECT_ERROR)
    assert seen.status_code == 302


@pytest.mark.parametrize("allowed", [0, 1, 5])
async def test_redirects_without_end_are_a_redirect_error(check: HttpCheck, target: HttpTarget, allowed: int) -> None:
    target.routes["/"] = http_answer(302, b"", "Location: /")
    seen = await check.run(HttpSpec(url=target.url, max_redirects=allowed), timeout_ms=2000)
    assert failed(seen, FailureClass.REDIRECT_ERROR) == f"more than {allowed} redirects"
    assert len(target.arrivals) == allowed + 1


async def test_of_the_body_of_a_redirect_little_is_read(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(302, b"x" * 3_000_000, "Location: /b")
    target.routes["/b"] = http_answer(200, b"y" * 10_000)
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=2000)
    assert (seen.failure, seen.bytes_read, seen.truncated) == (None, 10_000, False)


async def test_a_dead_name_behind_a_redirect_is_a_dns_error(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(302, b"", "Location: http://nobody.test/")
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=2000)
    assert failed(seen, FailureClass.DNS_ERROR) == "nxdomain: nobody.test does not exist"
    assert seen.phases.connect_us is not None


async def test_a_name_without_address_is_a_dns_error(check: HttpCheck) -> None:
    seen = await check.run(HttpSpec(url="http://nobody.test/"), timeout_ms=1000)
    failed(seen, FailureClass.DNS_ERROR)
    assert seen.latency_us == seen.phases.dns_us
    assert seen.ip is None


async def test_a_url_that_is_none_is_our_fault(check: HttpCheck) -> None:
    seen = await check.run(HttpSpec(url="ftp://example.com/"), timeout_ms=1000)
    assert failed(seen, FailureClass.PROBE_ERROR).startswith("assertion_invalid: ")


@pytest.mark.parametrize("left", [0, 1])  # libcurl needs a second one for a moment
async def test_without_descriptors_the_fault_is_ours(check: HttpCheck, target: HttpTarget, left: int) -> None:
    await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    await until(lambda: not target._talks)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as probe:
        lowest_free = probe.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + left, hard))
    try:
        seen = await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert failed(seen, FailureClass.PROBE_ERROR) == "no_descriptors: too many open files"
    assert target.connections == 1


# --- TLS ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def trusting(authority: trustme.CA, tmp_path: Path) -> AsyncIterator[HttpCheck]:
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    gate = Gate(Policy(), ca_file=str(trusted))
    yield HttpCheck(gate, wall_ms)
    gate.close()


def served_with(certificate: trustme.LeafCert) -> HttpTarget:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return HttpTarget(tls=context)


def moment(year: int) -> datetime:
    return datetime(year, 3, 1, 12, tzinfo=UTC)


async def test_the_end_of_the_certificate_is_seen(trusting: HttpCheck, authority: trustme.CA) -> None:
    with served_with(authority.issue_cert("127.0.0.1", not_after=moment(2190))) as target:
        seen = await trusting.run(HttpSpec(url=target.url), timeout_ms=2000)
    assert seen.failure is None
    assert seen.certificate is not None
    assert seen.certificate.not_after == int(moment(2190).timestamp() * 1000)
    assert seen.phases.tls_us is not None
    assert seen.latency_us is not None
    assert sum(known(seen.phases)) <= seen.latency_us


async def test_an_expired_certificate_shows_its_end(trusting: HttpCheck, authority: trustme.CA) -> None:
    certificate = authority.issue_cert("127.0.0.1", not_before=moment(2019), not_after=moment(2020))
    with served_with(certificate) as target:
        seen = await trusting.run(HttpSpec(url=target.url), timeout_ms=2000)
    failed(seen, FailureClass.TLS_EXPIRED)
    assert seen.certificate is not None
    assert seen.certificate.not_after == int(moment(2020).timestamp() * 1000)
    assert seen.phases.tls_us is not None
    assert seen.phases.ttfb_us is None
    assert target.arrivals == []


async def test_a_certificate_for_another_name_is_a_tls_error(trusting: HttpCheck, authority: trustme.CA) -> None:
    with served_with(authority.issue_cert("other.example")) as target:
        seen = await trusting.run(HttpSpec(url=target.url), timeout_ms=2000)
    failed(seen, FailureClass.TLS_ERROR)
    assert seen.certificate is not None


async def test_an_untrusted_certificate_is_a_tls_error(trusting: HttpCheck) -> None:
    with served_with(trustme.CA().issue_cert("127.0.0.1")) as target:
        failed(await trusting.run(HttpSpec(url=target.url), timeout_ms=2000), FailureClass.TLS_ERROR)


async def test_a_server_without_tls_is_a_tls_error(trusting: HttpCheck) -> None:
    with TcpTarget(banner=b"220 mail ready\r\n") as target:
        seen = await trusting.run(HttpSpec(url=f"https://127.0.0.1:{target.port}/"), timeout_ms=2000)
    failed(seen, FailureClass.TLS_ERROR)


async def test_a_handshake_that_hangs_is_a_timeout(trusting: HttpCheck) -> None:
    with TcpTarget() as target:
        seen = await trusting.run(HttpSpec(url=f"https://127.0.0.1:{target.port}/"), timeout_ms=200)
    failed(seen, FailureClass.TIMEOUT)
    assert seen.phases.tls_us is not None
    assert seen.phases.ttfb_us is None


async def test_a_missing_file_of_trusted_certificates_is_our_fault(authority: trustme.CA, tmp_path: Path) -> None:
    gate = Gate(Policy(), ca_file=str(tmp_path / "missing.pem"))
    try:
        with served_with(authority.issue_cert("127.0.0.1")) as target:
            seen = await HttpCheck(gate, wall_ms).run(HttpSpec(url=target.url), timeout_ms=2000)
        assert failed(seen, FailureClass.PROBE_ERROR).startswith("storage: ")
        assert seen.verdict is Verdict.VOID
    finally:
        gate.close()


async def test_a_redirect_from_https_to_http_keeps_the_phases(trusting: HttpCheck, authority: trustme.CA) -> None:
    with served_with(authority.issue_cert("127.0.0.1")) as secure, HttpTarget() as plain:
        secure.routes["/"] = http_answer(302, b"", f"Location: {plain.url}/")
        seen = await trusting.run(HttpSpec(url=secure.url), timeout_ms=2000)
    assert seen.failure is None
    assert seen.phases.tls_us is not None


# --- the seam ----------------------------------------------------------------------------------------------------


async def test_there_is_a_check_for_every_type(gate: Gate, target: HttpTarget) -> None:
    registry = checks(gate, wall_ms)
    assert set(registry) == set(MonitorType)
    assert (await registry[MonitorType.HTTP].run(HttpSpec(url=target.url), timeout_ms=1000)).failure is None


class Defective:
    async def run(self, spec: HttpSpec, *, timeout_ms: int) -> Observation:
        raise ZeroDivisionError(spec, timeout_ms)


async def test_a_defect_of_ours_is_void(caplog: pytest.LogCaptureFixture) -> None:
    seen = await Contained(Defective()).run(HttpSpec(url="http://x/"), timeout_ms=1000)
    assert failed(seen, FailureClass.PROBE_ERROR) == "internal: ZeroDivisionError"
