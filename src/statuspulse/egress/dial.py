"""Connections made by hand, for checks that are not HTTP: judged addresses only, and one deadline."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Certificate
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.faults import connect_failure, connect_timeout, own_fault
from statuspulse.egress.guard import Located
from statuspulse.egress.tls import CLOSED_IN_HANDSHAKE, Session, Tls

_DATAGRAM_BYTES = 65535
_RECORD_BYTES = 65536
T = TypeVar("T")


class Stream:
    """A connected TCP socket. Every call raises TimeoutError at the deadline and OSError if the connection breaks.

    `certificate` is what the server showed in the handshake, also of one that failed.
    """

    def __init__(self, sock: socket.socket, ip: str, deadline: Deadline) -> None:
        self.ip = ip
        self.certificate: Certificate | None = None
        self._socket = sock
        self._deadline = deadline
        self._session: Session | None = None

    async def start_tls(self, tls: Tls, server_name: str, *, verify: bool) -> Failure | None:
        """Shakes hands; from then on everything is encrypted. A failure is a value here, the deadline included."""
        session = tls.session(server_name, verify=verify)
        if isinstance(session, Failure):
            return session
        try:
            async with asyncio.timeout(self._deadline.rest_seconds()):
                await self._shake_hands(session)
        except TimeoutError:
            return Failure(FailureClass.TIMEOUT, f"no TLS handshake within {self._deadline.timeout_ms} ms")
        except ssl.SSLError as error:
            self._send_last(session.outgoing())
            return session.failure(error)
        except OSError as error:
            return own_fault(error.errno or 0, self.ip) or CLOSED_IN_HANDSHAKE
        finally:
            self.certificate = session.certificate()
        self._session = session
        return None

    async def send(self, data: bytes) -> None:
        wire = data if self._session is None else self._session.encrypt(data)
        async with asyncio.timeout(self._deadline.rest_seconds()):
            await asyncio.get_running_loop().sock_sendall(self._socket, wire)

    async def receive(self, limit: int) -> bytes:
        """What comes next, at most `limit` bytes; empty when the other side has closed."""
        async with asyncio.timeout(self._deadline.rest_seconds()):
            return await self._receive(limit)

    async def receive_exactly(self, size: int) -> bytes:
        """Raises EOFError if the other side closes before that."""
        received = b""
        async with asyncio.timeout(self._deadline.rest_seconds()):
            while len(received) < size:
                chunk = await self._receive(size - len(received))
                if not chunk:
                    raise EOFError
                received += chunk
        return received

    def close(self) -> None:
        if self._session is not None:
            self._send_last(self._session.farewell())
        self._socket.close()

    async def _shake_hands(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        while not session.shake():
            await loop.sock_sendall(self._socket, session.outgoing())
            session.feed(await loop.sock_recv(self._socket, _RECORD_BYTES))
        await loop.sock_sendall(self._socket, session.outgoing())

    async def _receive(self, limit: int) -> bytes:
        loop = asyncio.get_running_loop()
        if self._session is None:
            return await loop.sock_recv(self._socket, limit)
        while (data := self._session.decrypt(limit)) is None:
            if answer := self._session.outgoing():  # a server may ask for new keys at any time
                await loop.sock_sendall(self._socket, answer)
            self._session.feed(await loop.sock_recv(self._socket, _RECORD_BYTES))
        return data

    def _send_last(self, data: bytes) -> None:
        """A record that nobody waits for: an alert, or the end of the session."""
        with contextlib.suppress(OSError):
            self._socket.send(data)


async def connect(located: Located, port: int, deadline: Deadline) -> Stream | Failure:
    """A TCP connection to a judged address."""
    outcome = await _connect(located.first, port, deadline)
    for ip in located.others:
        if isinstance(outcome, Stream) or outcome.kind is not FailureClass.CONNECT_REFUSED:
            break
        outcome = await _connect(ip, port, deadline)
    return outcome


async def ask(
    ip: str, port: int, datagram: bytes, read: Callable[[bytes], T | Failure | None], deadline: Deadline
) -> T | Failure | None:
    """Sends one datagram to a judged address and reads until `read` makes something of one; None means silence."""
    loop = asyncio.get_running_loop()
    try:
        with _socket(ip, socket.SOCK_DGRAM) as sock:
            sock.connect((ip, port))
            async with asyncio.timeout(deadline.rest_seconds()):
                await loop.sock_sendall(sock, datagram)
                while True:
                    found = read(await loop.sock_recv(sock, _DATAGRAM_BYTES))
                    if found is not None:
                        return found
    except TimeoutError:
        return None
    except OSError as error:
        return connect_failure(error.errno or 0, ip, port)


async def _connect(ip: str, port: int, deadline: Deadline) -> Stream | Failure:
    with contextlib.ExitStack() as unless_connected:
        try:
            sock = unless_connected.enter_context(_socket(ip, socket.SOCK_STREAM))
            async with asyncio.timeout(deadline.rest_seconds()):
                code = await _handshake(sock, ip, port)
        except TimeoutError:
            return connect_timeout(ip, port, deadline.timeout_ms)
        except OSError as error:
            return connect_failure(error.errno or 0, ip, port)
        failure = connect_failure(code, ip, port) if code else stray_peer(sock, ip)
        if failure is not None:
            return failure
        unless_connected.pop_all()
        return Stream(sock, ip, deadline)


def stray_peer(sock: socket.socket, ip: str) -> Failure | None:
    """The judged address is compared once more with the one that is connected."""
    try:
        peer = sock.getpeername()[0]
    except OSError:  # the other side has left already, but it was there
        return None
    if peer == ip:
        return None
    return Failure(FailureClass.BLOCKED_BY_POLICY, "another peer than the judged one answered")


async def _handshake(sock: socket.socket, ip: str, port: int) -> int:
    """Connects; the error number, or 0."""
    code = sock.connect_ex((ip, port))
    if code == errno.EINPROGRESS:
        await _writable(sock)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    # A port that is closed refuses; only a connection that stood can be reset.
    return 0 if code == errno.ECONNRESET else code


async def _writable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    fd = sock.fileno()
    loop.add_writer(fd, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_writer(fd)


def _socket(ip: str, kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, kind)
    sock.setblocking(False)
    return sock
