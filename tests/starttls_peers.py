"""Mail, directory and database servers on loopback that begin in plain text and go over to TLS in earnest."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from tests.targets import Arrival, Mood, Target

Dialogue = Callable[["SpeakingTarget", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class SpeakingTarget(Target):
    """Speaks a dialogue with everyone who comes; `heard` is what the others said in it, line by line.

    With `from_the_start` the first byte is one of TLS. `refuses` is the line it says instead of going over to TLS.
    """

    def __init__(
        self,
        dialogue: Dialogue,
        tls: ssl.SSLContext | None = None,
        *,
        from_the_start: bool = False,
        refuses: bytes | None = None,
    ) -> None:
        super().__init__()
        self.heard: list[bytes] = []
        self.tls = tls
        self.refuses = refuses
        self._dialogue = dialogue
        self._from_the_start = from_the_start

    def _listening(self) -> dict[str, ssl.SSLContext]:
        return {"ssl": self.tls} if self._from_the_start and self.tls is not None else {}

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrivals.append(Arrival("connection"))
        if self.mood is Mood.SILENT:
            await self._stay_silent(reader)
            return
        await self._dialogue(self, reader, writer)

    async def line(self, reader: asyncio.StreamReader) -> bytes:
        said = (await reader.readuntil(b"\n")).rstrip(b"\r\n")
        self.heard.append(said)
        return said

    async def go_over(self, writer: asyncio.StreamWriter, consent: bytes) -> bool:
        """Says that TLS may begin and begins it, or refuses."""
        writer.write(consent if self.refuses is None else self.refuses)
        await writer.drain()
        if self.refuses is not None:
            return False
        assert self.tls is not None
        await writer.start_tls(self.tls)
        return True


async def smtp(peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 5321 and RFC 3207, as far as a check goes."""
    writer.write(b"220-mail.test ESMTP\r\n220 be polite\r\n")
    while True:
        said = await peer.line(reader)
        verb = said.upper().partition(b" ")[0]
        if verb == b"STARTTLS":
            await peer.go_over(writer, b"220 go ahead\r\n")
        elif verb == b"EHLO":
            writer.write(b"250-mail.test\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 HELP\r\n")
        elif verb == b"QUIT":
            writer.write(b"221 bye\r\n")
            return
        else:
            writer.write(b"502 what\r\n")


async def imap(peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 9051, 6.2.1; an untagged line comes before the answer."""
    writer.write(b"* OK [CAPABILITY IMAP4rev2 STARTTLS] ready\r\n")
    while True:
        tag, _, command = (await peer.line(reader)).partition(b" ")
        if command.upper() == b"STARTTLS":
            writer.write(b"* 3 EXISTS\r\n")
            await peer.go_over(writer, tag + b" OK begin\r\n")
        else:
            writer.write(tag + b" OK done\r\n")


async def pop3(peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 2595, 4."""
    writer.write(b"+OK ready\r\n")
    while True:
        said = await peer.line(reader)
        if said.upper() == b"STLS":
            await peer.go_over(writer, b"+OK begin\r\n")
        else:
            writer.write(b"+OK done\r\n")


async def ldap(peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 4511, 4.14: the request has to be the one of the RFC, byte by byte. Afterwards it echoes."""
    _, size = await reader.readexactly(2)
    body = await reader.readexactly(size)
    peer.heard.append(body)
    assert body == b"\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"
    # With the long form of lengths, as several servers write it.
    response = b"\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"
    if await peer.go_over(writer, b"\x30\x84\x00\x00\x00" + bytes([len(response)]) + response):
        while data := await reader.read(100):
            writer.write(data)


async def postgres(peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The one byte before the handshake; a real server is in the tests, too."""
    peer.heard.append(await reader.readexactly(8))
    if await peer.go_over(writer, b"S"):
        await peer.line(reader)


async def echo(peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greets and gives every line back."""
    writer.write(b"hello\r\n")
    while True:
        writer.write(await peer.line(reader) + b"\n")


@contextmanager
def wanting_a_certificate(tls: ssl.SSLContext) -> Iterator[int]:
    """The port of a server that takes one connection and ends it with an alert: the other side has no certificate.

    By hand, because asyncio drops the alert with the connection.
    """
    tls.verify_mode = ssl.CERT_REQUIRED

    def serve() -> None:
        connection, _ = listener.accept()
        session = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with contextlib.suppress(ssl.SSLError):
            session.do_handshake()
        with socket.socket(fileno=session.detach()) as plain:
            while plain.recv(1024):  # closing over unread bytes would take the alert back
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, name="wants-a-certificate")
        server.start()
        yield listener.getsockname()[1]
        server.join(10)


DIALOGUES: dict[str, Dialogue] = {"smtp": smtp, "imap": imap, "pop3": pop3, "ldap": ldap, "postgres": postgres}
