"""What kind of address an IP is: our own table of networks, with every embedded IPv4 address unwrapped."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class AddressClass(StrEnum):
    """Classes of addresses, the strictest first. `mail` is a class of ports."""

    NEVER = "never"
    METADATA = "metadata"
    LINK_LOCAL = "link-local"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    MAIL = "mail"
    PUBLIC = "public"


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(word) for word in text.split())


# The first matching row wins. `ipaddress` has properties for some of these, but they are no policy: `is_private` is
# false for 100.64.0.1 and for 168.63.129.16, `is_global` is true for 224.0.0.1.
_TABLE: tuple[tuple[AddressClass, tuple[Network, ...]], ...] = (
    (AddressClass.NEVER, _networks("0.0.0.0/8 224.0.0.0/4 240.0.0.0/4 ::/128 ff00::/8 fec0::/10")),
    (
        AddressClass.METADATA,
        _networks(
            "169.254.169.254/32 168.63.129.16/32 100.100.100.200/32 192.0.0.192/32 fd00:ec2::254/128 fd20:ce::254/128"
        ),
    ),
    (AddressClass.LINK_LOCAL, _networks("169.254.0.0/16 fe80::/10")),
    (AddressClass.LOOPBACK, _networks("127.0.0.0/8 ::1/128")),
    (
        AddressClass.PRIVATE,
        _networks(
            "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 198.18.0.0/15 192.0.0.0/24 192.0.2.0/24"
            " 198.51.100.0/24 203.0.113.0/24 192.88.99.0/24 fc00::/7 100::/64 2001:db8::/32 3fff::/20 5f00::/16"
        ),
    ),
)
# 2001::/23 is private, too, but for Teredo inside it, which is judged by what it embeds.
_PROTOCOL_ASSIGNMENTS = IPv6Network("2001::/23")

_TEREDO = IPv6Network("2001::/32")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
# Mapped, compatible, SIIT and the well-known NAT64 prefix carry the IPv4 address in the last 32 bits.
_LAST_32_BITS = (
    IPv6Network("::ffff:0:0/96"),
    IPv6Network("::/96"),
    IPv6Network("::ffff:0:0:0/96"),
    IPv6Network("64:ff9b::/96"),
)
_MASK_32 = 0xFFFFFFFF
# Where RFC 6052, 2.2 puts the IPv4 address for each length of prefix: the shift of the bits above the reserved octet
# and their number. Bits 64 to 71 are zero, and so is everything behind the address.
_NAT64_SPLITS = ((48, 16), (56, 8), (64, 0))


def classify(address: Address) -> AddressClass:
    """The class of one address as it stands, without looking inside it."""
    for address_class, networks in _TABLE:
        if any(address in network for network in networks):
            return address_class
    if address in _PROTOCOL_ASSIGNMENTS and address not in _TEREDO:
        return AddressClass.PRIVATE
    return AddressClass.PUBLIC


def unwrap(address: Address) -> tuple[Address, ...]:
    """The addresses that decide over this one: those embedded in it, or itself."""
    if isinstance(address, IPv4Address) or classify(address) is not AddressClass.PUBLIC:
        return (address,)
    return tuple(_embedded(address)) or (address,)


def parse_address(text: str) -> Address:
    """Reads a numeric address; a zone id says only through which interface and is dropped."""
    return ip_address(text.partition("%")[0])


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    bits = int(address)
    if any(address in network for network in _LAST_32_BITS):
        yield IPv4Address(bits & _MASK_32)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address(bits >> 80 & _MASK_32)
    elif address in _TEREDO:
        yield IPv4Address(bits >> 64 & _MASK_32)
        yield IPv4Address(~bits & _MASK_32)
    elif address in _NAT64_LOCAL:
        yield from _translated(bits)


def _translated(bits: int) -> Iterator[IPv4Address]:
    """Every address that a translator with a prefix inside 64:ff9b:1::/48 could make of it."""
    yield IPv4Address(bits & _MASK_32)
    for prefix, above in _NAT64_SPLITS:
        below = 32 - above
        behind = 128 - 72 - below
        reserved_octet = bits >> 56 & 0xFF
        if reserved_octet or bits & ((1 << behind) - 1):
            continue
        high = bits >> (128 - prefix - above) & ((1 << above) - 1)
        low = bits >> behind & ((1 << below) - 1)
        yield IPv4Address(high << below | low)
