"""Names that the host itself knows: the hosts file, and `localhost` whatever it says."""

from __future__ import annotations

import os
from pathlib import Path

from statuspulse.egress.addresses import parse_address
from statuspulse.egress.literals import canonical

HOSTS_FILE = Path("/etc/hosts")
_LOOPBACK = ("127.0.0.1", "::1")


class Hosts:
    """The hosts file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._addresses: dict[str, tuple[str, ...]] = {}

    def lookup(self, name: str) -> tuple[str, ...]:
        """The addresses of a name in the order of the file; empty if it is not there."""
        self._refresh()
        known = self._addresses.get(name, ())
        if not known and (name == "localhost" or name.endswith(".localhost")):
            return _LOOPBACK  # RFC 6761, 6.3: these names never go to a name server
        return known

    def _refresh(self) -> None:
        try:
            state = os.stat(self._path)  # noqa: PTH116 - half the price of Path.stat, and paid for each uncached name
            seen = (state.st_mtime_ns, state.st_size)
            if seen == self._seen:
                return
            lines = self._path.read_text("utf-8", errors="replace").splitlines()
        except OSError:
            seen, lines = None, []
        self._seen = seen
        self._addresses = _parse(lines)


def _parse(lines: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        try:
            ip = canonical(parse_address(address))
        except ValueError:
            continue
        for name in names:
            key = name.lower()
            if ip not in found.get(key, ()):
                found[key] = (*found.get(key, ()), ip)
    return found
