"""Echo requests over ICMP (RFC 792, RFC 4443): judged addresses only, one deadline, and nobody else's replies."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import socket
from time import monotonic_ns
from typing import NamedTuple

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.dial import stray_peer
from statuspulse.egress.faults import own_fault
from statuspulse.egress.guard import Located

# (request, reply) by IP version; a code of 0 follows each.
_TYPES = {4: (8, 0), 6: (128, 129)}
_HEADER_BYTES = 8
_NONCE_BYTES = 16
_DATAGRAM_BYTES = 65535
_LONGEST_PACE_SECONDS = 1.0
_FORBIDDEN = frozenset({errno.EPERM, errno.EACCES})
_NO_PERMISSION = Failure(
    FailureClass.PROBE_ERROR,
    "no permission: the probe may not send ICMP; let net.ipv4.ping_group_range contain its group, "
    "or give it CAP_NET_RAW",
)


class Echoes(NamedTuple):
    """How many requests went out, and the round trips of those that were answered, in µs."""

    sent: int
    round_trips_us: tuple[int, ...]


async def ping(located: Located, packets: int, deadline: Deadline) -> Echoes | Failure:
    """Sends so many requests and waits for the replies until the deadline at the latest.

    The next request goes out when the one before is answered, or after a while: half the time at least is left for
    the last reply.
    """
    ip = located.first
    opened = _open(ip)
    if isinstance(opened, Failure):
        return opened
    with opened as sock:
        try:
            sock.connect((ip, 0))
            stray = stray_peer(sock, ip)
            return stray if stray is not None else await _Run(sock, ip, packets).within(deadline)
        except OSError as error:
            code = error.errno or 0
            unreachable = Failure(FailureClass.CONNECT_ERROR, f"no way to {ip}: {os.strerror(code).lower()}")
            return own_fault(code, ip) or unreachable


def echo_request(ip_version: int, identifier: int, sequence: int, nonce: bytes) -> bytes:
    """One request. Over IPv6 the checksum covers addresses that only the kernel knows, so it fills that in."""
    head = bytes((_TYPES[ip_version][0], 0))
    rest = identifier.to_bytes(2, "big") + sequence.to_bytes(2, "big") + nonce
    summed = checksum(head + b"\0\0" + rest) if ip_version == 4 else 0
    return head + summed.to_bytes(2, "big") + rest


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[place : place + 2], "big") for place in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def answered_sequence(packet: bytes, ip_version: int, identifier: int, nonce: bytes) -> int | None:
    """Which of our requests a packet answers; None for everything else: raw sockets see the replies to all."""
    if ip_version == 4 and packet and packet[0] >> 4 == 4:
        packet = packet[(packet[0] & 0x0F) * 4 :]  # an IP header, where the kernel leaves it on
    if len(packet) != _HEADER_BYTES + len(nonce) or packet[0] != _TYPES[ip_version][1] or packet[1] != 0:
        return None
    if ip_version == 4 and checksum(packet) != 0:
        return None
    if packet[4:6] != identifier.to_bytes(2, "big") or packet[_HEADER_BYTES:] != nonce:
        return None
    return int.from_bytes(packet[6:8], "big")


class _Run:
    """The requests of one check on a connected socket."""

    def __init__(self, sock: socket.socket, ip: str, packets: int) -> None:
        self._socket = sock
        self._ip_version = 6 if ":" in ip else 4
        self._packets = packets
        # Linux writes the number of a datagram socket into what goes through it; a raw one has none of its own.
        is_raw = sock.type == socket.SOCK_RAW
        self._identifier = (0 if is_raw else sock.getsockname()[1]) or secrets.randbelow(0xFFFF) + 1
        self._nonce = secrets.token_bytes(_NONCE_BYTES)
        self._sent_at: list[int] = []
        self._round_trips: dict[int, int] = {}

    async def within(self, deadline: Deadline) -> Echoes:
        pace = min(deadline.rest_seconds() / (2 * self._packets), _LONGEST_PACE_SECONDS)
        for sequence in range(self._packets):
            await self._send(sequence)
            is_last = sequence == self._packets - 1
            await self._listen(sequence, deadline.rest_seconds() if is_last else min(pace, deadline.rest_seconds()))
        return Echoes(len(self._sent_at), tuple(self._round_trips.values()))

    async def _send(self, sequence: int) -> None:
        request = echo_request(self._ip_version, self._identifier, sequence, self._nonce)
        self._sent_at.append(monotonic_ns())
        await asyncio.get_running_loop().sock_sendall(self._socket, request)

    async def _listen(self, sequence: int, seconds: float) -> None:
        """Takes replies until this request is answered, after the last one until all are, or the time is up."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                while not self._is_content(sequence):
                    packet = await loop.sock_recv(self._socket, _DATAGRAM_BYTES)
                    self._take(packet, monotonic_ns())
        except TimeoutError:
            return

    def _is_content(self, sequence: int) -> bool:
        if sequence == self._packets - 1:
            return len(self._round_trips) == self._packets
        return sequence in self._round_trips

    def _take(self, packet: bytes, at: int) -> None:
        sequence = answered_sequence(packet, self._ip_version, self._identifier, self._nonce)
        if sequence is not None and sequence < len(self._sent_at):
            self._round_trips.setdefault(sequence, (at - self._sent_at[sequence]) // 1000)


def _open(ip: str) -> socket.socket | Failure:
    """A datagram socket, which needs no privilege where the kernel is set up for that, else a raw one."""
    family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if ":" in ip else (socket.AF_INET, socket.IPPROTO_ICMP)
    code = 0
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            code = error.errno or 0
        else:
            sock.setblocking(False)
            return sock
    if code in _FORBIDDEN:
        return _NO_PERMISSION
    return own_fault(code, ip) or Failure(FailureClass.PROBE_ERROR, f"internal: {os.strerror(code).lower()}")
