"""What a check measured, packed: numbers that are only ever read together with their result."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from statuspulse.domain import varints
from statuspulse.domain.result import Phases, Result

_NUMBERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The part of a result that is packed."""

    attempt: int
    truncated: bool
    bytes_read: int
    status_code: int | None
    phases: Phases
    ip: str | None


def pack(result: Result) -> bytes:
    """Eight varints, then the bytes of the address, if there is one.

    The first is twice the attempt, and one more where the body was cut. Those that may be missing stand one higher,
    and 0 is none. A column for each would take 9 bytes more.
    """
    seen = result.observation
    phases = seen.phases
    out = bytearray()
    varints.append(
        out,
        (
            result.attempt << 1 | seen.truncated,
            seen.bytes_read,
            *[
                0 if number is None else number + 1
                for number in (
                    seen.status_code,
                    phases.dns_us,
                    phases.connect_us,
                    phases.tls_us,
                    phases.ttfb_us,
                    phases.transfer_us,
                )
            ],
        ),
    )
    if seen.ip is not None:
        out += _packed(seen.ip)
    return bytes(out)


def unpack(data: bytes) -> Measured:
    """Raises ValueError on other bytes than those of `pack`."""
    (attempt, bytes_read, *shifted), ip = varints.take(data, _NUMBERS)
    status_code, dns, connect, tls, ttfb, transfer = [number - 1 if number else None for number in shifted]
    return Measured(
        attempt=attempt >> 1,
        truncated=bool(attempt & 1),
        bytes_read=bytes_read,
        status_code=status_code,
        phases=Phases(dns_us=dns, connect_us=connect, tls_us=tls, ttfb_us=ttfb, transfer_us=transfer),
        ip=str(ipaddress.ip_address(ip)) if ip else None,
    )


@lru_cache(maxsize=4096)
def _packed(ip: str) -> bytes:
    """Nothing for what is no address."""
    try:
        return ipaddress.ip_address(ip).packed
    except ValueError:
        return b""
