"""How much a connection has received, whatever became of it: libcurl counts only what it hands on."""

from __future__ import annotations

import socket
import sys
from struct import Struct

# tcpi_bytes_received stands behind 8 small numbers, 24 of 32 bits and 3 of 64 (linux/tcp.h).
_BYTES_RECEIVED = Struct("=Q")
_OFFSET = 128
_SIZE = _OFFSET + _BYTES_RECEIVED.size


def bytes_received(fd: int) -> int:
    """Bytes that TCP has taken in on this socket; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    try:
        # With all arguments given the constructor asks the system nothing; the descriptor stays its owner's.
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=fd)
        try:
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
        finally:
            sock.detach()
    except OSError:  # closed meanwhile, or no socket of this kind
        return 0
    return int(_BYTES_RECEIVED.unpack_from(info, _OFFSET)[0]) if len(info) >= _SIZE else 0
