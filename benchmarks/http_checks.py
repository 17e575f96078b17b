"""What one HTTP check costs in all, and whether it runs on time, beside what libcurl alone needs for it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from benchmarks import bare_curl
from benchmarks.bare_curl import Bare
from benchmarks.options import Options
from benchmarks.processes import cpu_seconds, proportional_bytes, resident_bytes
from benchmarks.report import Figure, Report
from benchmarks.server import Server, data_folder, server
from benchmarks.target import target
from statuspulse.storage.connect import sqlite_module

_INTERVAL_MS = 1000
_TIMEOUT_MS = 500
# What was due at the very end is checked, shipped and committed by then.
_SETTLES_WITHIN_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """The time that was measured (ms since the epoch) and what the processes did in it."""

    start: int
    end: int
    control_seconds: float
    probe_seconds: float
    resident: int
    proportional: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What the database holds of the window."""

    lags_us: list[int]
    latencies_us: list[int]
    not_ok: int
    missed: int


def run(options: Options) -> Report:
    """One after the other: the product, then the bare loop, against the same target."""
    with target() as urls:
        with data_folder() as folder:
            with server(folder) as tested:
                tested.create([_monitor(url, number) for number, url in enumerate(islice(cycle(urls), options.rate))])
                time.sleep(options.warm_up)
                window = _measured(tested, options.seconds)
                time.sleep(_SETTLES_WITHIN_SECONDS)
            stored = _stored(tested.database, window)
        bare = bare_curl.measure(urls, rate=options.rate, seconds=options.seconds)
    expected = options.rate * options.seconds
    return Report(
        name="http_checks",
        title=f"{options.rate:,} HTTP checks a second for {options.seconds} s, each on a connection of its own",
        figures=[*_costs(window, len(stored.lags_us), bare), *_quality(stored, expected), *_memory(window)],
    )


def _monitor(url: str, number: int) -> dict[str, object]:
    return {
        "name": f"Target {number}",
        "type": "http",
        "url": url,
        "interval_seconds": _INTERVAL_MS // 1000,
        "timeout_ms": _TIMEOUT_MS,
    }


def _measured(tested: Server, seconds: int) -> _Window:
    """Looks at the processes twice; between them every monitor has `seconds` slots."""
    probes = tested.probe_pids
    start, began = _now(), time.monotonic()
    control, probe = cpu_seconds(tested.pid), sum(map(cpu_seconds, probes))
    time.sleep(began + seconds - time.monotonic())
    control, probe = cpu_seconds(tested.pid) - control, sum(map(cpu_seconds, probes)) - probe
    pids = [tested.pid, *probes]
    return _Window(
        start=start,
        end=start + seconds * 1000,
        control_seconds=control,
        probe_seconds=probe,
        resident=sum(map(resident_bytes, pids)),
        proportional=sum(map(proportional_bytes, pids)),
    )


def _stored(path: Path, window: _Window) -> _Stored:
    with closing(sqlite_module().connect(f"file:{path}?mode=ro", uri=True)) as connection:
        results = connection.execute(
            "SELECT lag_us, latency_us, verdict FROM results WHERE scheduled_at >= ? AND scheduled_at < ?",
            (window.start, window.end),
        ).fetchall()
        gaps = connection.execute("SELECT from_at, to_at FROM gap_records").fetchall()
    return _Stored(
        lags_us=sorted(lag_us for lag_us, _, _ in results),
        latencies_us=sorted(latency_us or 0 for _, latency_us, _ in results),
        not_ok=sum(verdict != 0 for _, _, verdict in results),
        missed=sum(_slots_within(from_at, to_at, window) for from_at, to_at in gaps),
    )


def _slots_within(from_at: int, to_at: int, window: _Window) -> int:
    """How many slots of a gap, both ends included, lie in the window."""
    slots = range(from_at, to_at + 1, _INTERVAL_MS)
    return sum(window.start <= slot < window.end for slot in slots)


def _costs(window: _Window, done: int, bare: Bare) -> list[Figure]:
    total = window.control_seconds + window.probe_seconds
    per_check, bare_per_check = _micros(total, done), _micros(bare.cpu_seconds, bare.done)
    return [
        Figure(
            name="ratio_to_bare_libcurl",
            told="CPU of all processes per check, to libcurl alone",
            value=per_check / bare_per_check,
            unit="×",
            digits=2,
        ),
        Figure(name="cpu_us", told="CPU of all processes per check", value=per_check, unit="µs", bound=300),
        Figure(name="probe_cpu_us", told="  of it the probe", value=_micros(window.probe_seconds, done), unit="µs"),
        Figure(
            name="control_cpu_us",
            told="  of it the control plane",
            value=_micros(window.control_seconds, done),
            unit="µs",
        ),
        Figure(name="bare_cpu_us", told="CPU per check of libcurl alone", value=bare_per_check, unit="µs"),
    ]


def _quality(stored: _Stored, expected: int) -> list[Figure]:
    done = len(stored.lags_us)
    return [
        Figure(name="lag_p50_ms", told="lateness, p50", value=_rank(stored.lags_us, 50) / 1000, unit="ms", digits=1),
        Figure(
            name="lag_p99_ms",
            told="lateness, p99",
            value=_rank(stored.lags_us, 99) / 1000,
            unit="ms",
            digits=1,
            bound=100,
        ),
        Figure(name="lag_max_ms", told="lateness, worst", value=_rank(stored.lags_us, 100) / 1000, unit="ms", digits=1),
        Figure(
            name="latency_p50_ms",
            told="latency of the target as it was measured, p50",
            value=_rank(stored.latencies_us, 50) / 1000,
            unit="ms",
            digits=1,
        ),
        Figure(name="checks", told="checks done", value=done),
        Figure(name="not_ok", told="  of them not ok", value=stored.not_ok, bound=0),
        Figure(name="missed", told="slots missed", value=stored.missed, bound=0),
        Figure(name="lost", told="slots without any word", value=expected - done - stored.missed, bound=0),
    ]


def _memory(window: _Window) -> list[Figure]:
    return [
        Figure(
            name="resident_mib",
            told="memory of all processes (RSS)",
            value=window.resident / (1 << 20),
            unit="MiB",
            bound=300,
        ),
        Figure(
            name="proportional_mib",
            told="  shared pages counted once (PSS)",
            value=window.proportional / (1 << 20),
            unit="MiB",
        ),
    ]


def _micros(seconds: float, checks: int) -> float:
    return seconds / max(checks, 1) * 1_000_000


def _rank(ascending: list[int], percent: int) -> float:
    """The nearest rank; 0 without values."""
    return ascending[max(0, -(-len(ascending) * percent // 100) - 1)] if ascending else 0.0


def _now() -> int:
    return time.time_ns() // 1_000_000
