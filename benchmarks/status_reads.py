"""What it takes to read the status of a monitor with a month of history while checks run, beside a call of /healthz."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from benchmarks import past
from benchmarks.hammer import Blows, Job, hammered
from benchmarks.options import Options
from benchmarks.past import Disk
from benchmarks.processes import cpu_seconds
from benchmarks.report import Figure, Report
from benchmarks.server import TOKEN, Server, database_in, introduce, monitor_id, now_ms, seed, server, temporary_folder
from benchmarks.target import target

_SECONDS = 10
_MOST_MONITORS = 1000
# A thousand monitors are 500 checks a second; as many statuses are read.
_INTERVAL_SECONDS = 2
_CONNECTIONS = 16
_CALLS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What came back of one kind of call, and the CPU of the control plane meanwhile (s), that for checks included."""

    blows: Blows
    cpu_seconds: float


def run(options: Options) -> Report:
    """As many monitors as the other benchmarks have checks a second, a thousand at most."""
    count = min(options.rate, _MOST_MONITORS)
    rate, seconds = count / _INTERVAL_SECONDS, min(options.seconds, _SECONDS)
    chance = random.Random(4)
    statuses = [f"/v1/status/{monitor_id(chance.randrange(count))}" for _ in range(_CALLS)]
    with target() as urls, temporary_folder() as folder:
        seed(folder, [_monitor(url, number) for number, url in enumerate(islice(cycle(urls), count))])
        introduce(folder)
        disk = past.write(database_in(folder), now_ms())
        with server(folder) as tested:
            time.sleep(options.warm_up)
            # The first status of each monitor finds nothing remembered.
            _read(tested, statuses, rate, min(options.warm_up, _SECONDS) + 1)
            status = _read(tested, statuses, rate, seconds)
            healthz = _read(tested, ["/healthz"], rate, seconds)
    return Report(
        name="status_reads",
        title=f"Reading {rate:,.0f} statuses a second of {count:,} monitors with a month of history and as many checks",
        figures=[*_figures(status, healthz), *_disk(disk)],
    )


def _monitor(url: str, number: int) -> dict[str, object]:
    return {"name": f"Target {number}", "type": "http", "url": url, "interval_seconds": _INTERVAL_SECONDS}


def _read(tested: Server, paths: Sequence[str], rate: float, seconds: int) -> _Read:
    before = cpu_seconds(tested.pid)
    calls = [("GET", path, "") for path in paths]
    blows = hammered(
        Job(
            address=tested.address,
            token=TOKEN,
            calls=calls,
            connections=_CONNECTIONS,
            seconds=float(seconds),
            per_second=rate,
        )
    )
    return _Read(blows=blows, cpu_seconds=cpu_seconds(tested.pid) - before)


def _figures(status: _Read, healthz: _Read) -> list[Figure]:
    p50, least = _rank(status, 50), _rank(healthz, 50)
    more = (status.cpu_seconds - healthz.cpu_seconds) / len(status.blows.took)
    return [
        Figure(name="ratio_to_healthz", told="a status, p50, to /healthz, p50", value=p50 / least, unit="×", digits=2),
        Figure(name="status_p50_ms", told="a status, p50", value=p50, unit="ms", digits=2, bound=2),
        Figure(name="status_p99_ms", told="a status, p99", value=_rank(status, 99), unit="ms", digits=2, bound=10),
        Figure(name="healthz_p50_ms", told="/healthz, p50", value=least, unit="ms", digits=2),
        Figure(name="healthz_p99_ms", told="/healthz, p99", value=_rank(healthz, 99), unit="ms", digits=2),
        Figure(name="cpu_ms", told="CPU of a status above that of /healthz", value=more * 1000, unit="ms", digits=2),
        Figure(name="reads", told="statuses read", value=len(status.blows.took)),
        Figure(name="refused", told="  of them refused", value=status.blows.refused, bound=0),
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


def _rank(read: _Read, percent: int) -> float:
    """The nearest rank (ms)."""
    took = read.blows.took
    return took[max(0, -(-len(took) * percent // 100) - 1)] * 1000
