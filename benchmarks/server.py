"""A whole StatusPulse of its own for a benchmark: processes, a data directory that goes with it, and its monitors."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.processes import descendants, module, running
from statuspulse.storage.connect import sqlite_module

Monitor = dict[str, Any]

# Of the team that the seeded monitors belong to.
TOKEN = "sk_live_8f3a9c2d1e4b7f6a"
_API = re.compile(r"api +http://([^/]+)/")
_PATIENCE_SECONDS = 60
_LOOK_SECONDS = 0.01
_LOOK_FOR_RESULT_SECONDS = 0.1
_LOG = "server.log"
_DATABASE = "statuspulse.db"
_LAST_WORDS = 2000


class Server:
    """`statuspulse serve` with its local probe, listening on a free port of loopback; it was started at `begun_at`."""

    def __init__(self, process: subprocess.Popen[str], address: str, folder: Path, begun_at: int) -> None:
        self.pid = process.pid
        self.begun_at = begun_at
        self.database = database_in(folder)
        self.address = address

    @property
    def probe_pids(self) -> list[int]:
        return descendants(self.pid)

    def ready_seconds(self) -> float:
        """Waits until it says that it is ready; how long after its start that was."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not self._is_ready():
            if time.monotonic() > until:
                raise TimeoutError(f"statuspulse serve was not ready after {_PATIENCE_SECONDS} s")
            time.sleep(_LOOK_SECONDS)
        return (now_ms() - self.begun_at) / 1000

    @contextlib.contextmanager
    def caller(self) -> Iterator[Callable[[str], bytes]]:
        """Gets paths of the API over one connection that stays open; an answer other than 200 is a RuntimeError."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with contextlib.closing(HTTPConnection(self.address, timeout=_PATIENCE_SECONDS)) as connection:

            def get(path: str) -> bytes:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"GET {path} answered {answer.status} {body.decode()}")
                return body

            yield get

    def post(self, path: str, body: Mapping[str, object]) -> bytes:
        """What it answers; an answer that is no success is a RuntimeError."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        with contextlib.closing(HTTPConnection(self.address, timeout=_PATIENCE_SECONDS)) as connection:
            connection.request("POST", path, body=json.dumps(body), headers=headers)
            answer = connection.getresponse()
            said = answer.read()
            if not 200 <= answer.status < 300:
                raise RuntimeError(f"POST {path} answered {answer.status} {said.decode()}")
            return said

    def await_result(self) -> None:
        """Waits until the result of a check of its own is committed: its probe has taken up the monitors."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not self._has_result():
            if time.monotonic() > until:
                raise TimeoutError(f"no result was committed within {_PATIENCE_SECONDS} s")
            time.sleep(_LOOK_FOR_RESULT_SECONDS)

    def _has_result(self) -> bool:
        with contextlib.closing(sqlite_module().connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            query = "SELECT 1 FROM results WHERE scheduled_at + observed_after_ms >= ? LIMIT 1"
            return connection.execute(query, (self.begun_at,)).fetchone() is not None

    def _is_ready(self) -> bool:
        with contextlib.closing(HTTPConnection(self.address, timeout=_PATIENCE_SECONDS)) as connection:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200


def seed(folder: Path, monitors: Sequence[Monitor], *, first: int = 0) -> None:
    """Stores monitors in the data directory; no server runs on it. `first` counts those that it has already."""
    named = [{"id": monitor_id(number), **monitor} for number, monitor in enumerate(monitors, first)]
    token = {"name": "benchmark", "token": TOKEN, "scopes": ["monitors:write", "maintenance:write"]}
    document = {"team": {"name": "Benchmark", "slug": "benchmark"}, "tokens": [token], "monitors": named}
    seeding = subprocess.run(
        module("statuspulse", "admin", "seed", "--file", "-"),
        input=json.dumps(document),
        env=_environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if seeding.returncode:
        raise RuntimeError(f"the monitors were not stored:\n{seeding.stderr[-_LAST_WORDS:]}")


def monitor_id(number: int) -> str:
    """The id of a seeded monitor."""
    return f"mon_{number:08d}"


def database_in(folder: Path) -> Path:
    """The file that a server on the data directory writes to."""
    return folder / _DATABASE


def introduce(folder: Path) -> None:
    """Starts a server and ends it: the next one knows the monitors, and gives them no extra checks."""
    with server(folder) as first:
        first.await_result()


@contextlib.contextmanager
def server(folder: Path, *, trusted: Path | None = None) -> Iterator[Server]:
    """Runs until the context ends; the folder then holds everything that was committed.

    `trusted` is a file of the certificates that its checks trust instead of those of this host.
    """
    environment = _environment(folder)
    if trusted is not None:
        environment["SSL_CERT_FILE"] = str(trusted)
    log = folder / _LOG
    begun_at = now_ms()
    with (
        log.open("w") as errors,
        running(module("statuspulse", "serve"), environment=environment, folder=folder, errors=errors) as process,
    ):
        yield Server(process, _address(process, log), folder, begun_at)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="statuspulse-benchmark-") as folder:
        yield Path(folder)


def now_ms() -> int:
    """Since the epoch, as the database has it."""
    return time.time_ns() // 1_000_000


def _environment(folder: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STATUSPULSE_")}
    return inherited | {
        "STATUSPULSE_DATA_DIR": str(folder),
        "STATUSPULSE_LISTEN": "127.0.0.1:0",
        "STATUSPULSE_MIN_INTERVAL_SECONDS": "1",
        "STATUSPULSE_RATE_LIMITS": "api=0,writes=0,incidents=0",
    }


def _address(process: subprocess.Popen[str], log: Path) -> str:
    """Where the server says that it listens; EOFError with its last words if it ends before."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := _API.search(line):
            return found[1]
    raise EOFError(f"statuspulse serve ended before it listened:\n{log.read_text()[-_LAST_WORDS:]}")
