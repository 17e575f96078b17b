"""Hosts as they are written: names in one form, and addresses recognised in every spelling."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote_to_bytes

from statuspulse.egress.addresses import Address, parse_address

_NAME_LIMIT = 253
_LABEL_LIMIT = 63
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
_HEX_DIGITS = frozenset("0123456789abcdef")


def literal_address(host: str) -> str | None:
    """The canonical address that a host spells (`127.1`, `0x7f.1`, `2130706433`, `[::1%25lo]`); None for a name.

    Raises ValueError for what is neither an address nor a name.
    """
    if ":" in host or host.startswith("["):
        return canonical(_ipv6(host))
    name = ascii_name(host)
    return canonical(_ipv4(name)) if _ends_in_a_number(name) else None


def canonical(address: Address) -> str:
    """The text that the operating system gives for an address, so that texts can be compared."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    return socket.inet_ntop(family, address.packed)


def ascii_name(host: str) -> str:
    """A host name in lower case, as ASCII and without final dot; ValueError if it cannot be one.

    Full-width digits, ideographic dots and percent signs come out as what a resolver would make of them.
    """
    decoded = unquote_to_bytes(host).decode("utf-8") if "%" in host else host
    if not decoded.isascii():
        try:
            decoded = decoded.encode("idna").decode("ascii")
        except UnicodeError:
            raise ValueError("the host name is not valid") from None
    name = decoded.lower().removesuffix(".")
    if not name:
        raise ValueError("the host name is empty")
    if not _NAME_CHARACTERS.issuperset(name):
        what = "a space" if any(char.isspace() for char in name) else "a character that no name has"
        raise ValueError(f"the host name holds {what}; it takes letters, digits, hyphens and underscores between dots")
    for number, label in enumerate(name.split("."), start=1):
        if not label:
            raise ValueError(f"part {number} of the host name is empty: a dot too many")
        if len(label) > _LABEL_LIMIT:
            raise ValueError(f"part {number} of the host name has {len(label)} characters; it may have {_LABEL_LIMIT}")
    if len(name) > _NAME_LIMIT:
        raise ValueError(f"the host name has {len(name)} characters; it may have {_NAME_LIMIT}")
    return name


def _ipv6(host: str) -> Address:
    text = host.removeprefix("[").removesuffix("]")
    if host.startswith("[") != host.endswith("]"):
        raise ValueError("a bracket is missing in the address")
    try:
        address = parse_address(text)
    except ValueError:
        raise ValueError("the address is not valid") from None
    if not isinstance(address, IPv6Address):
        raise ValueError("only IPv6 addresses stand in brackets")  # noqa: TRY004 - it is the text that is wrong
    return address


def _ends_in_a_number(name: str) -> bool:
    """Parsers take such a host for an address, so it must never pass as a name."""
    last = name.rpartition(".")[2]
    return last.isdecimal() or (last.startswith("0x") and _HEX_DIGITS.issuperset(last[2:]))


def _ipv4(name: str) -> IPv4Address:
    """One to four numbers, decimal, octal or hexadecimal; the last one fills the rest, as inet_aton reads them."""
    parts = name.split(".")
    if len(parts) > 4:
        raise ValueError("the address has too many parts")
    *leading, last = [_number(part) for part in parts]
    if any(value > 255 for value in leading) or last >= 256 ** (5 - len(parts)):
        raise ValueError("a part of the address is too large")
    value = last
    for place, part in enumerate(leading):
        value |= part << (24 - 8 * place)
    return IPv4Address(value)


def _number(text: str) -> int:
    try:
        if text.startswith("0x"):
            return int(text[2:] or "0", 16)
        if text.startswith("0") and text != "0":
            return int(text, 8)
        if text.isdecimal():
            return int(text)
    except ValueError:
        pass
    raise ValueError("a part of the address is not a number")
