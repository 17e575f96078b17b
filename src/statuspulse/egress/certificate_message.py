"""The chain in the certificate message of a handshake made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from statuspulse.domain.evidence import excerpt
from statuspulse.domain.times import from_datetime
from statuspulse.egress.certificates import Shown

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name


def read_chain(message: bytes, *, is_1_3: bool) -> list[Certificate]:
    """The certificates, the server's own first; empty if one of them cannot be read."""
    # Its import takes 60 ms, which most processes never need.
    from cryptography import x509  # noqa: PLC0415

    try:
        return [x509.load_der_x509_certificate(der) for der in _parts(message, is_1_3=is_1_3)]
    except (ValueError, IndexError):
        return []


def end_of(chain: Sequence[Certificate]) -> int | None:
    """When the first certificate of a chain ends (ms)."""
    return min((from_datetime(one.not_valid_after_utc) for one in chain), default=None)


def shown_by(chain: Sequence[Certificate]) -> Shown:
    begin = max((from_datetime(one.not_valid_before_utc) for one in chain), default=None)
    return Shown(_names(chain[0]) if chain else [], _issuer(chain[-1].issuer) if chain else "", begin, end_of(chain))


def _names(certificate: Certificate) -> list[str]:
    from cryptography import x509  # noqa: PLC0415

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return []
    return [excerpt(str(name.value)) for name in names if isinstance(name, (x509.DNSName, x509.IPAddress))]


def _issuer(name: Name) -> str:
    """In OpenSSL's words, as libcurl tells it."""
    return excerpt(", ".join(f"{part.rfc4514_attribute_name} = {part.value!s}" for part in name))


def _parts(message: bytes, *, is_1_3: bool) -> Iterator[bytes]:
    """The encoded certificates (RFC 5246, 7.4.2; RFC 8446, 4.4.2)."""
    at = 4
    if is_1_3:
        at += 1 + message[at]
    at += 3
    while at + 3 <= len(message):
        size = int.from_bytes(message[at : at + 3], "big")
        at += 3
        yield message[at : at + size]
        at += size
        if is_1_3:
            at += 2 + int.from_bytes(message[at : at + 2], "big")
