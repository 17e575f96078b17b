"""The real process: `statuspulse serve` with its probe, started and ended as a supervisor would do it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

import requests

from statuspulse.storage.connect import sqlite_module
from tests import forks
from tests.forks import PROGRAM, Fork, stem

T = TypeVar("T")

TOKEN = "sk_live_8f3a9c2d1e4b7f6a"

_PATIENCE_SECONDS = 20.0
# Three seconds of a core, which a busy machine shares among many.
START_SECONDS = 60.0
_LOOK_SECONDS = 0.02


def eventually(look: Callable[[], T], seconds: float = _PATIENCE_SECONDS, told: Callable[[], object] = str) -> T:
    """What `look` sees once that is true; fails with what `told` says when it takes too long."""
    until = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < until, f"still {seen!r} after {seconds} s: {told()}"
        time.sleep(_LOOK_SECONDS)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Process:
    """One run of the program; what it has printed is in two files."""

    popen: subprocess.Popen[bytes] | Fork
    stdout: Path
    stderr: Path
    begun_at: int

    @property
    def said(self) -> str:
        return self.stdout.read_text()

    @property
    def complained(self) -> str:
        return self.stderr.read_text()


@dataclass
class Server:
    """A data directory and the processes that are started on it, one after the other.

    `settings` are STATUSPULSE_* without the prefix; each start takes them as they are then. `is_installed` says that
    the installed program is started, with all that a start takes; else one is forked that has its imports behind it.
    `prefix` is a command that runs the installed program as its own, under the same process id.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    is_installed: bool = False
    prefix: tuple[str, ...] = ()
    runs: list[Process] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def run(self) -> Process:
        return self.runs[-1]

    @property
    def pid(self) -> int:
        return self.run.popen.pid

    @property
    def url(self) -> str:
        """The address that the start has printed."""
        found = re.search(r"api +(http://\S+)/v1 ", self.run.said)
        return found[1] if found else ""

    @property
    def probe_pid(self) -> int:
        """The probe that runs now; 0 while there is none."""
        return next((process.pid for process in processes() if process.parent == self.pid), 0)

    @property
    def probe_pids(self) -> list[int]:
        """Every probe that works in the data directory, whoever its parent is."""
        return [process.pid for process in processes() if str(self.data_dir) in process.command]

    def environment(self) -> dict[str, str]:
        names = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
        kept = {name: os.environ[name] for name in names if name in os.environ}
        given = {"DATA_DIR": str(self.data_dir), "LISTEN": "127.0.0.1:0", "MIN_INTERVAL_SECONDS": "1"}
        given |= {"RATE_LIMITS": "api=0,writes=0,incidents=0,ip=0"}
        given["ANCHORS"] = "off"  # what fails in a test never asks the internet whether it is there
        return kept | {f"STATUSPULSE_{name}": value for name, value in (given | self.settings).items() if value}

    def command(self, *words: str, sent: bytes = b"") -> subprocess.CompletedProcess[str]:
        """Runs another command of the program to its end."""
        return forks.run(words, self.environment(), self.folder, sent.decode())

    def launch(self, *words: str) -> Process:
        """Starts `serve` and does not wait for anything."""
        number = len(self.runs)
        stdout, stderr = self.folder / f"stdout-{number}", self.folder / f"stderr-{number}"
        begun_at = now_ms()
        with Path(os.devnull).open("rb") as nothing, stdout.open("wb") as out, stderr.open("wb") as err:
            popen = self._begin(["serve", *words], nothing, out, err)
        self.runs.append(Process(popen, stdout, stderr, begun_at))
        return self.run

    def _begin(self, words: list[str], *files: IO[bytes]) -> subprocess.Popen[bytes] | Fork:
        if not (self.is_installed or self.prefix):
            return stem().launch(words, self.environment(), self.folder, files)
        stdin, stdout, stderr = files
        command = [*self.prefix, str(PROGRAM), *words]
        return subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=stderr, env=self.environment(), cwd=self.folder
        )

    def start(self, *words: str) -> Process:
        """Starts `serve`; on return it is ready."""
        run = self.launch(*words)
        eventually(lambda: self.url or run.popen.poll() is not None, START_SECONDS, told=lambda: run.complained)
        assert run.popen.poll() is None, run.complained
        eventually(self.is_ready, told=lambda: run.complained)
        return run

    def is_ready(self) -> bool:
        return self.get_raw("/readyz").status_code == 200

    def ends(self, seconds: float = _PATIENCE_SECONDS) -> int:
        """The exit status, once the process has ended by itself."""
        return self.run.popen.wait(seconds)

    def stop(self) -> int:
        """Asks it to end, as a supervisor does; answers the exit status."""
        self.run.popen.send_signal(signal.SIGTERM)
        return self.ends()

    def kill(self) -> None:
        """Ends it as a crash does: nothing gets a turn any more."""
        self.run.popen.kill()
        self.ends()

    def end_everything(self) -> None:
        """A probe ends with its parent; one that does not is ended here, so that no test leaves anything running."""
        for run in self.runs:
            run.popen.kill()
            run.popen.wait(_PATIENCE_SECONDS)
        with contextlib.suppress(AssertionError):
            eventually(lambda: not self.probe_pids, seconds=8)
        for pid in self.probe_pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.session.close()

    def get_raw(self, path: str, token: str | None = None) -> requests.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.session.get(self.url + path, headers=headers, timeout=_PATIENCE_SECONDS)

    def call(
        self, method: str, path: str, body: Any = None, *, token: str = TOKEN, headers: dict[str, str] | None = None
    ) -> requests.Response:
        return self.session.request(
            method,
            f"{self.url}/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
            timeout=_PATIENCE_SECONDS,
        )

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, **members: Any) -> str:
        """The id of a new monitor that is checked every second."""
        answer = self.call("POST", "/monitors", {"interval_seconds": 1, **members})
        assert answer.status_code == 201, answer.text
        created: str = answer.json()["id"]
        return created

    def status(self, monitor_id: str) -> Any:
        return self.get(f"/status/{monitor_id}")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query finds in the database, as it was committed; works beside the server and without it."""
        with self.database() as connection:
            return list(connection.execute(query, values))

    def value(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]

    @contextmanager
    def database(self) -> Iterator[Any]:
        path = self.data_dir / "statuspulse.db"
        with contextlib.closing(sqlite_module().connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            yield connection


@contextmanager
def server(folder: Path, **settings: str) -> Iterator[Server]:
    """A server that is not started yet; whatever a test does, nothing of it runs on afterwards."""
    served = Server(folder, {"BOOTSTRAP_TOKEN": TOKEN, **settings})
    served.session.trust_env = False
    try:
        yield served
    finally:
        served.end_everything()


@dataclass(frozen=True, slots=True)
class Listed:
    """What the system tells of a process that runs."""

    pid: int
    parent: int
    command: str


def processes() -> list[Listed]:
    """Everything that runs; a process that has ended and waits for its parent does not."""
    if Path("/proc/self/stat").exists():
        return [listed for folder in Path("/proc").iterdir() if (listed := _listed(folder)) is not None]
    told = subprocess.run(["ps", "-axo", "pid=,ppid=,state=,command="], capture_output=True, text=True, check=True)
    fields = (line.split(maxsplit=3) for line in told.stdout.splitlines())
    return [Listed(int(pid), int(parent), command) for pid, parent, state, command in fields if state[0] != "Z"]


def _listed(folder: Path) -> Listed | None:
    """One folder of /proc; None if it is no process, or none any more."""
    if not folder.name.isdecimal():
        return None
    try:
        state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    return None if state == "Z" else Listed(int(folder.name), int(parent), command)
