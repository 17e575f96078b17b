"""Keys and certificates as files, as servers read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True, slots=True)
class Pair:
    """What a server shows, with the chain behind it, and the key to it."""

    chain: Path
    key: Path


def pair_of(folder: Path, name: str, leaf: trustme.LeafCert, *, whole: bool = True) -> Pair:
    """Writes a leaf down; not whole it is alone, though others stand between it and its authority."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    pair.key.write_bytes(leaf.private_key_pem.bytes())
    pems = leaf.cert_chain_pems if whole else leaf.cert_chain_pems[:1]
    pair.chain.write_bytes(b"".join(pem.bytes() for pem in pems))
    return pair


def self_signed(folder: Path, name: str) -> Pair:
    """For the host of this name and for 127.0.0.1, signed by nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = datetime.now(UTC) - timedelta(days=1)
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=90))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    pair.chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pair
