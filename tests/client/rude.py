"""A server on loopback that answers by a script, and a way to ask it with the client of either kind."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from statuspulse.client import AsyncClient, Client, Retries

KINDS = ("blocking", "asynchronous")
TOKEN = "sk_live_8f3a9c2d1e4b7f6a"
QUICK = Retries(attempts=4, first_seconds=0.001)

_PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


# What to send back; None cuts the connection, as a host that dies does.
Step = Callable[[Asked], bytes | None]


def answer(
    status: int, document: Any = None, *, headers: dict[str, str] | None = None, raw: bytes | None = None
) -> Step:
    """An answer with a JSON document, or with these bytes and headers as they stand."""
    content = json.dumps(document).encode() if raw is None else raw
    usual = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in (usual | (headers or {})).items())]
    return lambda _: "\r\n".join([*lines, "", ""]).encode() + content


def refusal(status: int, code: str, *, headers: dict[str, str] | None = None, **error: Any) -> Step:
    told: dict[str, Any] = {
        "type": "api_error",
        "code": code,
        "param": None,
        "doc_url": f"https://docs.example/{code}",
        "details": [],
    }
    document = {"object": "error", "request_id": "req_1", "message": f"It is {code}.", "error": told | error}
    return answer(status, document, headers=headers)


def cut(_: Asked) -> None:
    """Reads the call and sends a reset."""


def page(names: list[str], cursor: str | None = None) -> Step:
    regions = [
        {
            "object": "region",
            "slug": name,
            "name": name,
            "probes_online": 1,
            "probes_total": 1,
            "default": False,
            "team_id": None,
            "created_at": "2026-11-23T06:20:00.412Z",
            "member_to_come": [1],
        }
        for name in names
    ]
    return answer(200, {"object": "list", "data": regions, "has_more": cursor is not None, "next_cursor": cursor})


@dataclass
class Rude:
    """The running server, and what it was asked. The last step of the script holds for all that follows."""

    url: str
    script: list[Step]
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def next_step(self, asked: Asked) -> Step:
        self.asked.append(asked)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@contextmanager
def rude(*script: Step, trust: ssl.SSLContext | None = None) -> Iterator[Rude]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = Rude(f"{'http' if trust is None else 'https'}://127.0.0.1:{port}", list(script))
    open_streams: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            open_streams.append(stream)
            words = (server, stream, trust, server.connections)
            threads.append(threading.Thread(target=_serve, args=words, daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(_PATIENCE_SECONDS)
        for stream in open_streams:
            stream.close()


def _serve(server: Rude, plain: socket.socket, trust: ssl.SSLContext | None, number: int) -> None:
    plain.settimeout(_PATIENCE_SECONDS)
    try:
        stream = plain if trust is None else trust.wrap_socket(plain, server_side=True)
        with stream, stream.makefile("rb") as incoming:
            while (asked := _read(incoming, number)) is not None:
                said = server.next_step(asked)(asked)
                if said is None:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                stream.sendall(said)
                if b"Connection: close" in said:
                    return
    except (OSError, ValueError):
        return


def _read(incoming: Any, number: int) -> Asked | None:
    first = incoming.readline().decode().split()
    if not first:
        return None
    headers = {}
    while line := incoming.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = incoming.read(int(headers.get("content-length", 0)))
    return Asked(method=first[0], path=first[1], headers=headers, body=body, connection=number)


def ask(kind: str, url: str, work: Callable[[Any], Any], **options: Any) -> Any:
    """What comes of the work with a client of the kind; the items, where that is a list."""
    words = {"retries": QUICK, "call_seconds": _PATIENCE_SECONDS, **options}
    token = words.pop("token", TOKEN)
    if kind == "blocking":
        with Client(url, token, **words) as client:
            found = work(client)
            return list(found) if isinstance(found, Iterator) else found

    async def worked() -> Any:
        async with AsyncClient(url, token, **words) as client:
            found = work(client)
            return [item async for item in found] if isinstance(found, AsyncIterator) else await found

    return asyncio.run(worked())
