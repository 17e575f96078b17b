"""A TLS handshake and nothing behind it: how long the certificates last, and which version is spoken."""

from __future__ import annotations

from typing import NamedTuple

import pycurl

from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.transfer import Exchange, Transfer
from statuspulse.egress.urls import Url

_LOWEST = {"1.2": pycurl.SSLVERSION_TLSv1_2, "1.3": pycurl.SSLVERSION_TLSv1_3}


class Terms(NamedTuple):
    """What is asked of a handshake: a lowest version, "1.2" or "1.3", and with `verify` a name and a trusted chain."""

    verify: bool
    min_version: str


async def shake_hands(gate: Gate, url: Url, located: Located, deadline: Deadline, terms: Terms) -> Exchange:
    """A handshake with the host of an https address. The certificate is there after a failed verification, too."""
    transfer = gate.take_transfer()

    def prepare(ip: str) -> None:
        transfer.prepare(url, ip, located.purpose, deadline=deadline, limit=0, follows=False)
        _narrow(transfer, terms)

    try:
        return await gate.attempt(transfer, located, deadline, prepare)
    finally:
        gate.give_back(transfer, renew=True)


def _narrow(transfer: Transfer, terms: Terms) -> None:
    setopt = transfer.handle.setopt
    setopt(pycurl.CONNECT_ONLY, 1)
    setopt(pycurl.SSL_ENABLE_ALPN, 0)
    setopt(pycurl.SSLVERSION, _LOWEST[terms.min_version])
    if not terms.verify:
        transfer.trust_anyone()
