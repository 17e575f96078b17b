"""What whoever runs the benchmarks may choose."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

_LONGEST_SECONDS = 600
_HIGHEST_RATE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`seconds` are measured after `warm_up` seconds; `rate` is in checks a second."""

    seconds: int
    warm_up: int
    rate: int
    json: Path | None


def parsed(arguments: list[str] | None = None) -> Options:
    """Reads the command line; ends the process with a line of help for a wrong one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures StatusPulse on this machine.")
    parser.add_argument("--seconds", type=int, default=30, help="how long to measure (30)")
    parser.add_argument("--warm-up", type=int, default=10, help="seconds before that (10)")
    parser.add_argument("--rate", type=int, default=1000, help="checks a second (1000)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = Options(**vars(parser.parse_args(arguments)))
    if not 1 <= options.seconds <= _LONGEST_SECONDS or not 0 <= options.warm_up <= _LONGEST_SECONDS:
        parser.error(f"times are between 1 and {_LONGEST_SECONDS} seconds")
    if not 1 <= options.rate <= _HIGHEST_RATE:
        parser.error(f"the rate is between 1 and {_HIGHEST_RATE}")
    return options
