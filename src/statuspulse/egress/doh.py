"""DNS messages over HTTPS (RFC 8484): one POST, its answer bounded."""

from __future__ import annotations

from typing import NamedTuple

from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.transfer import Exchange
from statuspulse.egress.urls import Url

_MESSAGE_BYTES = 65535
_MEDIA_TYPE = b"application/dns-message"
_LINES = [b"Content-Type: " + _MEDIA_TYPE, b"Accept: " + _MEDIA_TYPE]


class Posted(NamedTuple):
    """What came of the request; `message` is None unless the answer says that it is a DNS message."""

    exchange: Exchange
    message: bytes | None


async def post_message(gate: Gate, url: Url, located: Located, message: bytes, deadline: Deadline) -> Posted:
    """Sends one message to a judged address on a connection of its own."""
    transfer = gate.take_transfer()
    try:
        content = bytearray()
        exchange: Exchange | None = None
        for ip in (located.first, *located.others):
            transfer.prepare(
                url, ip, located.purpose, deadline=deadline, limit=_MESSAGE_BYTES, follows=False, body=content
            )
            transfer.add_request("POST", _LINES, message, keep=False)
            exchange = transfer.conclude(*await gate.launch(transfer, deadline))
            if not exchange.is_refused:
                break
        assert exchange is not None
        return Posted(exchange, bytes(content) if _is_message(transfer.head) else None)
    finally:
        gate.give_back(transfer, renew=True)


def _is_message(head: list[bytes]) -> bool:
    types = [value for name, _, value in (line.partition(b":") for line in head) if name.lower() == b"content-type"]
    return bool(types) and types[-1].partition(b";")[0].strip().lower() == _MEDIA_TYPE
