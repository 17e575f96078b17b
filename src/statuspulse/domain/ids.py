"""Identifiers: prefix and Crockford base32, short for configured objects, ULID for what happens."""

from __future__ import annotations

import hashlib
import re
import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_ULID_RANDOM_BITS = 80
_ULID_RANDOM_BYTES = _ULID_RANDOM_BITS // 8
_STOCK_BYTES = 400 * _ULID_RANDOM_BYTES
# Two digits at once.
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_FORM = re.compile(r"([a-z]{2,4})_[0-9a-z]{6,32}")


def new_id(prefix: str) -> str:
    """A configured object's id with 8 random characters; the storage retries on the rare collision."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(8))


def new_ulid(prefix: str, at: int) -> str:
    """An id that sorts by time: 48 bits of milliseconds, then 80 random ones (ULID, 26 characters)."""
    return f"{prefix}_{_base32(_timed(at) | secrets.randbits(_ULID_RANDOM_BITS))}"


class Ulids:
    """Makes many such ids, for what needs no secret. It keeps random bits in stock.

    Asking the system for them lets other threads go first, and a call that makes an id would wait for them.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._stock = b""
        self._used = 0

    def new(self, at: int) -> str:
        if self._used == len(self._stock):
            self._stock = secrets.token_bytes(_STOCK_BYTES)
            self._used = 0
        random = self._stock[self._used : self._used + _ULID_RANDOM_BYTES]
        self._used += _ULID_RANDOM_BYTES
        return f"{self._prefix}_{_base32(_timed(at) | int.from_bytes(random))}"


def result_id(monitor_id: str, region: str, scheduled_at: int) -> str:
    """The id of a result, derived from its identity, so that a second copy has the same one."""
    digest = hashlib.blake2b(
        f"{monitor_id}|{region}|{scheduled_at}".encode(), digest_size=10, person=b"sp-result"
    ).digest()
    return f"res_{_base32(scheduled_at << _ULID_RANDOM_BITS | int.from_bytes(digest))}"


def is_id(text: str, prefix: str) -> bool:
    """Whether the text has the form of an id of that kind; says nothing about its existence."""
    form = _FORM.fullmatch(text)
    return form is not None and form.group(1) == prefix


def _timed(at: int) -> int:
    return (at & (1 << 48) - 1) << _ULID_RANDOM_BITS


def _base32(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
