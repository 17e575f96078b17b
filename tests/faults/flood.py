"""Callers without manners, in a process of their own: `python -m tests.faults.flood PORT SECONDS CONNECTIONS TOKEN…`.

Every connection sends one call after the other, as fast as they are answered. At the end it prints what came back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
_GARBAGE = "%00%ff../%F0%9F%92%A9"
_CALLS = (
    "GET /v1/monitors?limit=100",
    "GET /v1/monitors?limit=100&q=er&sort=name&include=total",
    "GET /v1/monitors?limit=9999999",
    "GET /v1/status?limit=100",
    "GET /v1/incidents?from=0001-01-01T00:00:00Z&q=down",
    "GET /v1/uptime?monitor_id=mon_zzzzzzzz&bucket=5m&from=2020-01-01T00:00:00Z",
    f"GET /v1/monitors/{_GARBAGE}/results?from={_GARBAGE}",
    "GET /v1/events?limit=100",
    "GET /v1/audit-log?limit=100",
    f"GET /{_GARBAGE}",
    "GET /docs",
    "GET /v1/openapi.json",
    "DELETE /v1/monitors/mon_zzzzzzzz",
    "OPTIONS /v1/monitors",
    "POST /v1/monitors",
    "PATCH /v1/monitors/mon_zzzzzzzz",
)
_BODY = json.dumps({"name": "x" * 500, "type": "http", "url": "https://", "no_such_member": [[[[1]]]]}).encode()


@dataclass
class Seen:
    """What the callers were answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    without_wait: int = 0  # refusals for too much that do not say how long to wait
    broken: int = 0


async def _call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: bytes, seen: Seen) -> None:
    writer.write(call)
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    await reader.readexactly(length)
    seen.statuses[status] += 1
    if status in {429, 503} and b"\nretry-after:" not in head:
        seen.without_wait += 1


async def _caller(port: int, calls: Sequence[bytes], chance: random.Random, seen: Seen) -> None:
    while True:
        writer = None
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
            while True:
                await _call(reader, writer, chance.choice(calls), seen)
        except (OSError, EOFError, ValueError, IndexError):
            seen.broken += 1
            await asyncio.sleep(0.05)
        finally:
            if writer is not None:
                writer.close()


def _written(call: str, token: str) -> bytes:
    method = call.split(" ", 1)[0]
    body = _BODY if method in {"POST", "PATCH"} else b""
    lines = [f"{call} HTTP/1.1", "Host: a", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    if token != "-":
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _flood(port: int, seconds: float, connections: int, tokens: Sequence[str]) -> Seen:
    seen = Seen()
    calls = [_written(call, token) for call in _CALLS for token in tokens]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
            for number in range(connections):
                tasks.create_task(_caller(port, calls, random.Random(number), seen))
    return seen


@contextlib.contextmanager
def flood(port: int, seconds: float, connections: int, tokens: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """The callers at work; `told` waits for their end."""
    command = [sys.executable, "-m", "tests.faults.flood", str(port), str(seconds), str(connections), *tokens]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    said, _ = process.communicate(timeout=seconds)
    found: dict[str, Any] = json.loads(said)
    return found


def main() -> None:
    port, seconds, connections, *tokens = sys.argv[1:]
    seen = asyncio.run(_flood(int(port), float(seconds), int(connections), tokens))
    statuses = {str(status): count for status, count in sorted(seen.statuses.items())}
    found = {"statuses": statuses, "without_wait": seen.without_wait, "broken": seen.broken}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
