"""A TLS handshake and nothing behind it: how long the certificates last, and which version is spoken."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pycurl

from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.transfer import Exchange, Transfer
from statuspulse.egress.urls import Url

_LOWEST = {"1.2": pycurl.SSLVERSION_TLSv1_2, "1.3": pycurl.SSLVERSION_TLSv1_3}
# libcurl tells the version nowhere but in this line of its log: "SSL connection using TLSv1.3 / TLS_AES_…".
_SPOKEN = b"SSL connection using "


class Terms(NamedTuple):
    """What is asked of a handshake: a lowest version, "1.2" or "1.3", and with `verify` a name and a trusted chain."""

    verify: bool
    min_version: str


async def shake_hands(gate: Gate, url: Url, located: Located, deadline: Deadline, terms: Terms) -> Exchange:
    """A handshake with the host of an https address. The certificate is there after a failed verification, too."""
    transfer = gate.take_transfer()
    spoken: list[str] = []

    def prepare(ip: str) -> None:
        transfer.prepare(url, ip, located.purpose, deadline=deadline, limit=0, follows=False, body=None)
        _narrow(transfer, terms, spoken)

    try:
        exchange = await gate.attempt(transfer, located, deadline, prepare)
        if exchange.certificate is None or not spoken:
            return exchange
        return exchange._replace(certificate=replace(exchange.certificate, tls_version=spoken[-1]))
    finally:
        gate.give_back(transfer, renew=True)


def trust_anyone(transfer: Transfer) -> None:
    """Takes a certificate whoever signed it and whomever it names."""
    transfer.handle.setopt(pycurl.SSL_VERIFYPEER, 0)
    transfer.handle.setopt(pycurl.SSL_VERIFYHOST, 0)


def _narrow(transfer: Transfer, terms: Terms, spoken: list[str]) -> None:
    def listen(kind: int, line: bytes) -> None:
        if kind == pycurl.INFOTYPE_TEXT and line.startswith(_SPOKEN):
            spoken.append(line.removeprefix(_SPOKEN).split(b" ")[0].decode("ascii", errors="replace"))

    setopt = transfer.handle.setopt
    setopt(pycurl.CONNECT_ONLY, 1)
    setopt(pycurl.SSL_ENABLE_ALPN, 0)
    setopt(pycurl.SSLVERSION, _LOWEST[terms.min_version])
    setopt(pycurl.VERBOSE, 1)
    setopt(pycurl.DEBUGFUNCTION, listen)
    if not terms.verify:
        trust_anyone(transfer)
