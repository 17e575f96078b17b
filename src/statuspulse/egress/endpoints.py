"""Endpoints as people write them: `host`, `host:port`, `[v6]:port` or a bare IPv6 address."""

from __future__ import annotations

from typing import NamedTuple

from statuspulse.egress.literals import ascii_name, literal_address
from statuspulse.egress.urls import bracketed


class Endpoint(NamedTuple):
    """Where to dial. `host` is an address in its canonical form or a name in ASCII."""

    host: str
    port: int
    is_address: bool

    @property
    def text(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


def parse_endpoint(text: str, default_port: int) -> Endpoint:
    """Reads an endpoint; ValueError says in words what is wrong with it."""
    host, separator, port = text.rpartition(":")
    number = default_port
    if not separator or "]" in port or (":" in host and not host.startswith("[")):
        host = text
    elif port.isascii() and port.isdecimal() and len(port) <= 5 and 1 <= int(port) <= 65535:
        number = int(port)
    else:
        raise ValueError("the port has to be between 1 and 65535")
    ip = literal_address(host)
    return Endpoint(ascii_name(host) if ip is None else ip, number, ip is not None)
