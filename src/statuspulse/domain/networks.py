"""Networks in CIDR form, and which address a call comes from behind trusted proxies (RFC 7239)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# One element of Forwarded: text up to a comma that stands in no quotation.
_ELEMENT = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^";,\s]*)\s*')
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\w+)?|([0-9.]+):\w+")


def parse_network(text: str) -> Network:
    """A network as `10.0.0.0/8` or a single address; raises ValueError with the cure, which does not quote it."""
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        mended = ip_network(text, strict=False)
    except ValueError:
        raise ValueError("must be an address or a network such as 192.0.2.0/24") from None
    raise ValueError(f"has bits behind its prefix; {mended} is meant")


@lru_cache(maxsize=1024)
def parse_address(text: str) -> Address | None:
    """An address in the form in which addresses are compared: one of IPv4 that is written as IPv6 is of IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def holds(networks: Iterable[Network], address: Address | None) -> bool:
    """Whether one of the networks has the address; an unknown address is in none."""
    return address is not None and any(address in network for network in networks)


def within(inner: Network, outer: Iterable[Network]) -> bool:
    """Whether one of the outer networks has all of the inner one."""
    return any(_is_part(inner, network) for network in outer)


def caller_address(
    peer: str | None, forwarded: Sequence[str], x_forwarded_for: Sequence[str], trusted: Sequence[Network]
) -> Address | None:
    """Who calls: the first address from the right that is no trusted proxy; None where that cannot be told.

    A trusted proxy writes one of the two headers and may pass on the other as the caller sent it. So where they
    disagree neither is believed.
    """
    nearest = None if peer is None else parse_address(peer)
    if not holds(trusted, nearest):
        return nearest
    named = [
        _behind(nearest, hops, trusted)
        for hops in (list(_forwarded_hops(forwarded)), list(_x_forwarded_hops(x_forwarded_for)))
        if hops
    ]
    if not named:
        return nearest
    return named[0] if len(set(named)) == 1 else None


def _behind(nearest: Address | None, hops: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    address = nearest
    for hop in reversed(hops):
        if not holds(trusted, address):
            return address
        address = parse_address(_without_port(hop))
    return address


def _forwarded_hops(lines: Sequence[str]) -> Iterator[str]:
    """The `for` of every element, left to right; an element that cannot be read is a hop that nobody knows."""
    for element in _ELEMENT.findall(", ".join(lines)):
        if not element.strip():
            continue
        hop = ""
        for pair in element.split(";"):
            found = _PAIR.fullmatch(pair)
            if found is not None and found[1].lower() == "for":
                hop = found[2].strip('"')
        yield hop


def _x_forwarded_hops(lines: Sequence[str]) -> Iterator[str]:
    for hop in ", ".join(lines).split(","):
        if hop.strip():
            yield hop.strip()


def _without_port(hop: str) -> str:
    found = _WITH_PORT.fullmatch(hop)
    return hop if found is None else found[1] or found[2]


def _is_part(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network):
        return inner.subnet_of(outer)
    return False
