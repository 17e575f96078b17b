"""Certificates of every kind that a server may show, good and bad, by trustme and by hand."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def year(number: int) -> datetime:
    return datetime(number, 3, 1, 12, tzinfo=UTC)


def year_ms(number: int) -> int:
    return int(year(number).timestamp()) * 1000


def context_of(certificate: trustme.LeafCert, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """What a server shows; with `version` it speaks only that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def good(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    return context_of(authority.issue_cert(*(names or ("127.0.0.1",)), not_after=year(2190)))


def expired(authority: trustme.CA) -> ssl.SSLContext:
    return context_of(authority.issue_cert("127.0.0.1", not_before=year(2019), not_after=year(2020)))


def without_intermediate(authority: trustme.CA) -> ssl.SSLContext:
    """The leaf alone, though another certificate stands between it and the authority."""
    leaf = authority.create_child_ca().issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with leaf.private_key_pem.tempfile() as key, leaf.cert_chain_pems[0].tempfile() as alone:
        context.load_cert_chain(alone, key)
    return context


def self_signed(folder: Path, *, days: int) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "alone.test")])
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
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
