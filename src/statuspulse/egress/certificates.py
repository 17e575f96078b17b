"""Trusted certificates of this host, and the dates of the ones that a server showed."""

from __future__ import annotations

import calendar
import ssl
from collections.abc import Iterable
from pathlib import Path

# libcurl's wheel knows only its builder's path; these are where the usual systems keep theirs.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_END = b"Expire date"


def trusted_bundle() -> str | None:
    """The file with the certificates that this host trusts; None if there is none."""
    candidates = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    return next((path for path in candidates if path and Path(path).is_file()), None)


def earliest_end(chain: Iterable[Iterable[tuple[bytes, bytes]]]) -> int | None:
    """When the first certificate of a chain, as libcurl describes it, ends (ms); None if that is not known."""
    ends = [_instant(value) for certificate in chain for key, value in certificate if key == _END]
    return min((end for end in ends if end is not None), default=None)


def _instant(raw: bytes) -> int | None:
    """Reads OpenSSL's form, `Nov  4 08:58:00 2026 GMT`, whatever the locale."""
    try:
        month, day, clock, year, _zone = raw.decode("ascii").split()
        hour, minute, second = clock.split(":")
        moment = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
    except ValueError:
        return None
    return calendar.timegm(moment) * 1000
