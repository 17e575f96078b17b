"""What it takes to read the status of a monitor with a month of history, beside the least that the server answers."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from benchmarks import past
from benchmarks.options import Options
from benchmarks.past import Disk
from benchmarks.processes import cpu_seconds
from benchmarks.report import Figure, Report
from benchmarks.server import Server, database_in, introduce, monitor_id, now_ms, seed, server, temporary_folder
from benchmarks.target import target

_BASELINE = "/healthz"
_SECONDS = 10
_MOST_MONITORS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Seconds that each read of a status took and each of the baseline between them, ascending; CPU of all of them."""

    status: list[float]
    baseline: list[float]
    cpu_seconds: float


def run(options: Options) -> Report:
    """As many monitors as the other benchmarks have checks a second, each looked at every 30 s while it is read."""
    count = min(options.rate, _MOST_MONITORS)
    paths = [f"/v1/status/{monitor_id(number)}" for number in range(count)]
    with target() as urls, temporary_folder() as folder:
        seed(folder, [_monitor(url, number) for number, url in enumerate(islice(cycle(urls), count))])
        introduce(folder)
        disk = past.write(database_in(folder), now_ms())
        with server(folder) as tested:
            time.sleep(options.warm_up)
            read = _read(tested, paths, min(options.seconds, _SECONDS))
    return Report(
        name="status_reads",
        title=f"Reading the status of {count:,} monitors with 30 days of history, one after the other",
        figures=[*_figures(read), *_disk(disk)],
    )


def _monitor(url: str, number: int) -> dict[str, object]:
    return {"name": f"Target {number}", "type": "http", "url": url, "interval_seconds": past.INTERVAL // 1000}


def _read(tested: Server, paths: Sequence[str], seconds: int) -> _Read:
    chance = random.Random(4)
    status: list[float] = []
    baseline: list[float] = []
    before, until = cpu_seconds(tested.pid), time.monotonic() + seconds
    with tested.caller() as get:
        while time.monotonic() < until:
            for path, took in ((chance.choice(paths), status), (_BASELINE, baseline)):
                begun = time.perf_counter()
                get(path)
                took.append(time.perf_counter() - begun)
    spent = cpu_seconds(tested.pid) - before
    return _Read(status=sorted(status), baseline=sorted(baseline), cpu_seconds=spent)


def _figures(read: _Read) -> list[Figure]:
    status, least = read.status, _rank(read.baseline, 50)
    p50, p99 = _rank(status, 50), _rank(status, 99)
    return [
        Figure(name="ratio_to_healthz", told="a status, p50, to /healthz, p50", value=p50 / least, unit="×", digits=2),
        Figure(name="status_p50_ms", told="a status, p50", value=p50 * 1000, unit="ms", digits=2, bound=2),
        Figure(name="status_p99_ms", told="a status, p99", value=p99 * 1000, unit="ms", digits=2, bound=10),
        Figure(name="status_per_second", told="statuses a second on one connection", value=len(status) / sum(status)),
        Figure(name="healthz_p50_ms", told="/healthz, p50", value=least * 1000, unit="ms", digits=2),
        Figure(name="healthz_p99_ms", told="/healthz, p99", value=_rank(read.baseline, 99) * 1000, unit="ms", digits=2),
        Figure(
            name="cpu_ms",
            told="CPU of the control plane for a status and a /healthz",
            value=read.cpu_seconds / len(status) * 1000,
            unit="ms",
            digits=2,
        ),
        Figure(name="reads", told="statuses read", value=len(status)),
    ]


def _disk(disk: Disk) -> list[Figure]:
    return [
        Figure(
            name="bytes_per_check",
            told="disk for a check every 30 s, kept for 30 days",
            value=disk.result_bytes + disk.rollup_bytes,
            unit="B",
            digits=1,
            bound=70,
        ),
        Figure(name="result_bytes", told="  of it the result", value=disk.result_bytes, unit="B", digits=1),
        Figure(name="rollup_bytes", told="  of it its share of rollups", value=disk.rollup_bytes, unit="B", digits=1),
    ]


def _rank(ascending: list[float], percent: int) -> float:
    """The nearest rank."""
    return ascending[max(0, -(-len(ascending) * percent // 100) - 1)]
