"""Processes that a benchmark starts, and what the kernel says of their work and memory (Linux)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

_CHECKOUT = Path(__file__).parents[1]
_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_ENDS_WITHIN_SECONDS = 15
_KIB = 1024


def module(name: str, *arguments: str) -> list[str]:
    """The command that runs a module with the Python of this process."""
    return [sys.executable, "-m", name, *arguments]


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path = _CHECKOUT,
    errors: IO[str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A process, until the context ends. Its standard input is a pipe, so that it can end with us.

    It has a session of its own: Ctrl-C reaches us alone, and we end what we started. `errors` takes what it says on
    standard error; without it that goes where ours goes.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env=None if environment is None else dict(environment),
        cwd=folder,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)


def first_line(process: subprocess.Popen[str]) -> str:
    """What the process says when it is ready; EOFError if it ends without a word."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise EOFError(f"{process.args!r} ended before it was ready")
    return line.strip()


def descendants(pid: int) -> list[int]:
    """All processes below one, as they are now."""
    found = []
    for task in (_PROC / str(pid) / "task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, with that of its children that have ended."""
    # The name, in parentheses, may hold spaces; the fields behind it begin with the third (proc_pid_stat(5)).
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    utime, stime, children_utime, children_stime = map(int, fields[11:15])
    return (utime + stime + children_utime + children_stime) / _TICKS_PER_SECOND


def resident_bytes(pid: int) -> int:
    """VmRSS: what is in memory of a process, pages that it shares included."""
    return _kib_of(_PROC / str(pid) / "status", "VmRSS")


def proportional_bytes(pid: int) -> int:
    """The same with each shared page divided by the number of those who share it."""
    return _kib_of(_PROC / str(pid) / "smaps_rollup", "Pss")


def _kib_of(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        found, _, value = line.partition(":")
        if found == name:
            return int(value.split()[0]) * _KIB
    raise LookupError(f"{path} has no {name}")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=_ENDS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
