"""dig, the reference for what a name server answers."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from tests.peers.programs import Program, program


@dataclass(frozen=True, slots=True)
class Dug:
    """What dig tells of one answer: values in the words of a zone file, TTLs in seconds, its query time in ms."""

    status: str
    flags: frozenset[str]
    values: tuple[str, ...]
    ttls: frozenset[int]
    took_ms: int
    over: str


@dataclass(frozen=True, slots=True)
class Dig:
    program: Program

    @classmethod
    def found(cls) -> Dig:
        return cls(program("dig"))

    async def ask(self, server: str, name: str, record_type: str, *options: str) -> Dug:
        """One question to a server, by IP:port."""
        ip, _, port = server.rpartition(":")
        command = [f"@{ip}", "-p", port, "+noall", "+comments", "+answer", "+stats", "+tries=1", *options]
        process = await asyncio.create_subprocess_exec(
            self.program.path,
            *(*command, name, record_type),
            env=self.program.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out.decode(errors="replace")
        return _read(out.decode(), record_type)


def _read(text: str, record_type: str) -> Dug:
    records = [line.split(None, 4) for line in text.splitlines() if line and not line.startswith(";")]
    return Dug(
        status=_part(r"status: (\w+)", text),
        flags=frozenset(_part(r"flags: ([a-z ]*);", text).split()),
        values=tuple(record[4] for record in records if record[3] == record_type),
        ttls=frozenset(int(record[1]) for record in records),
        took_ms=int(_part(r"Query time: (\d+) msec", text)),
        over=_part(r"SERVER: .*\((\w+)\)", text),
    )


def _part(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]
