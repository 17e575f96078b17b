"""The name servers that this host is configured to ask."""

from __future__ import annotations

import os
from pathlib import Path

from statuspulse.egress.addresses import parse_address

RESOLV_CONF = Path("/etc/resolv.conf")
# What the C library asks when the file names nobody.
_FALLBACK = ("127.0.0.1",)


class Nameservers:
    """The addresses in resolv.conf, read again when it changes: hosts roam, containers get new files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._servers: tuple[str, ...] = _FALLBACK

    def current(self) -> tuple[str, ...]:
        try:
            state = os.stat(self._path)  # noqa: PTH116 - half the price of Path.stat, and paid for each question
            seen = (state.st_mtime_ns, state.st_size)
            if seen != self._seen:
                self._servers = _parse(self._path.read_text("utf-8", errors="replace")) or _FALLBACK
                self._seen = seen
        except OSError:
            self._servers, self._seen = _FALLBACK, None
        return self._servers


def _parse(text: str) -> tuple[str, ...]:
    servers = []
    for line in text.splitlines():
        keyword, *values = line.split() or [""]
        if keyword == "nameserver" and values and _is_address(values[0]):
            servers.append(values[0])
    return tuple(servers)


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except ValueError:
        return False
    return True
