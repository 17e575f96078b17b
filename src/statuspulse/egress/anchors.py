"""Anchors: servers beyond our network that tell by answering that it works."""

from __future__ import annotations

from statuspulse.egress.endpoints import Endpoint, parse_endpoint

_DNS_PORT = 53
# a, k and m.root-servers.net, of three operators, as IANA lists the root servers.
_ROOT_SERVERS = ("198.41.0.4", "193.0.14.129", "202.12.27.33", "[2001:503:ba3e::2:30]", "[2001:7fd::1]")


def parse_anchors(text: str) -> tuple[Endpoint, ...]:
    """Reads `ADDRESS:PORT, …`; ValueError says what is wrong. Names would need the very network that is in doubt."""
    anchors = tuple(parse_endpoint(word.strip(), 0) for word in text.split(",") if word.strip())
    for anchor in anchors:
        if not anchor.is_address or not anchor.port:
            raise ValueError("write each as ADDRESS:PORT such as 10.0.0.1:443, or off for none")
    return anchors


def root_servers() -> tuple[Endpoint, ...]:
    """The anchors of whoever names none."""
    return tuple(parse_endpoint(address, _DNS_PORT) for address in _ROOT_SERVERS)
