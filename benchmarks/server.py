"""A whole StatusPulse of its own for a benchmark: processes, a data directory that goes with it, and its API."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.processes import descendants, running

_TOKEN = "sk_live_8f3a9c2d1e4b7f6a"
_API = re.compile(r"api +http://([^/]+)/")
_CALLERS = 8
_PATIENCE_SECONDS = 30
_LOG = "server.log"
_LAST_WORDS = 2000


class Server:
    """`statuspulse serve` with its local probe, listening on a free port of loopback."""

    def __init__(self, process: subprocess.Popen[str], address: str, folder: Path) -> None:
        self.pid = process.pid
        self.database = folder / "statuspulse.db"
        self._address = address

    @property
    def probe_pids(self) -> list[int]:
        return descendants(self.pid)

    def create(self, monitors: Sequence[dict[str, Any]]) -> None:
        """Creates monitors through the API, a few calls at a time."""
        with ThreadPoolExecutor(_CALLERS) as callers:
            for done in [callers.submit(self._create, monitors[first::_CALLERS]) for first in range(_CALLERS)]:
                done.result()

    @contextlib.contextmanager
    def caller(self) -> Iterator[Callable[[str], bytes]]:
        """Gets paths of the API over one connection that stays open; an answer other than 200 is a RuntimeError."""
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        with contextlib.closing(HTTPConnection(self._address, timeout=_PATIENCE_SECONDS)) as connection:

            def get(path: str) -> bytes:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"GET {path} answered {answer.status} {body.decode()}")
                return body

            yield get

    def monitor_ids(self) -> list[str]:
        """The ids of all monitors, read page by page."""
        found: list[str] = []
        following = "/v1/monitors?limit=100"
        with self.caller() as get:
            while True:
                page = json.loads(get(following))
                found += [monitor["id"] for monitor in page["data"]]
                if not page["has_more"]:
                    return found
                following = f"/v1/monitors?limit=100&cursor={page['next_cursor']}"

    def _create(self, monitors: Sequence[dict[str, Any]]) -> None:
        headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": "application/json"}
        with contextlib.closing(HTTPConnection(self._address, timeout=_PATIENCE_SECONDS)) as connection:
            for monitor in monitors:
                connection.request("POST", "/v1/monitors", json.dumps(monitor), headers)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 201:
                    raise RuntimeError(f"the monitor was not created: {answer.status} {body.decode()}")


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Runs until the context ends; the folder then holds everything that was committed."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STATUSPULSE_")}
    environment = {
        **inherited,
        "STATUSPULSE_DATA_DIR": str(folder),
        "STATUSPULSE_LISTEN": "127.0.0.1:0",
        "STATUSPULSE_MIN_INTERVAL_SECONDS": "1",
        "STATUSPULSE_RATE_LIMITS": "api=0,writes=0,incidents=0",
        "STATUSPULSE_BOOTSTRAP_TOKEN": _TOKEN,
    }
    log = folder / _LOG
    with (
        log.open("w") as errors,
        running(["statuspulse", "serve"], environment=environment, folder=folder, errors=errors) as process,
    ):
        yield Server(process, _address(process, log), folder)


@contextlib.contextmanager
def data_folder() -> Iterator[Path]:
    """A directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="statuspulse-benchmark-") as folder:
        yield Path(folder)


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """Where the server says that it listens; EOFError with its last words if it ends before."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := _API.search(line):
            return found[1]
    raise EOFError(f"statuspulse serve ended before it listened:\n{log.read_text()[-_LAST_WORDS:]}")
