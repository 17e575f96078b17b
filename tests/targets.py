"""Targets on loopback that play the outside world: HTTP, TCP and DNS servers that can fall ill and get well.

Each runs in a thread with an event loop of its own, so that tests of any kind, and whole processes under test, can
use it: `with HttpTarget() as target: ...`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

HOST = "127.0.0.1"
_PATIENCE_SECONDS = 10.0
_RESET = struct.pack("ii", 1, 0)


class Mood(StrEnum):
    """How a target treats who comes."""

    HEALTHY = "healthy"
    WRONG = "wrong"  # answers, but not what is wanted: 503, SERVFAIL
    SILENT = "silent"  # takes the request and never answers
    CUTTING = "cutting"  # breaks off in the middle of the answer
    REFUSING = "refusing"  # does not listen


@dataclass(frozen=True)
class Arrival:
    """One request or connection as it came in. `at` is of the monotonic clock, `wall_ms` of the wall's."""

    what: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    at: float = field(default_factory=time.monotonic)
    wall_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    @property
    def path(self) -> str:
        return self.what.split(" ")[1]


class Target:
    """What all targets have in common: a port, a mood, a log of arrivals, start and stop."""

    broken_mood = Mood.WRONG

    def __init__(self, *, mood: Mood = Mood.HEALTHY, port: int = 0) -> None:
        self.port = port
        self.delay_seconds = 0.0
        self.arrivals: list[Arrival] = []
        self.connections = 0
        self._mood = mood
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None
        self._talks: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def mood(self) -> Mood:
        return self._mood

    @mood.setter
    def mood(self, mood: Mood) -> None:
        before, self._mood = self._mood, mood
        if (before is Mood.REFUSING) != (mood is Mood.REFUSING) and self._loop is not None:
            self._call(self._close() if mood is Mood.REFUSING else self._open())

    def break_(self) -> None:
        self.mood = self.broken_mood

    def heal(self) -> None:
        self.delay_seconds = 0.0
        self.mood = Mood.HEALTHY

    def start(self) -> None:
        """Listens on return; the port stays the same over later starts."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name=type(self).__name__, daemon=True)
        self._thread.start()
        if not ready.wait(_PATIENCE_SECONDS):
            raise TimeoutError("the target did not start")
        self._call(self._open())
        if self._mood is Mood.REFUSING:
            self._call(self._close())

    def stop(self) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop = None

    def _run(self, ready: threading.Event) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda *_: None)  # broken connections are what targets are for
        self._loop.call_soon(ready.set)
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                self._loop.run_until_complete(task)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.port, backlog=1024, **self._listening())
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            for sock in self._server.sockets:
                asyncio.get_running_loop().remove_reader(sock.fileno())
            for _ in range(5):  # a server that closes under a connection it is just accepting loses that socket
                await asyncio.sleep(0)
            self._server.close()
            self._server = None
        for talk, writer in self._talks.items():
            writer.transport.abort()
            talk.cancel()
        await until(lambda: not self._talks)

    def _listening(self) -> dict[str, Any]:
        return {}

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = asyncio.current_task()
        assert talk is not None
        self._talks[talk] = writer
        try:
            await self._talk(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            del self._talks[talk]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    async def _stay_silent(self, reader: asyncio.StreamReader) -> None:
        """Waits until the other side gives up."""
        while await reader.read(65536):
            pass


def wall_ms() -> int:
    """The wall clock in ms, for parts that take `now`."""
    return time.time_ns() // 1_000_000


async def until(condition: Callable[[], object]) -> None:
    """Waits for something that is about to happen."""
    patience = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < patience:
        if condition():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError("it did not happen")


def reset(writer: asyncio.StreamWriter) -> None:
    """Breaks a connection with a reset instead of an orderly end."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


class TcpTarget(Target):
    """Accepts connections and keeps them, with a banner if there is one. Broken, it refuses."""

    broken_mood = Mood.REFUSING

    def __init__(self, *, mood: Mood = Mood.HEALTHY, banner: bytes = b"", port: int = 0) -> None:
        super().__init__(mood=mood, port=port)
        self.banner = banner

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrivals.append(Arrival("connection"))
        if self.mood is Mood.CUTTING:
            reset(writer)
            return
        await asyncio.sleep(self.delay_seconds)
        if self.mood is not Mood.SILENT:
            writer.write(self.banner)
        await self._stay_silent(reader)


def http_answer(status: int = 200, body: bytes = b"ok\n", *lines: str) -> bytes:
    """The bytes of an answer."""
    head = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


# What stands for a path: the bytes to send, or what makes them of the request.
Route = bytes | Callable[[Arrival], bytes]


class HttpTarget(Target):
    """Answers 200 everywhere unless `routes` says otherwise for a path; broken, it answers 503."""

    def __init__(self, *, mood: Mood = Mood.HEALTHY, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        super().__init__(mood=mood, port=port)
        self.routes: dict[str, Route] = {}
        self._tls = tls

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{HOST}:{self.port}"

    def _listening(self) -> dict[str, Any]:
        return {} if self._tls is None else {"ssl": self._tls}

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while arrival := await _read_request(reader):
            self.arrivals.append(arrival)
            await asyncio.sleep(self.delay_seconds)
            if self.mood is Mood.SILENT:
                await self._stay_silent(reader)
                return
            answer = self._answer(arrival)
            if self.mood is Mood.CUTTING:
                writer.write(answer[: len(answer) - 1])
                await writer.drain()
                return
            writer.write(answer)
            await writer.drain()
            if b"\r\nConnection: close" in answer or arrival.headers.get("connection") == "close":
                return

    def _answer(self, arrival: Arrival) -> bytes:
        if self.mood is Mood.WRONG:
            return http_answer(503, b"broken\n")
        route = self.routes.get(arrival.path.partition("?")[0], http_answer())
        return route if isinstance(route, bytes) else route(arrival)


async def _read_request(reader: asyncio.StreamReader) -> Arrival | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Arrival(first, headers, body)


# The records of one answer.
Records = tuple[str, ...]


class DnsTarget(Target):
    """A name server over UDP and TCP, with `tls` over DoT. Unknown names do not exist; broken, it answers SERVFAIL.

    `script` gives a name one set of records per question, the last one for ever. `flags` stand in every answer.
    """

    def __init__(self, *, mood: Mood = Mood.HEALTHY, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        super().__init__(mood=mood, port=port)
        self.truncates = False
        self.garbles = False
        self.flags = dns.flags.RA
        self._tls = tls
        self.asked: list[str] = []
        self._records: dict[tuple[str, str], tuple[int, list[Records]]] = {}
        self._aliases: dict[str, tuple[int, str]] = {}
        self._silent: set[str] = set()
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def script(self, name: str, record_type: str, *answers: Records, ttl: int = 60) -> None:
        self._records[_key(name), record_type] = (ttl, list(answers))

    def records(self, name: str, record_type: str, *values: str, ttl: int = 60) -> None:
        self.script(name, record_type, values, ttl=ttl)

    def alias(self, name: str, target: str, ttl: int = 60) -> None:
        self._aliases[_key(name)] = (ttl, _key(target))

    def silence(self, name: str) -> None:
        """Questions about this name are heard and not answered."""
        self._silent.add(_key(name))

    def _listening(self) -> dict[str, Any]:
        return {} if self._tls is None else {"ssl": self._tls}

    async def _open(self) -> None:
        wanted = self.port
        while True:
            await super()._open()
            loop = asyncio.get_running_loop()
            try:
                self._transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (HOST, self.port))
            except OSError:
                if wanted:
                    raise
                await super()._close()  # the port is taken for datagrams: another one, then
                self.port = 0
            else:
                return

    async def _close(self) -> None:
        await super()._close()
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            size = int.from_bytes(await reader.readexactly(2), "big")
            answer = self.answer(await reader.readexactly(size), is_datagram=False)
            if answer is None:
                await self._stay_silent(reader)
                return
            if self.mood is Mood.CUTTING:
                writer.write(len(answer).to_bytes(2, "big") + answer[:5])
                await writer.drain()
                return
            await asyncio.sleep(self.delay_seconds)
            writer.write(len(answer).to_bytes(2, "big") + answer)
            await writer.drain()

    def answer(self, wire: bytes, *, is_datagram: bool) -> bytes | None:
        """The answer to a question, None for silence."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, record_type = _key(question.name.to_text()), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {record_type}")
        self.arrivals.append(Arrival(f"question {name} {record_type}"))
        if self.mood is Mood.SILENT or name in self._silent:
            return None
        response = dns.message.make_response(query)
        response.flags |= self.flags
        if self.mood is Mood.WRONG:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif self.truncates and is_datagram:
            response.flags |= dns.flags.TC
        else:
            self._fill(response, name, record_type)
        return b"\xff" * 7 if self.garbles else response.to_wire(max_size=65535)

    def _fill(self, response: dns.message.Message, name: str, record_type: str) -> None:
        followed = set()
        while name in self._aliases and name not in followed and record_type != "CNAME":
            followed.add(name)
            ttl, target = self._aliases[name]
            response.answer.append(dns.rrset.from_text(name, ttl, "IN", "CNAME", target))
            name = target
        known = self._records.get((name, record_type))
        if known is not None:
            ttl, answers = known
            values = answers[0] if len(answers) == 1 else answers.pop(0)
            response.answer.append(dns.rrset.from_text(name, ttl, "IN", record_type, *values))
        elif not followed and not any(owner == name for owner, _ in self._records):
            response.set_rcode(dns.rcode.NXDOMAIN)
            authority = dns.rrset.from_text("test.", 300, "IN", "SOA", "ns.test. admin.test. 1 300 300 300 300")
            response.authority.append(authority)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, target: DnsTarget) -> None:
        self._target = target
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._target.answer(data, is_datagram=True)
        if answer is not None:
            asyncio.get_running_loop().call_later(self._target.delay_seconds, self._send, answer, addr)

    def _send(self, answer: bytes, addr: tuple[str, int]) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(answer, addr)


def _key(name: str) -> str:
    return name.lower().rstrip(".") + "."
