"""A load of checks on a server: what its processes did in a window of time, and what came of the slots in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.options import Options
from benchmarks.processes import cpu_seconds, proportional_bytes, resident_bytes
from benchmarks.server import Monitor, Server, now_ms, seed, server, temporary_folder
from statuspulse.domain.result import Verdict
from statuspulse.domain.schedule import Grid
from statuspulse.storage.connect import sqlite_module
from statuspulse.storage.results import SCHEDULED, VERDICT_CODES

# What was due at the very end is checked, shipped and committed by then.
_SETTLES_WITHIN_SECONDS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time that was measured (ms since the epoch) and what the processes did in it; memory is as at its end."""

    start: int
    end: int
    control_seconds: float
    probe_seconds: float
    resident: int
    proportional: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A window, the slots that were due in it, and what the database holds of them. Both lists ascend.

    `checks` are all that began in the window: the slots that were run, and extra checks of new monitors.
    """

    window: Window
    checks: int
    due: int
    lags_us: list[int]
    latencies_us: list[int]
    not_ok: int
    missed: int

    @property
    def done(self) -> int:
        """Slots that were run."""
        return len(self.lags_us)

    @property
    def lost(self) -> int:
        """Slots of which there is neither a result nor word that they were missed."""
        return self.due - self.done - self.missed

    @property
    def probe_us(self) -> float:
        """CPU of the probe per check."""
        return micros(self.window.probe_seconds, self.checks)

    @property
    def control_us(self) -> float:
        """CPU of the control plane per check."""
        return micros(self.window.control_seconds, self.checks)

    @property
    def cpu_us(self) -> float:
        return self.probe_us + self.control_us

    def lag_ms(self, percent: int) -> float:
        return rank(self.lags_us, percent) / 1000


def measured(monitors: Sequence[Monitor], options: Options, *, trusted: Path | None = None) -> Load:
    """What these monitors make of a server that has no others."""
    with temporary_folder() as folder:
        seed(folder, monitors)
        return measured_in(folder, options, trusted=trusted)


def measured_in(folder: Path, options: Options, *, trusted: Path | None = None) -> Load:
    """What the monitors of a data directory make of a server."""
    with server(folder, trusted=trusted) as tested:
        tested.await_result()
        time.sleep(options.warm_up)
        window = watched(tested, options.seconds)
        time.sleep(_SETTLES_WITHIN_SECONDS)
    return _load(tested.database, window)


def watched(tested: Server, seconds: float) -> Window:
    """Looks at the processes twice."""
    probes = tested.probe_pids
    start, began = now_ms(), time.monotonic()
    control, probe = cpu_seconds(tested.pid), sum(map(cpu_seconds, probes))
    time.sleep(began + seconds - time.monotonic())
    control, probe = cpu_seconds(tested.pid) - control, sum(map(cpu_seconds, probes)) - probe
    pids = [tested.pid, *probes]
    return Window(
        start=start,
        end=start + round(seconds * 1000),
        control_seconds=control,
        probe_seconds=probe,
        resident=sum(map(resident_bytes, pids)),
        proportional=sum(map(proportional_bytes, pids)),
    )


def micros(seconds: float, checks: int) -> float:
    """So many seconds shared among the checks, in µs."""
    return seconds / max(checks, 1) * 1_000_000


def ratio(ours: float, theirs: float) -> float:
    """0 where they did nothing that could be measured."""
    return ours / theirs if theirs else 0.0


def rank(ascending: Sequence[int], percent: int) -> float:
    """The nearest rank; 0 without values."""
    return ascending[max(0, -(-len(ascending) * percent // 100) - 1)] if ascending else 0.0


def slots_within(from_at: int, to_at: int, interval: int, window: Window) -> int:
    """How many slots of a gap, both ends included, lie in the window."""
    slots = range(from_at, to_at + 1, interval)
    return sum(window.start <= slot < window.end for slot in slots)


def _load(path: Path, window: Window) -> Load:
    with closing(sqlite_module().connect(f"file:{path}?mode=ro", uri=True)) as connection:
        results = connection.execute(
            "SELECT kind, lag_us, latency_us, verdict FROM results WHERE scheduled_at >= ? AND scheduled_at < ?",
            (window.start, window.end),
        ).fetchall()
        monitors = connection.execute("SELECT id, json_extract(config, '$.interval_seconds') FROM monitors").fetchall()
        gaps = connection.execute(
            "SELECT from_at, to_at, json_extract(config, '$.interval_seconds') FROM gap_records"
            " JOIN monitors ON monitors.key = gap_records.monitor_key"
        ).fetchall()
    return Load(
        window=window,
        checks=len(results),
        due=sum(_grid_slots(monitor_id, interval_seconds * 1000, window) for monitor_id, interval_seconds in monitors),
        lags_us=sorted(lag_us for kind, lag_us, _, _ in results if kind == SCHEDULED),
        latencies_us=sorted(latency_us or 0 for _, _, latency_us, _ in results),
        not_ok=sum(verdict != VERDICT_CODES[Verdict.OK] for _, _, _, verdict in results),
        missed=sum(slots_within(from_at, to_at, seconds * 1000, window) for from_at, to_at, seconds in gaps),
    )


def _grid_slots(monitor_id: str, interval: int, window: Window) -> int:
    """How many slots a monitor has in the window."""
    return Grid.of(monitor_id, interval, 0, 1).slots_between(window.start - 1, window.end - 1)
