"""A name server with a manner for each family of names."""

from __future__ import annotations

import asyncio
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.targets import DnsTarget

_MANY = 3000  # addresses; more do not fit into a message


class NamesTarget(DnsTarget):
    """Names are `<manner>-<number>.test`; `good` ones have an address that holds for a second.

    `asked_at` tells when a name was asked about (monotonic clock), for each question that came.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked_at: dict[str, list[float]] = {}
        self._many = b""

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Several questions come over one connection, and a silent one keeps no other from its answer."""
        while True:
            size = int.from_bytes(await reader.readexactly(2), "big")
            answer = self.answer(await reader.readexactly(size), is_datagram=False)
            if answer is not None:
                writer.write(len(answer).to_bytes(2, "big") + answer)
                await writer.drain()

    def answer(self, wire: bytes, *, is_datagram: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked_at.setdefault(name, []).append(time.monotonic())
        manner = name.partition("-")[0]
        if manner == "silent" or (manner == "cut" and not is_datagram):
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if manner == "servfail":
            response.set_rcode(dns.rcode.SERVFAIL)
        elif is_datagram and manner in {"cut", "many"}:
            response.flags |= dns.flags.TC
        elif manner == "many":
            return self._addresses(wire, query)
        elif manner == "circle":
            for turn in range(20):
                hop = dns.rrset.from_text(f"c{turn}-{name}.", 1, "IN", "CNAME", f"c{(turn + 1) % 20}-{name}.")
                response.answer.append(hop)
        elif query.question[0].rdtype == dns.rdatatype.A:
            response.answer.append(dns.rrset.from_text(name + ".", 1, "IN", "A", "127.0.0.1"))
        return response.to_wire(max_size=65535)

    def _addresses(self, wire: bytes, query: dns.message.Message) -> bytes:
        """Made once, as it takes long: the records of the answer point back to the name in the question."""
        question = wire[12 : 12 + len(query.question[0].name.to_wire() or b"") + 4]
        if not self._many:
            self._many = b"".join(
                b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04\x7f\x00" + number.to_bytes(2, "big")
                for number in range(1, _MANY + 1)
            )
        counts = b"\x00\x01" + _MANY.to_bytes(2, "big") + b"\x00\x00\x00\x00"
        return wire[:2] + b"\x81\x80" + counts + question + self._many
