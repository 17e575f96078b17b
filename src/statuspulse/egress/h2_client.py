"""One POST over HTTP/2 on a connection of its own, for what is built on it: trailers belong to its answer."""

from __future__ import annotations

from dataclasses import dataclass

import pycurl

from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.handshake import trust_anyone
from statuspulse.egress.transfer import Exchange
from statuspulse.egress.urls import Url

_H2 = 3  # what libcurl's INFO_HTTP_VERSION says of HTTP/2


@dataclass(frozen=True, slots=True, kw_only=True)
class H2Request:
    """What is sent. Without TLS the server has to know that HTTP/2 is spoken; with it, the handshake agrees on that."""

    url: Url
    lines: list[bytes]
    body: bytes
    verify: bool
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class H2Answer:
    """What came: `fields` are headers and trailers, names in lower case, of equal ones the last counts."""

    exchange: Exchange
    is_h2: bool
    fields: dict[str, str]
    body: bytes


async def post(gate: Gate, request: H2Request, located: Located, deadline: Deadline) -> H2Answer:
    """The answer, its body cut at the limit of the request."""
    transfer = gate.take_transfer()
    body = bytearray()
    version = pycurl.CURL_HTTP_VERSION_2TLS
    if request.url.scheme == "http":
        version = pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE

    def prepare(ip: str) -> None:
        body.clear()
        transfer.prepare(
            request.url, ip, located.purpose, deadline=deadline, limit=request.limit, follows=False, body=body
        )
        transfer.add_request("POST", request.lines, request.body, keep=False)
        transfer.handle.setopt(pycurl.HTTP_VERSION, version)
        if not request.verify:
            trust_anyone(transfer)

    try:
        exchange = await gate.attempt(transfer, located, deadline, prepare)
        return H2Answer(
            exchange=exchange,
            is_h2=transfer.handle.getinfo(pycurl.INFO_HTTP_VERSION) == _H2,
            fields=_fields(transfer.head),
            body=bytes(body),
        )
    finally:
        gate.give_back(transfer, renew=True)


def _fields(head: list[bytes]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in head:
        name, separator, value = line.decode("latin-1").partition(":")
        if line.startswith(b"HTTP/"):
            fields.clear()  # what came before belongs to an interim answer
        elif separator:
            fields[name.strip().lower()] = value.strip()
    return fields
