"""Where a call comes from."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import HTTPConnection

from statuspulse.domain import networks
from statuspulse.domain.networks import Address, Network


def address_of(request: HTTPConnection, trusted_proxies: Sequence[Network]) -> Address | None:
    """The caller's address, read from headers only as far as trusted proxies wrote them; None where it is unknown."""
    return networks.caller_address(
        None if request.client is None else request.client.host,
        request.headers.getlist("forwarded"),
        request.headers.getlist("x-forwarded-for"),
        trusted_proxies,
    )
