"""HTTP connections with an end: who sends too slowly, or takes nothing, is cut off.

uvicorn has no time limits for reading and writing, and its limit of connections counts silent ones.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from enum import Enum
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from statuspulse.api.errors import ApiError
from statuspulse.app.clock import now_ms
from statuspulse.app.unreadable import refusal_of, too_long, written

# Kept for the database, the dispatcher and the pipe to the probe.
_RESERVED_DESCRIPTORS = 32
_RETRY_SECONDS = 2
# Of what waits for a slow reader, in the time that `Bounds` gives him (bytes).
_LEAST_TAKEN = 16_384
_NO_ROOM = (
    f"HTTP/1.1 503 Service Unavailable\r\nRetry-After: {_RETRY_SECONDS}\r\n"
    "Content-Length: 0\r\nConnection: close\r\n\r\n"
).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long (s) the head of a call may take from its first byte, or the first one from the connection, and a body.

    Where an answer waits because nobody takes it, some of it has to be taken every `write_seconds`.
    A head of more than `head_bytes` is refused.
    A connection whose descriptor is `descriptors` or higher is turned away; the system gives the lowest that is free.
    """

    head_seconds: float = 10.0
    head_bytes: int = 65_536
    body_seconds: float = 15.0
    write_seconds: float = 30.0
    descriptors: int | None = None


def usual_bounds() -> Bounds:
    """With as many descriptors as this process may have open, but for those that are kept for other work."""
    if sys.platform == "win32":
        return Bounds()
    import resource  # noqa: PLC0415 - absent on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Bounds(descriptors=None if soft == resource.RLIM_INFINITY else soft - _RESERVED_DESCRIPTORS)


class _Part(Enum):
    """What of a call is awaited."""

    HEAD = "head"
    BODY = "body"
    NOTHING = "nothing"


class BoundedConnection(HttpToolsProtocol):
    """One connection. Between two calls uvicorn's own limit holds; while an answer is made there is none."""

    def __init__(self, *, bounds: Bounds, public_url: str, **options: Any) -> None:
        super().__init__(**options)
        self._bounds = bounds
        self._public_url = public_url
        self._received = b""
        self._head_bytes = 0
        self._is_head_too_long = False
        self._calls = 0
        self._awaited = (_Part.HEAD, 0)
        self._timed = (_Part.NOTHING, 0)
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._is_beyond(transport):
            transport.write(_NO_ROOM)
            transport.close()
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._await(_Part.NOTHING)
        self._watch()
        self._stop_watching_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        self._stop_watching_writing()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        self._received = data
        super().data_received(data)
        self._received = b""
        if self._awaited[0] is _Part.HEAD and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > self._bounds.head_bytes:
                self._refuse(too_long(self._bounds.head_bytes))
        # Here and not in what the parser calls: a call that comes in one piece needs no timer.
        self._watch()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await(_Part.HEAD)

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        self._is_head_too_long = _size(self.url, self.headers) > self._bounds.head_bytes
        if self._is_head_too_long:
            raise ValueError("too long a head")  # the parser stops, and what it raises is answered below
        super().on_headers_complete()
        self._await(_Part.BODY)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._calls += 1
        self._await(_Part.NOTHING)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - in words of our own
        """Called while the parser's error is handled."""
        if self._is_head_too_long:
            self._refuse(too_long(self._bounds.head_bytes))
        else:
            self._refuse(refusal_of(sys.exception(), self._received))

    def _refuse(self, error: ApiError) -> None:
        self.transport.write(written(error, self._public_url, now_ms()))
        self.transport.close()

    def _is_beyond(self, transport: asyncio.Transport) -> bool:
        most = self._bounds.descriptors
        return most is not None and transport.get_extra_info("socket").fileno() >= most

    def _watch_writing(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._writing = self.loop.call_later(self._bounds.write_seconds, self._look_at_writing, left)

    def _stop_watching_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _look_at_writing(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() < _LEAST_TAKEN:
            self.transport.abort()
        else:
            self._watch_writing()

    def _await(self, part: _Part) -> None:
        self._awaited = (part, self._calls)

    def _watch(self) -> None:
        """The time of a part begins when it is awaited first, however often something of it comes."""
        if self._awaited == self._timed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timed = self._awaited
        if self._awaited[0] is not _Part.NOTHING:
            seconds = self._bounds.head_seconds if self._awaited[0] is _Part.HEAD else self._bounds.body_seconds
            self._timer = self.loop.call_later(seconds, self.transport.abort)


def _size(url: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    """Of a head as it is written, but for its method and version."""
    return len(url) + sum(len(name) + len(value) + len(": \r\n") for name, value in headers)
