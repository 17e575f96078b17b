"""Certificates as an HTTP check sees them: trusted or not, their dates and particulars are reported."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from statuspulse.domain.assertion import Assertion, Operator, Source
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.result import Observation
from statuspulse.domain.specs.http import HttpSpec, TlsOptions
from statuspulse.probe.http import HttpCheck
from tests.targets import HttpTarget

# What a hybrid with ML-KEM-768 adds to a hello (FIPS 203, table 3).
_SHARE_BYTES = 1184


def context_of(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


def without_intermediates(cert: trustme.LeafCert, folder: Path) -> ssl.SSLContext:
    key, leaf = folder / "key.pem", folder / "leaf.pem"
    cert.private_key_pem.write_to_path(str(key))
    cert.cert_chain_pems[0].write_to_path(str(leaf))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf, key)
    return context


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x1234ABCD)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "self.pem"
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


async def look(check: HttpCheck, context: ssl.SSLContext, **members: Any) -> Observation:
    with HttpTarget(tls=context) as target:
        return await check.run(HttpSpec(url=target.url, **members), timeout_ms=2000)


def refused(seen: Observation, kind: FailureClass = FailureClass.TLS_ERROR) -> tuple[str, dict[str, Any]]:
    """The words of a failed verification, and the certificate that was reported all the same."""
    assert seen.failure is not None
    assert seen.failure.kind is kind
    assert seen.status_code is None
    assert seen.certificate is not None
    assert seen.evidence is not None
    certificate: dict[str, Any] = seen.evidence["certificate"]
    assert certificate["version"] == "TLSv1.3"
    return seen.failure.detail, certificate


async def test_a_trusted_certificate_is_reported(check: HttpCheck, authority: trustme.CA) -> None:
    end = datetime(2035, 3, 1, tzinfo=UTC)
    seen = await look(check, context_of(authority.issue_cert("127.0.0.1", not_after=end)))
    assert seen.failure is None
    assert seen.evidence is None
    assert seen.certificate is not None
    assert seen.certificate.not_after == int(end.timestamp() * 1000)
    assert seen.certificate.tls_version == "TLSv1.3"
    assert seen.certificate.cipher is not None
    assert seen.certificate.cipher.startswith("TLS_")


async def test_version_and_cipher_are_known_whether_a_check_listened_or_not(
    check: HttpCheck, authority: trustme.CA
) -> None:
    context = context_of(authority.issue_cert("127.0.0.1"))
    with HttpTarget(tls=context) as target:
        first, second = [await check.run(HttpSpec(url=target.url), timeout_ms=2000) for _ in range(2)]
        target.stop()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        await check.run(HttpSpec(url=target.url), timeout_ms=2000)  # fails, so the next one listens again
        target.start()
        third = await check.run(HttpSpec(url=target.url), timeout_ms=2000)
    seen = [each.certificate and each.certificate.tls_version for each in (first, second, third)]
    assert seen == ["TLSv1.3", "TLSv1.3", "TLSv1.2"]


@contextlib.asynccontextmanager
async def hellos_before(target: HttpTarget) -> AsyncIterator[tuple[str, list[bytes]]]:
    """The URL of a way to the target, and the first record of each connection that takes it."""
    hellos: list[bytes] = []
    ways: list[asyncio.Task[None]] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
        writer.close()

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", target.port)
        try:
            head = await reader.readexactly(5)
            hellos.append(await reader.readexactly(int.from_bytes(head[3:])))
            here.write(head + hellos[-1])
            await asyncio.gather(pass_on(reader, here), pass_on(there, writer), return_exceptions=True)
        finally:
            for end in (here, writer):
                end.close()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ways.append(asyncio.ensure_future(lead(reader, writer)))

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", hellos
    await asyncio.wait(ways, timeout=5)


async def test_a_server_that_takes_x25519_is_sent_no_larger_share_again(
    check: HttpCheck, authority: trustme.CA
) -> None:
    with HttpTarget(tls=context_of(authority.issue_cert("127.0.0.1"))) as target:
        async with hellos_before(target) as (url, hellos):
            seen = [await check.run(HttpSpec(url=url), timeout_ms=2000) for _ in range(3)]
    assert [each.failure for each in seen] == [None, None, None]
    first, *later = map(len, hellos)
    assert all(size < first for size in later)
    assert all(size < _SHARE_BYTES for size in later)


async def test_a_certificate_past_its_end_is_expired(check: HttpCheck, authority: trustme.CA) -> None:
    end = datetime(2020, 1, 2, tzinfo=UTC)
    seen = await look(check, context_of(authority.issue_cert("127.0.0.1", not_after=end)))
    words, certificate = refused(seen, FailureClass.TLS_EXPIRED)
    assert words == "a certificate of the chain expired on 2020-01-02"
    assert certificate["not_after"] == "2020-01-02T00:00:00.000Z"
    assert certificate["names"] == ["127.0.0.1"]


async def test_a_certificate_before_its_begin_is_not_valid_yet(check: HttpCheck, authority: trustme.CA) -> None:
    begin = datetime(2999, 1, 2, tzinfo=UTC)
    words, _ = refused(await look(check, context_of(authority.issue_cert("127.0.0.1", not_before=begin))))
    assert words == "a certificate of the chain is not valid yet, only from 2999-01-02"


async def test_a_self_signed_certificate_is_called_so(check: HttpCheck, tmp_path: Path) -> None:
    words, certificate = refused(await look(check, self_signed(tmp_path)))
    assert words == "the certificate is self-signed"
    assert certificate["subject"] == certificate["issuer"] == "CN = self.test"
    assert certificate["serial"] == "1234abcd"


async def test_a_certificate_for_another_host_names_its_own(check: HttpCheck, authority: trustme.CA) -> None:
    words, certificate = refused(await look(check, context_of(authority.issue_cert("a.example", "b.example"))))
    assert words == "the certificate is not for 127.0.0.1 but for a.example, b.example"
    assert certificate["names"] == ["a.example", "b.example"]


async def test_a_chain_without_its_intermediate_is_incomplete(
    check: HttpCheck, authority: trustme.CA, tmp_path: Path
) -> None:
    leaf = authority.create_child_ca().issue_cert("127.0.0.1")
    words, certificate = refused(await look(check, without_intermediates(leaf, tmp_path)))
    assert words.startswith("the chain is incomplete or its issuer is not trusted: no certificate of O = trustme")
    assert certificate["chain"] == []


async def test_the_first_end_in_the_chain_counts(check: HttpCheck, authority: trustme.CA) -> None:
    seen = await look(check, context_of(authority.create_child_ca().issue_cert("127.0.0.1")))
    assert seen.failure is None
    assert seen.certificate is not None
    earliest = x509.load_pem_x509_certificate(authority.cert_pem.bytes()).not_valid_after_utc
    assert seen.certificate.not_after <= int(earliest.timestamp() * 1000)


async def test_without_verification_any_certificate_will_do(check: HttpCheck, tmp_path: Path) -> None:
    seen = await look(check, self_signed(tmp_path), tls=TlsOptions(verify=False))
    assert seen.failure is None
    assert seen.certificate is not None
    assert (await look(check, self_signed(tmp_path))).failure is not None


@pytest.mark.parametrize(("least", "holds"), [(8, True), (9, False)])
async def test_a_rule_can_ask_for_days_before_the_end(
    check: HttpCheck, tmp_path: Path, least: int, holds: bool
) -> None:
    rule = Assertion(Source.TLS_DAYS_LEFT, None, Operator.GTE, least)
    seen = await look(check, self_signed(tmp_path), tls=TlsOptions(verify=False), assertions=(rule,))
    if holds:
        assert seen.failure is None
    else:
        assert seen.failure is not None
        assert seen.failure.detail == "tls_days_left gte 9 does not hold: it is 8"
