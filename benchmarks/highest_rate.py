"""How many HTTP checks a second this machine sustains: rates are stepped up until checks are late, missed or lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks import load
from benchmarks.figures import LATEST_MS
from benchmarks.load import Load
from benchmarks.monitors import http_monitors
from benchmarks.options import Options
from benchmarks.report import Figure, Report
from benchmarks.server import seed, temporary_folder
from benchmarks.target import target

_STEPS = 5
_LONGEST_WARM_UP_SECONDS = 5
_FLOOR = 3000

Step = tuple[int, Load]


def run(options: Options) -> Report:
    """Each step is a server of its own on the same data directory, with more monitors than the last."""
    gentle = replace(options, warm_up=min(options.warm_up, _LONGEST_WARM_UP_SECONDS))
    with target() as urls, temporary_folder() as folder:
        rates = range(options.rate, options.rate * _STEPS + 1, options.rate)
        steps = climbed(rates, lambda rate: _step(folder, urls, rate, gentle))
    sustained = highest(steps)
    return Report(
        name="highest_rate",
        title=f"The highest rate of HTTP checks in steps of {options.rate:,} a second, {options.seconds} s each",
        figures=[
            Figure(name="checks_per_second", told="highest rate sustained", value=sustained, unit="/s", floor=_FLOOR),
            *(figure for step in steps for figure in _figures(*step, options.seconds)),
        ],
        remarks=["sustained: nothing missed, lost or not ok, and lateness p99 within 100 ms"],
    )


def climbed(rates: Iterable[int], measured: Callable[[int], Load]) -> list[Step]:
    """The rates with what came of them, up to the first that is not sustained."""
    steps: list[Step] = []
    for rate in rates:
        steps.append((rate, measured(rate)))
        if not is_sustained(steps[-1][1]):
            break
    return steps


def highest(steps: Iterable[Step]) -> int:
    """The highest rate that was sustained; 0 if none was."""
    return max((rate for rate, loaded in steps if is_sustained(loaded)), default=0)


def is_sustained(loaded: Load) -> bool:
    return not (loaded.missed or loaded.lost or loaded.not_ok) and loaded.lag_ms(99) <= LATEST_MS


def _step(folder: Path, urls: list[str], rate: int, options: Options) -> Load:
    there = rate - options.rate
    seed(folder, http_monitors(urls, options.rate), first=there)
    return load.measured_in(folder, options)


def _figures(rate: int, loaded: Load, seconds: int) -> list[Figure]:
    cores = (loaded.window.control_seconds + loaded.window.probe_seconds) / seconds
    return [
        Figure(name=f"lag_p99_ms_at_{rate}", told=f"at {rate:,}/s: lateness, p99", value=loaded.lag_ms(99), unit="ms"),
        Figure(name=f"cores_at_{rate}", told="  CPU of all processes, in cores", value=cores, digits=2),
        Figure(name=f"not_ok_at_{rate}", told="  checks not ok", value=loaded.not_ok),
        Figure(name=f"missed_at_{rate}", told="  slots missed", value=loaded.missed),
        Figure(name=f"lost_at_{rate}", told="  slots without any word", value=loaded.lost),
    ]
