"""Pings in a network namespace of its own, where loopback can be told to stay silent; run as a program.

Arguments: the address, a JSON list of the sequences that are answered (null leaves that to the kernel), packets,
max_loss_pct and timeout_ms. Prints what the check saw and in what time.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from pathlib import Path
from time import monotonic

from statuspulse.domain.specs.icmp import IcmpSpec
from statuspulse.egress.gate import Gate
from statuspulse.egress.icmp import checksum
from statuspulse.egress.policy import Policy
from statuspulse.probe.icmp import IcmpCheck

_SILENCE = Path("/proc/sys/net/ipv4/icmp_echo_ignore_all")


def answer(sock: socket.socket, sequences: list[int]) -> None:
    """Plays the kernel for some requests; every request first gets replies that are not to it."""
    while True:
        packet, sender = sock.recvfrom(65535)
        request = packet[(packet[0] & 0x0F) * 4 :]
        if request[0] != 8:
            continue
        identifier, sequence, nonce = request[4:6], int.from_bytes(request[6:8], "big"), request[8:]
        other = (int.from_bytes(identifier, "big") ^ 1).to_bytes(2, "big")
        for fake in (
            other + request[6:8] + nonce,
            identifier + b"\x00\x63" + nonce,
            identifier + request[6:8] + bytes(len(nonce)),
            identifier + request[6:8] + nonce + b"\0",
        ):
            sock.sendto(reply(fake), sender)
        sock.sendto(reply(identifier + request[6:8] + nonce)[:2] + b"\x12\x34" + request[4:], sender)
        if sequence in sequences:
            sock.sendto(reply(identifier + request[6:8] + nonce), sender)


def reply(rest: bytes) -> bytes:
    return b"\0\0" + checksum(b"\0\0\0\0" + rest).to_bytes(2, "big") + rest


async def main(host: str, packets: int, max_loss_pct: int, timeout_ms: int) -> dict[str, object]:
    gate = Gate(Policy())
    begun = monotonic()
    spec = IcmpSpec(host=host, packets=packets, max_loss_pct=max_loss_pct)
    seen = await IcmpCheck(gate).run(spec, timeout_ms=timeout_ms)
    spent = monotonic() - begun
    gate.close()
    failure = None if seen.failure is None else [seen.failure.kind, seen.failure.detail]
    return {"failure": failure, "latency_us": seen.latency_us, "spent": spent}


if __name__ == "__main__":
    host, answered, *numbers = sys.argv[1:]
    sequences = json.loads(answered)
    if sequences is not None:
        _SILENCE.write_text("1")
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        threading.Thread(target=answer, args=(raw, sequences), daemon=True).start()
    sys.stdout.write(json.dumps(asyncio.run(main(host, *map(int, numbers)))))
