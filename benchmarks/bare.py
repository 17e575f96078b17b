"""A baseline: the least that has to be done for a check, at the same pace, in a process of its own."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from typing import Protocol

from benchmarks.processes import first_line, module, running

_TOGETHER_SECONDS = 0.005
_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """What a baseline did in the time that was measured."""

    done: int
    failed: int
    cpu_seconds: float


class Work(Protocol):
    """What a baseline does: `done` and `failed` count from its beginning."""

    done: int
    failed: int

    def start(self, count: int) -> None:
        """Begins so many at once."""

    def wait(self, until: float) -> None:
        """Works on until an instant of the monotonic clock."""


def measured(name: str, *arguments: str, rate: int, seconds: int) -> Bare:
    """Runs the module of a baseline, which ends with `tell`."""
    with running(module(name, *arguments, "--rate", str(rate), "--seconds", str(seconds))) as process:
        return Bare(**json.loads(first_line(process)))


def parser() -> argparse.ArgumentParser:
    """The command line of a baseline; its own arguments are added to it."""
    common = argparse.ArgumentParser()
    common.add_argument("--rate", type=int, required=True)
    common.add_argument("--seconds", type=int, required=True)
    return common


def tell(work: Work, *, rate: int, seconds: int) -> None:
    """Works for a second, and then for the time that is measured, and prints what came of that."""
    _pace(work, rate, _WARM_UP_SECONDS)
    done, failed, cpu = work.done, work.failed, time.process_time()
    _pace(work, rate, seconds)
    spent = time.process_time() - cpu
    print(json.dumps(asdict(Bare(done=work.done - done, failed=work.failed - failed, cpu_seconds=spent))))


def _pace(work: Work, rate: int, seconds: float) -> None:
    """Starts what is due every 5 ms."""
    begun = time.monotonic()
    started = 0
    while (elapsed := time.monotonic() - begun) < seconds:
        due = int(elapsed * rate) - started
        work.start(due)
        started += due
        work.wait(begun + elapsed + _TOGETHER_SECONDS)
