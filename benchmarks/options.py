"""What whoever runs the benchmarks may choose."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LONGEST_SECONDS = 600
_HIGHEST_RATE = 5000
_FEWEST_MONITORS = 100
_MOST_MONITORS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`names` are the benchmarks to be run, none means all. `seconds` are measured after `warm_up` seconds.

    `rate` is in checks a second, `monitors` are those of a big fleet. `prometheus_bin` is a folder with the programs of
    Prometheus; None means that they are looked for on the path.
    """

    names: Sequence[str]
    seconds: int
    warm_up: int
    rate: int
    monitors: int
    prometheus_bin: Path | None
    json: Path | None


def parsed(known: Sequence[str], arguments: list[str] | None = None) -> Options:
    """Reads the command line; ends the process with a line of help for a wrong one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures StatusPulse on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to run (all): {', '.join(known)}")
    parser.add_argument("--seconds", type=int, default=30, help="how long to measure (30)")
    parser.add_argument("--warm-up", type=int, default=10, help="seconds before that (10)")
    parser.add_argument("--rate", type=int, default=1000, help="checks a second (1000)")
    parser.add_argument("--monitors", type=int, default=10_000, help="monitors of a big fleet (10000)")
    parser.add_argument("--prometheus-bin", type=Path, help="folder with prometheus and prometheus-blackbox-exporter")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = Options(**vars(parser.parse_args(arguments)))
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    if not 1 <= options.seconds <= _LONGEST_SECONDS or not 0 <= options.warm_up <= _LONGEST_SECONDS:
        parser.error(f"times are between 1 and {_LONGEST_SECONDS} seconds")
    if not 1 <= options.rate <= _HIGHEST_RATE:
        parser.error(f"the rate is between 1 and {_HIGHEST_RATE}")
    if not _FEWEST_MONITORS <= options.monitors <= _MOST_MONITORS:
        parser.error(f"a big fleet has {_FEWEST_MONITORS} to {_MOST_MONITORS} monitors")
    return options
