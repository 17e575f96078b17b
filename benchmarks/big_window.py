"""A maintenance window over a big fleet: how soon it holds and is written as history, and what calls feel of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, cycle
from pathlib import Path

from benchmarks.load import rank
from benchmarks.monitors import http_monitors
from benchmarks.options import Options
from benchmarks.report import Figure, Report
from benchmarks.server import Server, monitor_id, now_ms, seed, server, temporary_folder
from benchmarks.target import target
from statuspulse.storage.connect import sqlite_module

_TAG = "fleet"
_IN_WINDOW = "maintenance"
_WINDOWS = "/v1/maintenance-windows"
_INTERVAL_SECONDS = 60
# Until every monitor has been seen once, and until an edge is written, whatever else the machine does.
_PATIENCE_SECONDS = 180
_QUIET_SECONDS = 10
_LEAD_MS = 3000
_BETWEEN_READS_SECONDS = 0.01
_READS_BETWEEN_LOOKS = 5
# Of so many monitors the status is read in turn.
_READ = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """When a status was asked for (ms), how long that took (µs), and the state in it."""

    at: int
    took_us: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    """An edge of the window: how long after it some status knew nothing of it, and until all was written (ms)."""

    unheard_ms: int
    written_ms: int
    took_us: Sequence[int]


def run(options: Options) -> Report:
    """The monitors are up, checked once a minute; the window means them by a tag, begins by the clock and is ended."""
    with target() as urls, temporary_folder() as folder:
        fleet = http_monitors(urls, options.monitors, interval_seconds=_INTERVAL_SECONDS)
        seed(folder, [{**monitor, "tags": [_TAG]} for monitor in fleet])
        with server(folder) as tested:
            tested.ready_seconds()
            _await_up(tested.database, options.monitors)
            until = now_ms() + _QUIET_SECONDS * 1000
            quiet = sorted(read.took_us for read in _reads(tested, options.monitors, lambda: now_ms() >= until))
            begin = _begun(tested, options.monitors)
            end = _ended(tested, options.monitors)
    return Report(
        name="big_window",
        title=f"A maintenance window over {options.monitors:,} monitors, meant by a tag",
        figures=[*_figures(begin, quiet, "begin"), *_figures(end, quiet, "end"), *_quiet(quiet)],
    )


def _await_up(database: Path, monitors: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while (seen := _count(database, "SELECT count(*) FROM monitor_states WHERE state = 'up'")) < monitors:
        if time.monotonic() > until:
            raise TimeoutError(f"{seen} of {monitors} monitors were up after {_PATIENCE_SECONDS} s")
        time.sleep(1)


def _begun(tested: Server, monitors: int) -> _Edge:
    at = now_ms() + _LEAD_MS
    window = {
        "name": "Move to the new racks",
        "monitors": {"tags": [_TAG]},
        "starts_at": datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds"),
        "duration_seconds": 3600,
    }
    before = _changes(tested.database)
    tested.post(_WINDOWS, window)
    return _edge(tested, at, monitors, before, lambda state: state == _IN_WINDOW)


def _ended(tested: Server, monitors: int) -> _Edge:
    with tested.caller() as get:
        [window] = json.loads(get(_WINDOWS))["data"]
    before = _changes(tested.database)
    at = now_ms()
    tested.post(f"{_WINDOWS}/{window['id']}/end", {})
    return _edge(tested, at, monitors, before, lambda state: state != _IN_WINDOW)


def _edge(tested: Server, at: int, monitors: int, before: int, knows: Callable[[str], bool]) -> _Edge:
    """Reads statuses until every monitor has a transition and an event of the edge, which are one transaction."""
    until = time.monotonic() + _PATIENCE_SECONDS

    def is_written() -> bool:
        if time.monotonic() > until:
            raise TimeoutError(f"{_changes(tested.database) - before} of {monitors} changes were written")
        return _changes(tested.database) - before >= monitors

    reads = [read for read in _reads(tested, monitors, is_written) if read.at >= at]
    written_at = now_ms()
    unheard = [read.at + read.took_us // 1000 - at for read in reads if not knows(read.state)]
    return _Edge(
        unheard_ms=max(unheard, default=0),
        written_ms=written_at - at,
        took_us=sorted(read.took_us for read in reads),
    )


def _reads(tested: Server, monitors: int, is_over: Callable[[], bool]) -> Iterator[_Read]:
    """One status after the other, at a pace that leaves the server nearly idle."""
    numbers = cycle(range(0, monitors, max(1, monitors // _READ)))
    with tested.caller() as get:
        for done in count(1):
            at, begun = now_ms(), time.perf_counter_ns()
            body = get(f"/v1/status/{monitor_id(next(numbers))}")
            took_us = (time.perf_counter_ns() - begun) // 1000
            yield _Read(at=at, took_us=took_us, state=json.loads(body)["state"])
            if done % _READS_BETWEEN_LOOKS == 0 and is_over():
                return
            time.sleep(_BETWEEN_READS_SECONDS)


def _changes(database: Path) -> int:
    return _count(database, "SELECT count(*) FROM events WHERE type = 'monitor.state_changed'")


def _count(database: Path, query: str) -> int:
    with closing(sqlite_module().connect(f"file:{database}?mode=ro", uri=True)) as connection:
        [found] = connection.execute(query).fetchone()
    return int(found)


def _figures(edge: _Edge, quiet: Sequence[int], name: str) -> list[Figure]:
    p99 = rank(edge.took_us, 99)
    return [
        Figure(
            name=f"unheard_seconds_{name}",
            told=f"its {name}: until every status that is read knows of it",
            value=edge.unheard_ms / 1000,
            unit="s",
            digits=2,
            bound=1,
        ),
        Figure(
            name=f"written_seconds_{name}",
            told="  until every transition and event is written",
            value=edge.written_ms / 1000,
            unit="s",
            digits=1,
            bound=10,
        ),
        Figure(
            name=f"ratio_to_quiet_{name}",
            told="  a status meanwhile, p99, to that of the quiet",
            value=p99 / rank(quiet, 99),
            unit="×",
            digits=2,
            bound=2,
        ),
        Figure(name=f"status_p99_ms_{name}", told="  a status meanwhile, p99", value=p99 / 1000, unit="ms", digits=1),
        Figure(name=f"reads_{name}", told="  statuses read meanwhile", value=len(edge.took_us)),
    ]


def _quiet(quiet: Sequence[int]) -> list[Figure]:
    return [
        Figure(
            name="status_p99_ms_quiet", told="a status before, p99", value=rank(quiet, 99) / 1000, unit="ms", digits=1
        ),
        Figure(name="reads_quiet", told="statuses read before", value=len(quiet)),
    ]
