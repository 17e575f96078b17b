"""Sockets of threads: does what a conversation asks for. Safe to be used by several threads at once."""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

import h11

from statuspulse.client.address import Address
from statuspulse.client.connecting import MOST_IDLE, READ_BYTES, fault_of, trust
from statuspulse.client.conversation import Conversation, Patience, Send
from statuspulse.client.errors import UsageError
from statuspulse.client.replies import Fault, Reply
from statuspulse.client.wire import Exchange, UnreadableAnswerError, is_reusable, new_protocol


@dataclass(frozen=True, slots=True)
class _Connection:
    socket: socket.socket
    protocol: h11.Connection


class Transport:
    """Connections to one address, kept while they are idle."""

    def __init__(
        self, address: Address, *, headers: tuple[tuple[str, str], ...], ca_file: Path | None, patience: Patience
    ) -> None:
        self._address = address
        self._headers = headers
        self._trust = trust(address, ca_file)
        self._monotonic = patience.monotonic
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def run(self, conversation: Conversation) -> Reply:
        if self._closed.is_set():
            raise UsageError("the client is closed; make another one")
        outcome: Reply | Fault | None = None
        while True:
            try:
                step = conversation.send(outcome)
            except StopIteration as end:
                reply: Reply = end.value
                return reply
            if isinstance(step, Send):
                outcome = self._attempt(step)
            else:
                self._closed.wait(step.seconds)
                outcome = None

    def close(self) -> None:
        """Ends waits and idle connections; what is under way ends by itself."""
        self._closed.set()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.socket.close()

    def _attempt(self, step: Send) -> Reply | Fault:
        ends_at = self._monotonic() + step.seconds
        try:
            connection = self._take() or self._connect(step.seconds)
        except (OSError, UnicodeError) as error:
            return fault_of(error, self._address, may_have_arrived=False)
        try:
            reply = self._exchange(connection, step, ends_at)
        except (OSError, UnreadableAnswerError) as error:
            connection.socket.close()
            return fault_of(error, self._address, may_have_arrived=True)
        except BaseException:
            connection.socket.close()
            raise
        self._keep(connection)
        return reply

    def _connect(self, seconds: float) -> _Connection:
        plain = socket.create_connection((self._address.host, self._address.port), timeout=max(seconds, 0.001))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._trust is None:
            return _Connection(plain, new_protocol())
        try:
            return _Connection(self._trust.wrap_socket(plain, server_hostname=self._address.host), new_protocol())
        except BaseException:
            plain.close()
            raise

    def _exchange(self, connection: _Connection, step: Send, ends_at: float) -> Reply:
        exchange = Exchange(connection.protocol)
        stream = connection.socket
        stream.settimeout(self._left(ends_at))
        stream.sendall(exchange.outgoing(step.call, self._address, self._headers))
        while True:
            stream.settimeout(self._left(ends_at))
            reply = exchange.take(_received(stream))
            if reply is not None:
                return reply

    def _left(self, ends_at: float) -> float:
        left = ends_at - self._monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _take(self) -> _Connection | None:
        """An idle connection that the other side has not closed meanwhile."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not _has_something_to_read(connection.socket):
                return connection
            connection.socket.close()

    def _keep(self, connection: _Connection) -> None:
        if is_reusable(connection.protocol):
            with self._lock:
                if len(self._idle) < MOST_IDLE and not self._closed.is_set():
                    self._idle.append(connection)
                    return
        connection.socket.close()


def _received(stream: socket.socket) -> bytes:
    """What has arrived; nothing at the end, also where TLS was cut off without a farewell."""
    try:
        return stream.recv(READ_BYTES)
    except ssl.SSLEOFError:
        return b""


def _has_something_to_read(stream: socket.socket) -> bool:
    """Nobody has been asked: it is the end of the stream, or nothing that is wanted."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return bool(selector.select(0))
