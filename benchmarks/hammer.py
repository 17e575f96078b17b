"""Calls an API over connections that stay open, each call as soon as the one before is answered, or at a pace.

`python -m benchmarks.hammer FILE` takes a document on standard input and writes one to the file, see `Job` and `Blows`.
It looks at no more of an answer than its status and its length.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any, cast

from benchmarks.processes import module, running
from statuspulse.app import loop

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length: "
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Calls (method, path, body) that are made in turn for so long over so many connections.

    With a pace of so many a second, a call that could not be made in time has waited since then.
    """

    address: str
    token: str
    calls: Sequence[tuple[str, str, str]]
    connections: int
    seconds: float
    per_second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blows:
    """How long each answer took (s, ascending), how long it took in all, and how many were no 2xx."""

    took: list[float]
    seconds: float
    refused: int


class _Talk(asyncio.Protocol):
    _transport: asyncio.Transport

    def __init__(
        self, calls: Iterator[bytes], times: Iterator[float], until: float, took: list[float], refusals: list[bytes]
    ) -> None:
        self._calls = calls
        self._times = times
        self._until = until
        self._took = took
        self._refusals = refusals
        self._buffer = b""
        self._sent_at = 0.0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._send_in_time()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_END_OF_HEAD)
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = int(head[head.index(_LENGTH) + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(self._buffer) < end + len(_END_OF_HEAD) + length:
            return
        self._took.append(time.monotonic() - self._sent_at)
        if not head.startswith(b"http/1.1 2"):
            self._refusals.append(self._buffer)
        self._buffer = b""
        self._send_in_time()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _send_in_time(self) -> None:
        self._sent_at, now = next(self._times), time.monotonic()
        if max(self._sent_at, now) >= self._until:
            self._transport.close()
        elif self._sent_at > now:
            asyncio.get_running_loop().call_later(self._sent_at - now, self._send)
        else:
            self._send()

    def _send(self) -> None:
        self._transport.write(next(self._calls))


def hammered(job: Job) -> Blows:
    """Does the job in a process of its own, so that its work is not counted as the server's."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "blows.json")
        with running(module("benchmarks.hammer", str(file))) as process:
            process.communicate(json.dumps(asdict(job)), timeout=job.seconds + _PATIENCE_SECONDS)
        if process.returncode:
            raise RuntimeError(f"the calls ended early, with status {process.returncode}")
        found: dict[str, Any] = json.loads(file.read_text())
    return Blows(**found)


async def _hammer(job: Job) -> Blows:
    host, _, port = job.address.rpartition(":")
    calls = cycle([_written(job, *call) for call in job.calls])
    took: list[float] = []
    refusals: list[bytes] = []
    begun = time.monotonic()
    times = _times(begun, job.per_second)
    running_loop = asyncio.get_running_loop()
    talks = [
        (
            await running_loop.create_connection(
                lambda: _Talk(calls, times, begun + job.seconds, took, refusals), host, int(port)
            )
        )[1]
        for _ in range(job.connections)
    ]
    await asyncio.gather(*(talk.ended for talk in talks))
    if refusals:
        sys.stderr.write(refusals[0].decode(errors="replace")[-500:] + "\n")
    return Blows(took=sorted(took), seconds=time.monotonic() - begun, refused=len(refusals))


def _times(begun: float, per_second: float | None) -> Iterator[float]:
    """When each call shall be made, on the clock of `time.monotonic`."""
    for number in count():
        yield time.monotonic() if per_second is None else begun + number / per_second


def _written(job: Job, method: str, path: str, body: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {job.address}", f"Authorization: Bearer {job.token}"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
    return "\r\n".join([*lines, "", body]).encode()


def main() -> None:
    job = Job(**json.load(sys.stdin))
    Path(sys.argv[1]).write_text(json.dumps(asdict(loop.run(_hammer(job)))))


if __name__ == "__main__":
    main()
