"""DNS messages over HTTPS (RFC 8484): one POST, its answer bounded."""

from __future__ import annotations

from typing import NamedTuple

from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.request import Request
from statuspulse.egress.transfer import Exchange
from statuspulse.egress.urls import Url

_MESSAGE_BYTES = 65535
_MEDIA_TYPE = b"application/dns-message"
_LINES = (b"Content-Type: " + _MEDIA_TYPE, b"Accept: " + _MEDIA_TYPE)


class Posted(NamedTuple):
    """What came of the request; `message` is None unless the answer says that it is a DNS message."""

    exchange: Exchange
    message: bytes | None


async def post_message(gate: Gate, url: Url, located: Located, message: bytes, deadline: Deadline) -> Posted:
    """Sends one message to a judged address on a connection of its own."""
    request = Request(method="POST", lines=_LINES, body=message, collects=True)
    exchange = await gate.fetch(url, located, deadline, limit=_MESSAGE_BYTES, follows=False, request=request)
    return Posted(exchange, bytes(exchange.body or b"") if _is_message(exchange) else None)


def _is_message(exchange: Exchange) -> bool:
    types = [value for name, value in exchange.headers() if name.lower() == "content-type"]
    return bool(types) and types[-1].partition(";")[0].strip().lower() == _MEDIA_TYPE.decode()
