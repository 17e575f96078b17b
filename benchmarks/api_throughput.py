"""What the API does in a second: reads of statuses, new monitors, lists of a big fleet, and /healthz beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from benchmarks.hammer import Blows, Job, hammered
from benchmarks.options import Options
from benchmarks.processes import cpu_seconds
from benchmarks.report import Figure, Report
from benchmarks.server import TOKEN, Monitor, Server, monitor_id, seed, server, temporary_folder

_SECONDS = 10
_WARM_UP_SECONDS = 2.0
_CONNECTIONS = 16
_READ = 1000
_TARGET = "http://127.0.0.1:9/"
_BODY = json.dumps({"name": "One more", "type": "http", "url": _TARGET, "paused": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """What came back of one kind of call, and the CPU of the control plane for it (s)."""

    blows: Blows
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.blows.took) / self.blows.seconds

    @property
    def per_core(self) -> float:
        """Calls for a second of CPU: what one core would do that has nothing else to do."""
        return len(self.blows.took) / self.cpu_seconds if self.cpu_seconds else 0.0


def run(options: Options) -> Report:
    """The monitors are paused, so that nothing but the calls is measured; what checks cost is measured elsewhere."""
    seconds = min(options.seconds, _SECONDS)
    with temporary_folder() as folder:
        seed(folder, [_monitor(number) for number in range(options.monitors)])
        with server(folder) as tested:
            tested.ready_seconds()
            shares = {
                name: _share(tested, calls, connections, seconds)
                for name, calls, connections in (
                    ("healthz", [("GET", "/healthz", "")], _CONNECTIONS),
                    ("status", _statuses(options.monitors), _CONNECTIONS),
                    ("list", [("GET", "/v1/monitors?limit=100", "")], 1),
                    ("create", [("POST", "/v1/monitors", _BODY)], _CONNECTIONS),
                )
            }
    return Report(
        name="api_throughput",
        title=f"Calls of the API with {options.monitors:,} monitors, over {_CONNECTIONS} connections",
        figures=_figures(shares),
    )


def _monitor(number: int) -> Monitor:
    return {"name": f"Target {number}", "type": "http", "url": _TARGET, "paused": True}


def _statuses(monitors: int) -> list[tuple[str, str, str]]:
    return [("GET", f"/v1/status/{monitor_id(number)}", "") for number in range(min(monitors, _READ))]


def _share(tested: Server, calls: list[tuple[str, str, str]], connections: int, seconds: int) -> _Share:
    # What is made at the first calls is made before: statements, connections, and what is remembered of each monitor.
    hammered(Job(address=tested.address, token=TOKEN, calls=calls, connections=connections, seconds=_WARM_UP_SECONDS))
    before = cpu_seconds(tested.pid)
    blows = hammered(
        Job(address=tested.address, token=TOKEN, calls=calls, connections=connections, seconds=float(seconds))
    )
    return _Share(blows=blows, cpu_seconds=cpu_seconds(tested.pid) - before)


def _figures(shares: dict[str, _Share]) -> list[Figure]:
    healthz, status, create, listed = shares["healthz"], shares["status"], shares["create"], shares["list"]
    return [
        Figure(
            name="status_to_healthz",
            told="CPU of a status, to that of /healthz",
            value=healthz.per_core / status.per_core if status.per_core else 0.0,
            unit="×",
            digits=2,
        ),
        Figure(name="status_per_core", told="statuses for a second of CPU", value=status.per_core, floor=3000),
        Figure(name="status_per_second", told="  in a second of this run", value=status.per_second),
        Figure(name="create_per_core", told="monitors made for a second of CPU", value=create.per_core),
        Figure(name="create_per_second", told="  in a second of this run", value=create.per_second, floor=300),
        Figure(name="list_p99_ms", told="a list of 100, p99", value=_rank(listed, 99), unit="ms", digits=1, bound=30),
        Figure(name="list_cpu_ms", told="  CPU of it", value=1000 / listed.per_core, unit="ms", digits=2),
        Figure(name="healthz_per_core", told="/healthz for a second of CPU", value=healthz.per_core),
        Figure(name="healthz_per_second", told="  in a second of this run", value=healthz.per_second),
        Figure(name="healthz_p99_ms", told="/healthz, p99", value=_rank(healthz, 99), unit="ms", digits=1),
        Figure(
            name="refused",
            told="calls that were refused",
            value=sum(share.blows.refused for share in shares.values()),
            bound=0,
        ),
    ]


def _rank(share: _Share, percent: int) -> float:
    """The nearest rank (ms)."""
    took = share.blows.took
    return took[max(0, -(-len(took) * percent // 100) - 1)] * 1000
