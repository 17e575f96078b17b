"""The program in processes of its own that need not import it: one process has done so, and forks for every start.

What runs is `statuspulse WORDS` from `main` on, with a process id, files, an environment and a folder of its own, until
the interpreter's own end. The imports before that take two thirds of a start; they are what the tests leave out that do
not say otherwise.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Any

PROGRAM = Path(sys.executable).with_name("statuspulse")

_LONGEST_WISH = 1 << 16
_MOST_TOLD = 1 << 24
_LOOK_SECONDS = 0.01


class Fork:
    """One run of the program, as far as its tests know a `subprocess.Popen`."""

    def __init__(self, stem: Stem, pid: int) -> None:
        self._stem = stem
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        if self.returncode is None:
            self.returncode = self._stem.ask({"ended": self.pid})
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Raises `subprocess.TimeoutExpired` after as many seconds."""
        until = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("statuspulse", timeout)
            time.sleep(_LOOK_SECONDS)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Stem:
    """The process that forks, from the side of the tests."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forks", str(theirs.fileno())],
                cwd=Path(__file__).resolve().parents[1],
                env={**os.environ, "PYTHONIOENCODING": "utf-8"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._socket = ours
        self._lock = Lock()
        self._told()  # that it has imported everything

    def launch(self, words: Sequence[str], env: dict[str, str], cwd: Path, files: Sequence[IO[bytes]]) -> Fork:
        """`files` are standard input, output and error."""
        wish = {"words": list(words), "env": env, "cwd": str(cwd)}
        return Fork(self, self.ask(wish, [file.fileno() for file in files]))

    def ask(self, wish: dict[str, Any], files: list[int] | None = None) -> Any:
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(wish).encode()], files or [])
            return self._told()

    def _told(self) -> Any:
        answer = self._socket.recv(_LONGEST_WISH)
        assert answer, "the process that forks has ended"
        return json.loads(answer)

    def end(self) -> None:
        self._socket.close()
        self._process.wait(20)


def run(
    words: Sequence[str], env: dict[str, str], cwd: Path, sent: str = "", seconds: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end."""
    with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
        stdin.write(sent.encode())
        stdin.seek(0)
        fork = stem().launch(words, env, cwd, (stdin, stdout, stderr))
        try:
            fork.wait(seconds)
        finally:
            fork.kill()
        told = [os.pread(file.fileno(), _MOST_TOLD, 0).decode() for file in (stdout, stderr)]
    return subprocess.CompletedProcess(list(words), fork.wait(seconds), *told)


@cache
def stem() -> Stem:
    """The one of this worker; it ends with it."""
    made = Stem()
    atexit.register(made.end)
    return made


def _grow(server: socket.socket) -> list[str] | None:
    """Forks for each wish. In a child: the words it shall run; in the parent, at the end of the tests: None."""
    running: set[int] = set()
    while True:
        message, files, _, _ = socket.recv_fds(server, _LONGEST_WISH, 3)
        if not message:
            break
        wish = json.loads(message)
        if "ended" in wish:
            answer = _status(wish["ended"], running)
        else:
            answer = os.fork()
            if not answer:
                server.close()
                _settle(wish, files)
                chosen: list[str] = wish["words"]
                return chosen
            running.add(answer)
            for file in files:
                os.close(file)
        server.send(json.dumps(answer).encode())
    # Tests end what they start; those that were killed could not.
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    return None


def _status(pid: int, running: set[int]) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    running.discard(ended)
    return os.waitstatus_to_exitcode(status) if ended else None


def _settle(wish: dict[str, Any], files: list[int]) -> None:
    """Makes of a copy of the parent a process such as a shell would have started."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(wish["env"])
    os.chdir(wish["cwd"])
    sys.argv = [str(PROGRAM), *wish["words"]]


def _import_the_program() -> None:
    """What the commands import once they run."""
    for name in ("check", "probe", "seed", "serve"):
        import_module(f"statuspulse.cli.{name}")


if __name__ == "__main__":
    from statuspulse.cli.main import main

    _import_the_program()
    tests = socket.socket(fileno=int(sys.argv[1]))
    tests.send(b"null")
    words = _grow(tests)
    if words is not None:
        main(words, prog_name="statuspulse")
