"""Streams of asyncio: does what a conversation asks for."""

from __future__ import annotations

import asyncio
import ssl
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
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: h11.Connection


class AsyncTransport:
    """Connections to one address, kept while they are idle, of one event loop."""

    def __init__(
        self, address: Address, *, headers: tuple[tuple[str, str], ...], ca_file: Path | None, patience: Patience
    ) -> None:
        self._address = address
        self._headers = headers
        self._trust = trust(address, ca_file)
        self._monotonic = patience.monotonic
        self._idle: list[_Connection] = []
        self._is_closed = False

    async def run(self, conversation: Conversation) -> Reply:
        if self._is_closed:
            raise UsageError("the client is closed; make another one")
        outcome: Reply | Fault | None = None
        while True:
            try:
                step = conversation.send(outcome)
            except StopIteration as end:
                reply: Reply = end.value
                return reply
            if isinstance(step, Send):
                outcome = await self._attempt(step)
            else:
                await asyncio.sleep(step.seconds)
                outcome = None

    async def aclose(self) -> None:
        """Ends idle connections; what is under way ends by itself."""
        self._is_closed = True
        while self._idle:
            await _end(self._idle.pop())

    async def _attempt(self, step: Send) -> Reply | Fault:
        ends_at = self._monotonic() + step.seconds
        try:
            async with asyncio.timeout(step.seconds):
                connection = self._take() or await self._connect()
        except (OSError, UnicodeError) as error:
            return fault_of(error, self._address, may_have_arrived=False)
        try:
            async with asyncio.timeout(ends_at - self._monotonic()):
                reply = await self._exchange(connection, step)
        except (OSError, UnreadableAnswerError) as error:
            connection.writer.transport.abort()
            return fault_of(error, self._address, may_have_arrived=True)
        except BaseException:
            connection.writer.transport.abort()
            raise
        await self._keep(connection)
        return reply

    async def _connect(self) -> _Connection:
        reader, writer = await asyncio.open_connection(self._address.host, self._address.port, ssl=self._trust)
        return _Connection(reader, writer, new_protocol())

    async def _exchange(self, connection: _Connection, step: Send) -> Reply:
        exchange = Exchange(connection.protocol)
        connection.writer.write(exchange.outgoing(step.call, self._address, self._headers))
        await connection.writer.drain()
        while True:
            reply = exchange.take(await _received(connection.reader))
            if reply is not None:
                return reply

    def _take(self) -> _Connection | None:
        """An idle connection that the other side has not closed meanwhile."""
        while self._idle:
            connection = self._idle.pop()
            if not (connection.reader.at_eof() or connection.writer.is_closing()):
                return connection
            connection.writer.transport.abort()
        return None

    async def _keep(self, connection: _Connection) -> None:
        if is_reusable(connection.protocol) and len(self._idle) < MOST_IDLE and not self._is_closed:
            self._idle.append(connection)
        else:
            await _end(connection)


async def _received(reader: asyncio.StreamReader) -> bytes:
    """What has arrived; nothing at the end, also where TLS was cut off without a farewell."""
    try:
        return await reader.read(READ_BYTES)
    except ssl.SSLEOFError:
        return b""


async def _end(connection: _Connection) -> None:
    """Without a farewell of TLS: nothing is under way, and nobody would wait for its answer."""
    connection.writer.transport.abort()
    await asyncio.sleep(0)
