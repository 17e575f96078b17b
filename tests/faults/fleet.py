"""A probe process with its control plane, and what the control plane has heard from it."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from statuspulse.domain.times import from_datetime
from statuspulse.protocol.documents import Item
from tests.faults.probe import SHIFTS
from tests.probe.control_plane import ControlPlane
from tests.system.server import eventually

_PROJECT = Path(__file__).parents[2]


class Fleet:
    """Starts and ends probes on one data directory, one after the other."""

    def __init__(self, folder: Path, plane: ControlPlane, *nameservers: str) -> None:
        self.plane = plane
        self.data_dir = folder / "probe"
        self._nameservers = nameservers
        self._clocks = folder / "clocks"
        self._log = (folder / "log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None
        self.set_clocks(wall_ms=0, monotonic_ms=0)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def start(self, *, files: int = 0) -> None:
        """`files` is the file limit that it gets, where it is not the one of this process."""
        command = [sys.executable, "-m", "tests.faults.probe", self.plane.url, str(self.data_dir), str(self._clocks)]
        self._process = subprocess.Popen(
            [*command, *self._nameservers], cwd=_PROJECT, stdout=self._log, stderr=subprocess.STDOUT
        )
        if files:
            resource.prlimit(self._process.pid, resource.RLIMIT_NOFILE, (files, files))

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(20) == 0

    def end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait(20)
        self._log.close()

    def set_clocks(self, *, wall_ms: int, monotonic_ms: int) -> None:
        """From now on the probe's clocks are so far ahead."""
        if not self._clocks.exists():
            self._clocks.write_bytes(bytes(SHIFTS.size))
        with self._clocks.open("r+b") as file:
            file.write(SHIFTS.pack(wall_ms, monotonic_ms))

    def memory_kib(self) -> int:
        return int(self._status("VmRSS").split()[0])

    def threads(self) -> int:
        return int(self._status("Threads"))

    def await_results(self, count: int, seconds: float = 30.0) -> None:
        eventually(lambda: len(self.plane.results) >= count, seconds, lambda: f"{len(self.plane.results)} results")

    def watch(self, seconds: float) -> None:
        """Lets it work for so long; fails at once if it ends."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, "the probe has ended"
            time.sleep(0.1)

    def _status(self, name: str) -> str:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith(name + ":"))


@contextmanager
def fleet(folder: Path, plane: ControlPlane, *nameservers: str) -> Iterator[Fleet]:
    made = Fleet(folder, plane, *nameservers)
    try:
        yield made
    finally:
        made.end()


def slot_of(item: Item) -> int:
    assert item.scheduled_at is not None
    return from_datetime(item.scheduled_at)


def started_at(item: Item) -> float:
    """Milliseconds since the epoch."""
    return slot_of(item) + item.lag_ms


def duration_ms(item: Item) -> float:
    assert item.observed_at is not None
    return from_datetime(item.observed_at) - started_at(item)


def kind_of(item: Item) -> str:
    """The class of its failure, `ok` without one."""
    return "ok" if item.failure is None else item.failure.kind


def kinds(items: list[Item]) -> Counter[str]:
    return Counter(map(kind_of, items))


def p99(samples: list[float]) -> float:
    """The nearest rank."""
    return round(sorted(samples)[-1 - len(samples) // 100], 1)


def missed_slots(items: list[Item], interval: int) -> int:
    """Points of the monitors' grids between their first and their last regular check without a result."""
    slots: dict[str, set[int]] = {}
    for item in items:
        if item.kind == "scheduled":
            slots.setdefault(item.monitor_id, set()).add(slot_of(item))
    return sum((max(seen) - min(seen)) // interval + 1 - len(seen) for seen in slots.values())


def repeated_slots(items: list[Item]) -> int:
    """Results whose identity was there already."""
    return len(items) - len({(item.monitor_id, slot_of(item)) for item in items})
