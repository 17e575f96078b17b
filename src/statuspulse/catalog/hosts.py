"""Hosts that can be read and still lead nowhere: nobody can register such a name, no probe knows such an interface."""

from __future__ import annotations

import re
import unicodedata

from statuspulse.egress.literals import ascii_name, literal_address

_ENCODED = "xn--"
_ZONE = "holds a zone, which is known to one machine only; leave out % and what follows it in the address"
# Characters that no name holds: controls, halves of surrogate pairs, private and unassigned ones.
_NO_LETTERS = frozenset({"Cc", "Cs", "Co", "Cn"})


def host_fault(host: str) -> str | None:
    """Why a host that is an address or a name cannot be dialled, None for one that can.

    The text goes on from the name of the member. Raises ValueError for what is neither.
    """
    ip = literal_address(host)
    if ip is not None:
        return _ZONE if ":" in ip and "%" in host else None
    for label in ascii_name(host).split("."):
        if label.startswith("-") or label.endswith("-"):
            return "holds a part that begins or ends with a hyphen, which no host name may (RFC 1123, 2.1)"
        if label.startswith(_ENCODED) and not _is_encoded(label.removeprefix(_ENCODED)):
            return "holds a part that begins with xn-- and encodes no name (RFC 3492)"
    return None


def written_host(url: str) -> str:
    """The host as it stands in a URL that can be read, with the brackets of an IPv6 address."""
    authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    return authority[: authority.index("]") + 1] if authority.startswith("[") else authority.partition(":")[0]


def _is_encoded(text: str) -> bool:
    """Whether Punycode reads it, as letters beyond ASCII, and would write it alike."""
    try:
        letters = text.encode("ascii").decode("punycode")
        again = letters.encode("punycode").decode("ascii")
    except ValueError:
        return False
    return (
        again == text and not letters.isascii() and not {unicodedata.category(char) for char in letters} & _NO_LETTERS
    )
