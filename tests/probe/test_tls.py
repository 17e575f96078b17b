"""The TLS check against servers on loopback with certificates of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import trustme
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.result import Observation, Verdict
from statuspulse.domain.specs.tls import TlsSpec
from statuspulse.domain.times import DAY, from_datetime, to_text
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.tls import TlsCheck
from tests.targets import HttpTarget, Mood, TcpTarget, until

START = datetime.now(UTC)
NOW = from_datetime(START)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
async def check(ca_file: str) -> AsyncIterator[TlsCheck]:
    gate = Gate(Policy(), ca_file=ca_file)
    yield TlsCheck(gate, lambda: NOW)
    gate.close()


@contextmanager
def serving(leaf: trustme.LeafCert) -> Iterator[HttpTarget]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    with HttpTarget(tls=context) as target:
        yield target


@contextmanager
def old_fashioned(leaf: trustme.LeafCert) -> Iterator[int]:
    """A server that speaks TLS 1.2 at most and, other than one of asyncio's, says so in an alert."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_greet_all, args=(listener, context))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _greet_all(listener: socket.socket, context: ssl.SSLContext) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind, seen
    return seen.failure.detail


def ending(authority: trustme.CA, days: float, *names: str) -> trustme.LeafCert:
    return authority.issue_cert(*(names or ("localhost",)), not_after=START + timedelta(days=days))


async def test_a_handshake_tells_version_and_end_of_the_certificate(check: TlsCheck, authority: trustme.CA) -> None:
    with serving(ending(authority, 90)) as target:
        seen = await check.run(TlsSpec(host="localhost", port=target.port), timeout_ms=2000)
        await until(lambda: not target._talks)
    assert (seen.verdict, seen.ip, seen.bytes_read) == (Verdict.OK, "127.0.0.1", 0)
    assert seen.certificate is not None
    assert seen.certificate.tls_version == "TLSv1.3"
    assert abs(seen.certificate.not_after - NOW - 90 * DAY) < 1000
    assert target.arrivals == []


async def test_the_phases_are_name_connection_and_handshake(check: TlsCheck, authority: trustme.CA) -> None:
    with serving(authority.issue_cert("localhost")) as target:
        seen = await check.run(TlsSpec(host="localhost", port=target.port), timeout_ms=2000)
    phases = seen.phases
    assert phases.dns_us is not None
    assert phases.connect_us is not None
    assert phases.tls_us is not None
    assert seen.latency_us is not None
    assert (phases.ttfb_us, phases.transfer_us) == (None, None)
    assert 0 < phases.tls_us <= phases.dns_us + phases.connect_us + phases.tls_us <= seen.latency_us


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_works_on_both_kinds_of_loop(
    run: Callable[[Coroutine[Any, Any, Observation]], Observation], authority: trustme.CA, ca_file: str
) -> None:
    async def main() -> Observation:
        gate = Gate(Policy(), ca_file=ca_file)
        try:
            return await TlsCheck(gate, lambda: NOW).run(TlsSpec(host="127.0.0.1", port=target.port), timeout_ms=2000)
        finally:
            gate.close()

    with serving(authority.issue_cert("127.0.0.1")) as target:
        assert run(main()).failure is None


async def test_the_server_name_is_asked_for_and_verified(check: TlsCheck, authority: trustme.CA) -> None:
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with HttpTarget(tls=context) as target:
        spec = TlsSpec(host="127.0.0.1", port=target.port, server_name="shop.example")
        seen = await check.run(spec, timeout_ms=2000)
    assert seen.failure is None
    assert asked == ["shop.example"]


async def test_a_certificate_for_somebody_else_is_a_tls_error(check: TlsCheck, authority: trustme.CA) -> None:
    with serving(authority.issue_cert("other.example")) as target:
        spec = TlsSpec(host="127.0.0.1", port=target.port, server_name="shop.example")
        seen = await check.run(spec, timeout_ms=2000)
    detail = failed(seen, FailureClass.TLS_ERROR)
    assert detail == "the certificate is not for shop.example but for other.example"
    assert seen.certificate is not None


@pytest.mark.parametrize("verify", [True, False])
async def test_an_expired_certificate_is_tls_expired_with_its_date(
    check: TlsCheck, authority: trustme.CA, verify: bool
) -> None:
    with serving(ending(authority, -3)) as target:
        seen = await check.run(TlsSpec(host="localhost", port=target.port, verify=verify), timeout_ms=2000)
    assert seen.certificate is not None
    day = to_text(seen.certificate.not_after)[:10]
    assert failed(seen, FailureClass.TLS_EXPIRED) == f"a certificate of the chain expired on {day}"
    assert abs(seen.certificate.not_after - NOW + 3 * DAY) < 1000
    assert seen.certificate.tls_version == "TLSv1.3"


async def test_a_self_signed_certificate_is_a_tls_error_unless_anyone_is_trusted(
    check: TlsCheck, tmp_path: Path
) -> None:
    with HttpTarget(tls=self_signed(tmp_path)) as target:
        seen = await check.run(TlsSpec(host="localhost", port=target.port), timeout_ms=2000)
        lenient = await check.run(TlsSpec(host="localhost", port=target.port, verify=False), timeout_ms=2000)
    assert failed(seen, FailureClass.TLS_ERROR) == "the certificate is self-signed"
    assert seen.certificate == lenient.certificate
    assert seen.certificate is not None
    assert lenient.failure is None


async def test_a_chain_without_its_middle_is_incomplete(check: TlsCheck, authority: trustme.CA) -> None:
    leaf = authority.create_child_ca().issue_cert("localhost")
    with serving(leaf) as target:
        whole = await check.run(TlsSpec(host="localhost", port=target.port), timeout_ms=2000)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with leaf.cert_chain_pems[0].tempfile() as certificate, leaf.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    with HttpTarget(tls=context) as target:
        cut = await check.run(TlsSpec(host="localhost", port=target.port), timeout_ms=2000)
    assert whole.failure is None
    assert failed(cut, FailureClass.TLS_ERROR).startswith("the chain is incomplete or its issuer is not trusted: ")
    assert cut.certificate is not None


async def test_an_end_that_is_too_near_is_an_assertion_that_failed(check: TlsCheck, authority: trustme.CA) -> None:
    with serving(ending(authority, 10.5)) as target:
        enough = await check.run(TlsSpec(host="localhost", port=target.port, min_days_left=10), timeout_ms=2000)
        too_few = await check.run(TlsSpec(host="localhost", port=target.port, min_days_left=11), timeout_ms=2000)
    assert enough.failure is None
    assert failed(too_few, FailureClass.ASSERTION_FAILED) == (
        "10 days left until a certificate of the chain ends, expected at least 11"
    )
    assert too_few.certificate is not None


async def test_the_lowest_version_is_a_rule(check: TlsCheck, authority: trustme.CA) -> None:
    with old_fashioned(authority.issue_cert("localhost")) as port:
        old = await check.run(TlsSpec(host="localhost", port=port), timeout_ms=2000)
        new = await check.run(TlsSpec(host="localhost", port=port, min_version="1.3"), timeout_ms=2000)
    assert old.failure is None
    assert old.certificate is not None
    assert old.certificate.tls_version == "TLSv1.2"
    detail = failed(new, FailureClass.TLS_ERROR)
    assert detail == "the server does not speak the version of TLS that is wanted"


async def test_a_server_that_speaks_no_tls_is_a_tls_error(check: TlsCheck) -> None:
    with TcpTarget(banner=b"SSH-2.0-OpenSSH_9.9\r\n") as target:
        seen = await check.run(TlsSpec(host="127.0.0.1", port=target.port), timeout_ms=2000)
    assert failed(seen, FailureClass.TLS_ERROR) == "the answer is no TLS"
    assert seen.certificate is None


async def test_a_silent_server_is_a_time_out_in_time(check: TlsCheck) -> None:
    with TcpTarget() as target:
        begun = monotonic()
        seen = await check.run(TlsSpec(host="127.0.0.1", port=target.port), timeout_ms=300)
    assert monotonic() - begun < 2
    failed(seen, FailureClass.TIMEOUT)
    assert seen.phases.tls_us is not None
    assert seen.phases.tls_us > 200_000


async def test_a_refused_port_is_connect_refused(check: TlsCheck) -> None:
    with TcpTarget(mood=Mood.REFUSING) as target:
        seen = await check.run(TlsSpec(host="127.0.0.1", port=target.port), timeout_ms=1000)
    failed(seen, FailureClass.CONNECT_REFUSED)
    assert seen.phases.tls_us is None


async def test_a_denied_target_sees_no_packet(ca_file: str) -> None:
    gate = Gate(Policy.parse(probe_deny="loopback", delivery_allow="", operator_urls=()), ca_file=ca_file)
    try:
        with TcpTarget() as target:
            for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
                spec = TlsSpec(host=host, port=target.port, server_name="public.example")
                seen = await TlsCheck(gate, lambda: NOW).run(spec, timeout_ms=1000)
                failed(seen, FailureClass.BLOCKED_BY_POLICY)
            assert target.connections == 0
    finally:
        gate.close()


@pytest.mark.parametrize(("host", "server_name"), [("a b", None), ("1.2.3.4.5", None), ("127.0.0.1", "a b")])
async def test_a_host_that_is_none_is_our_fault(check: TlsCheck, host: str, server_name: str | None) -> None:
    seen = await check.run(TlsSpec(host=host, server_name=server_name), timeout_ms=1000)
    assert failed(seen, FailureClass.PROBE_ERROR).startswith("assertion_invalid: ")


async def test_the_next_check_on_the_same_handle_is_a_plain_one(ca_file: str, authority: trustme.CA) -> None:
    gate = Gate(Policy(), ca_file=ca_file)
    try:
        check = TlsCheck(gate, lambda: NOW)
        with serving(authority.issue_cert("other.example")) as target:
            lenient = await check.run(TlsSpec(host="localhost", port=target.port, verify=False), timeout_ms=2000)
            strict = await check.run(TlsSpec(host="localhost", port=target.port), timeout_ms=2000)
        assert lenient.failure is None
        failed(strict, FailureClass.TLS_ERROR)
    finally:
        gate.close()


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "self-signed.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
