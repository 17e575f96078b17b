"""A start with many monitors: how soon the server is ready, how evenly its checks begin, and what memory it holds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.monitors import http_monitors
from benchmarks.options import Options
from benchmarks.processes import resident_bytes
from benchmarks.report import Figure, Report
from benchmarks.server import now_ms, seed, server, temporary_folder
from benchmarks.target import target
from statuspulse.storage.connect import sqlite_module

_INTERVAL_SECONDS = 60
_READY_SECONDS = 5
_MOST_OF_MEAN = 2
_MOST_MIB = 350


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """One start: seconds until it was ready and until its first check began, and the starts in the minute after it."""

    ready_seconds: float
    first_seconds: float
    busiest: int
    checks: int
    resident: int


def run(options: Options) -> Report:
    """The first start, when all monitors are new, and then a second, when they are known."""
    with target() as urls, temporary_folder() as folder:
        seed(folder, http_monitors(urls, options.monitors, interval_seconds=_INTERVAL_SECONDS))
        first = _started(folder)
        again = _started(folder)
    mean = options.monitors / _INTERVAL_SECONDS
    return Report(
        name="big_start",
        title=f"A start with {options.monitors:,} monitors at {_INTERVAL_SECONDS} s, {mean:,.0f} checks a second",
        figures=[*_figures(again, mean, "again", "restart"), *_figures(first, mean, "first", "first start")],
    )


def busiest_second(starts: Iterable[int]) -> int:
    """How many of these instants (ms) lie in the second that has most of them."""
    return max(Counter(start // 1000 for start in starts).values(), default=0)


def _started(folder: Path) -> _Start:
    with server(folder) as tested:
        begun = tested.begun_at
        ready_seconds = tested.ready_seconds()
        time.sleep(max(0.0, _INTERVAL_SECONDS - (now_ms() - begun) / 1000))
        resident = sum(map(resident_bytes, [tested.pid, *tested.probe_pids]))
    starts = [start for start in _starts(tested.database) if begun <= start < begun + _INTERVAL_SECONDS * 1000]
    return _Start(
        ready_seconds=ready_seconds,
        first_seconds=(min(starts, default=begun) - begun) / 1000,
        busiest=busiest_second(starts),
        checks=len(starts),
        resident=resident,
    )


def _starts(path: Path) -> list[int]:
    """When each check began, as its result says."""
    with closing(sqlite_module().connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [start for (start,) in connection.execute("SELECT scheduled_at + lag_us / 1000 FROM results")]


def _figures(start: _Start, mean: float, name: str, told: str) -> list[Figure]:
    return [
        Figure(
            name=f"ready_seconds_{name}",
            told=f"{told}: until it is ready",
            value=start.ready_seconds,
            unit="s",
            digits=1,
            bound=_READY_SECONDS,
        ),
        Figure(
            name=f"first_check_seconds_{name}",
            told="  until the first check",
            value=start.first_seconds,
            unit="s",
            digits=1,
        ),
        Figure(
            name=f"busiest_to_mean_{name}",
            told="  starts in the busiest second of the first minute, to the mean",
            value=start.busiest / mean,
            unit="×",
            digits=2,
            bound=_MOST_OF_MEAN,
        ),
        Figure(name=f"checks_{name}", told="  checks in that minute", value=start.checks),
        Figure(
            name=f"resident_mib_{name}",
            told="  memory of all processes after it (RSS)",
            value=start.resident / (1 << 20),
            unit="MiB",
            bound=_MOST_MIB,
        ),
    ]
