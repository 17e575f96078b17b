"""One POST over HTTP/2 on a connection of its own, for what is built on it: trailers belong to its answer."""

from __future__ import annotations

from dataclasses import dataclass

from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.request import Request
from statuspulse.egress.transfer import Exchange
from statuspulse.egress.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class H2Request:
    """What is sent. Without TLS the server has to know that HTTP/2 is spoken; with it, the handshake agrees on that."""

    url: Url
    lines: tuple[bytes, ...]
    body: bytes
    verify: bool
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class H2Answer:
    """What came: `fields` are headers and trailers, names in lower case, of equal ones the last counts."""

    exchange: Exchange
    fields: dict[str, str]
    body: bytes


async def post(gate: Gate, asked: H2Request, located: Located, deadline: Deadline) -> H2Answer:
    """The answer, its body cut at the limit of the request; another protocol than HTTP/2 is a failure of it."""
    request = Request(
        method="POST", lines=asked.lines, body=asked.body, http_version="2", verify=asked.verify, collects=True
    )
    exchange = await gate.fetch(asked.url, located, deadline, limit=asked.limit, follows=False, request=request)
    return H2Answer(
        exchange=exchange,
        fields={name.lower(): value for name, value in exchange.headers()},
        body=bytes(exchange.body or b""),
    )
