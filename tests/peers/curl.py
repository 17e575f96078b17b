"""curl, the reference for the phases of a request."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.peers.daemon import HOST
from tests.peers.programs import Program, program


@dataclass(frozen=True, slots=True)
class Told:
    """What `curl -w` tells of one request; phases in µs, and how long it took in all."""

    status: int
    http_version: str
    size: int
    phases: dict[str, int]


@dataclass(frozen=True, slots=True)
class Curl:
    """Asks loopback, whatever the name, and trusts the authority of the tests."""

    program: Program
    ca_file: Path

    @classmethod
    def found(cls, ca_file: Path) -> Curl:
        return cls(program("curl"), ca_file)

    async def get(self, url: str, *options: str) -> Told:
        """One request on a connection of its own, by the words of the command line."""
        request = ["-s", "-S", "-o", "/dev/null", "--cacert", str(self.ca_file), "--no-sessionid", "--noproxy", "*"]
        request += ["--connect-to", f"::{HOST}:", *options]
        # The first request of a process pays for what OpenSSL makes once; a probe has paid for that long ago.
        command = ["-q", *request, "-k", _elsewhere(url), "--next", *request, "-w", "%{json}", url]
        process = await asyncio.create_subprocess_exec(
            self.program.path,
            *command,
            env=self.program.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, complaints = await process.communicate()
        assert process.returncode == 0, complaints.decode(errors="replace")
        return _told(json.loads(out))


def _elsewhere(url: str) -> str:
    """The same under another name, so that no connection is kept for it."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://warm.test:{rest.partition(':')[2].partition('/')[0]}/page"


def _told(figures: dict[str, Any]) -> Told:
    at = {name: round(figures[f"time_{name}"] * 1_000_000) for name in _TIMES}
    secure = at["appconnect"] > 0
    phases = {
        "dns_us": at["namelookup"],
        "connect_us": at["connect"] - at["namelookup"],
        **({"tls_us": at["appconnect"] - at["connect"]} if secure else {}),
        "ttfb_us": at["starttransfer"] - at["pretransfer"],
        "transfer_us": at["total"] - at["starttransfer"],
        "total": at["total"],
    }
    return Told(figures["http_code"], figures["http_version"], figures["size_download"], phases)


_TIMES = ("namelookup", "connect", "appconnect", "pretransfer", "starttransfer", "total")
