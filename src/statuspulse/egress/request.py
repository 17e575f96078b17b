"""What goes out with an HTTP request, read once and the same for every connection that carries it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_NO_TOKEN = frozenset(' \t:()<>@,;\\"/[]?={}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """More than a plain GET. With `collects` the body of the answer is wanted, not only its size.

    `http_version` is "auto", "1.1" or "2"; `verify` says whether the certificate has to be trusted.
    """

    method: str = "GET"
    lines: tuple[bytes, ...] = ()
    body: bytes | None = None
    http_version: str = "auto"
    verify: bool = True
    collects: bool = False


def header_lines(headers: Iterable[tuple[str, str]]) -> tuple[bytes, ...]:
    """Headers as libcurl takes them; ValueError for one that would smuggle in another."""
    return tuple(_line(name, value) for name, value in headers)


def _line(name: str, value: str) -> bytes:
    is_token = name.isascii() and not _NO_TOKEN.intersection(name)
    if not name or not is_token or not (name + value).replace("\t", " ").isprintable():
        raise ValueError("a header holds characters that headers may not hold")
    # To libcurl "Name:" takes a header away; this is how it spells one that is empty.
    return f"{name}: {value}".encode() if value.strip() else f"{name};".encode()
