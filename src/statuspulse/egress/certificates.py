"""Trusted certificates of this host, and the dates of the ones that a server showed."""

from __future__ import annotations

import calendar
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from statuspulse.domain.evidence import excerpt
from statuspulse.domain.result import Certificate
from statuspulse.domain.times import to_text

# A chain as libcurl describes it, the server's own certificate first: names and values in OpenSSL's words.
Chain = Sequence[Sequence[tuple[bytes, bytes]]]

# libcurl's wheel knows only its builder's path; these are where the usual systems keep theirs.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BEGIN = b"Start date"
_END = b"Expire date"
_SUBJECT = b"Subject"
_ISSUER = b"Issuer"
_SERIAL = b"Serial Number"
_NAMES = b"X509v3 Subject Alternative Name"
_MOST_NAMES = 50
_MOST_CERTIFICATES = 10


class Shown(NamedTuple):
    """What people are told of a chain: whom its first certificate is for, who signed the last one, and from when until
    when (ms) all of it holds; empty and None are what is not known.
    """

    names: list[str]
    last_issuer: str
    begin: int | None
    end: int | None


def shown(chain: Chain) -> Shown:
    return Shown(names_of(chain), last_issuer(chain), earliest_begin(chain), earliest_end(chain))


def trusted_bundle() -> str | None:
    """The file with the certificates that this host trusts; None if there is none."""
    candidates = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    return next((path for path in candidates if path and Path(path).is_file()), None)


def earliest_end(chain: Chain) -> int | None:
    """When the first certificate of a chain ends (ms); None if that is not known."""
    ends = [_instant(value) for certificate in chain for key, value in certificate if key == _END]
    return min((end for end in ends if end is not None), default=None)


def earliest_begin(chain: Chain) -> int | None:
    """From when on every certificate of a chain holds (ms); None if that is not known."""
    begins = [_instant(value) for certificate in chain for key, value in certificate if key == _BEGIN]
    return max((begin for begin in begins if begin is not None), default=None)


def names_of(chain: Chain) -> list[str]:
    """The hosts that the server's own certificate is for."""
    text = _text(chain[0], _NAMES) if chain else ""
    names = (name.partition(":")[2].strip() for name in text.split(","))
    return [excerpt(name) for name in names if name][:_MOST_NAMES]


def last_issuer(chain: Chain) -> str:
    """Who signed the last certificate that was shown; empty if the chain is."""
    return _text(chain[-1], _ISSUER) if chain else ""


def description(chain: Chain, certificate: Certificate | None) -> dict[str, Any] | None:
    """The chain for people; None if none was shown."""
    if not chain:
        return None
    own = chain[0]
    return {
        **_particulars(own),
        "serial": _text(own, _SERIAL),
        "names": names_of(chain),
        "chain_not_after": None if certificate is None else to_text(certificate.not_after),
        "version": None if certificate is None else certificate.tls_version,
        "cipher": None if certificate is None else certificate.cipher,
        "chain": [_particulars(one) for one in chain[1:_MOST_CERTIFICATES]],
    }


def _particulars(certificate: Sequence[tuple[bytes, bytes]]) -> dict[str, Any]:
    begin, end = (earliest_begin([certificate]), earliest_end([certificate]))
    return {
        "subject": _text(certificate, _SUBJECT),
        "issuer": _text(certificate, _ISSUER),
        "not_before": None if begin is None else to_text(begin),
        "not_after": None if end is None else to_text(end),
    }


def _text(certificate: Sequence[tuple[bytes, bytes]], wanted: bytes) -> str:
    found = next((value for key, value in certificate if key == wanted), b"")
    return excerpt(found.decode("utf-8", "replace"), 4096 if wanted == _NAMES else 256)


def _instant(raw: bytes) -> int | None:
    """Reads OpenSSL's form, `Nov  4 08:58:00 2026 GMT`, whatever the locale."""
    try:
        month, day, clock, year, _zone = raw.decode("ascii").split()
        hour, minute, second = clock.split(":")
        moment = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
        return calendar.timegm(moment) * 1000
    except ValueError:
        return None
