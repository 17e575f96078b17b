"""Whether a check costs the same however many monitors there are: few often, or many seldom, at one rate."""

from __future__ import annotations

from dataclasses import replace

from benchmarks import load
from benchmarks.load import Load, ratio
from benchmarks.monitors import http_monitors
from benchmarks.options import Options
from benchmarks.report import Figure, Report
from benchmarks.server import introduce, seed, temporary_folder
from benchmarks.target import target

# The largest fleet is checked at this interval, the others in proportion.
INTERVALS_SECONDS = (1, 10, 100)
_FLAT = 1.15


def run(options: Options) -> Report:
    """The same rate from a hundredth of the monitors, from a tenth and from all."""
    rate = options.monitors // INTERVALS_SECONDS[-1]
    loads = {rate * interval: _measured(rate * interval, interval, options) for interval in INTERVALS_SECONDS}
    few = next(iter(loads.values()))
    return Report(
        name="flat_cost",
        title=f"{rate:,} HTTP checks a second for {options.seconds} s, from more and more monitors",
        figures=[
            *(_ratio(monitors, loaded, few) for monitors, loaded in loads.items() if loaded is not few),
            *(figure for monitors, loaded in loads.items() for figure in _figures(monitors, loaded)),
        ],
    )


def _measured(monitors: int, interval_seconds: int, options: Options) -> Load:
    """Each monitor has been checked before: its first result costs more, and so do the first seconds of a server.

    The extra checks of new monitors are left out: a first start comes before the one that is measured.
    """
    with target() as urls, temporary_folder() as folder:
        seed(folder, http_monitors(urls, monitors, interval_seconds=interval_seconds))
        introduce(folder)
        return load.measured_in(folder, replace(options, warm_up=max(options.warm_up, interval_seconds)))


def _ratio(monitors: int, loaded: Load, few: Load) -> Figure:
    return Figure(
        name=f"ratio_at_{monitors}",
        told=f"CPU per check with {monitors:,} monitors, to the fewest",
        value=ratio(loaded.cpu_us, few.cpu_us),
        unit="×",
        digits=2,
        bound=_FLAT,
    )


def _figures(monitors: int, loaded: Load) -> list[Figure]:
    return [
        Figure(
            name=f"cpu_us_at_{monitors}", told=f"{monitors:,} monitors: CPU per check", value=loaded.cpu_us, unit="µs"
        ),
        Figure(name=f"checks_at_{monitors}", told="  checks done", value=loaded.checks),
        Figure(name=f"lost_at_{monitors}", told="  slots without any word", value=loaded.lost, bound=0),
        Figure(
            name=f"resident_mib_at_{monitors}",
            told="  memory of all processes (RSS)",
            value=loaded.window.resident / (1 << 20),
            unit="MiB",
        ),
    ]
