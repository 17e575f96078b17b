"""Which of a host's addresses is dialled: of the family that is wanted, on a way that exists, the next one each time.

A check dials one address only, so that a dual stack of which one half is dead shows.
"""

from __future__ import annotations

import errno
import socket
from contextvars import ContextVar
from time import monotonic

from statuspulse.domain.failure import Failure, FailureClass

# Who tries the same thing again says so here, for what he awaits; whatever he dials by name then is the next address.
ATTEMPT: ContextVar[int] = ContextVar("attempt", default=1)

_NO_WAY = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_REMEMBERED_SECONDS = 1.0


class Ways:
    """Whether this host has a way to a family's addresses; looked at again after a second."""

    def __init__(self) -> None:
        self._known: dict[bool, tuple[float, bool]] = {}

    def exists(self, ip: str) -> bool:
        now = monotonic()
        known = self._known.get(":" in ip)
        if known is None or known[0] < now:
            known = self._known[":" in ip] = (now + _REMEMBERED_SECONDS, _way_exists(ip))
        return known[1]


def in_turn(addresses: tuple[str, ...], attempt: int, ways: Ways) -> tuple[str, ...]:
    """The addresses in the order of dialling. They come in the order of RFC 6724, which the resolver keeps."""
    if len(addresses) == 1:
        return addresses
    if len({":" in ip for ip in addresses}) == 2:
        # What has no way stays behind what has one: it is dialled only where there is nothing else.
        usable = [ip for ip in addresses if ways.exists(ip)] or list(addresses)
    else:
        usable = list(addresses)
    first = (attempt - 1) % len(usable)
    turned = usable[first:] + usable[:first]
    return (*turned, *(ip for ip in addresses if ip not in usable))


def of_family(host: str, addresses: tuple[str, ...], ip_version: str) -> tuple[str, ...] | Failure:
    """The addresses of IPv4 or IPv6; "auto" takes both."""
    if ip_version == "auto":
        return addresses
    fitting = tuple(ip for ip in addresses if (":" in ip) == (ip_version == "6"))
    if fitting:
        return fitting
    return Failure.of(FailureClass.DNS_ERROR, f"no_address: {host} has no IPv{ip_version} address")


def _way_exists(ip: str) -> bool:
    """Connecting a datagram socket sends nothing."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            return sock.connect_ex((ip, 9)) not in _NO_WAY
    except OSError as error:
        return error.errno not in _NO_WAY
