"""Runs benchmarks, one after the other: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import json
import signal
import sys

from benchmarks import (
    api_throughput,
    big_start,
    big_window,
    dns_checks,
    flat_cost,
    highest_rate,
    http_checks,
    https_checks,
    prometheus,
    status_reads,
)
from benchmarks.machine import machine
from benchmarks.options import Options, parsed
from benchmarks.report import document, table

# A new benchmark is one file with `run`, and one line here.
BENCHMARKS = {
    "http_checks": http_checks.run,
    "https_checks": https_checks.run,
    "dns_checks": dns_checks.run,
    "flat_cost": flat_cost.run,
    "highest_rate": highest_rate.run,
    "big_start": big_start.run,
    "big_window": big_window.run,
    "status_reads": status_reads.run,
    "api_throughput": api_throughput.run,
    "prometheus": prometheus.run,
}


def main() -> None:
    """Prints a table for each benchmark as it ends."""
    # As Ctrl-C does, it unwinds everything that was begun.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = parsed(list(BENCHMARKS))
    found = machine()
    print("\n".join(f"{name:<12} {value}" for name, value in found.items()))
    documents = {}
    for name in options.names or BENCHMARKS:
        report = BENCHMARKS[name](options)
        documents[report.name] = document(report)
        print(f"\n{table(report)}", flush=True)
    if options.json is not None:
        written = {"machine": found, "options": _measured(options), "benchmarks": documents}
        options.json.write_text(json.dumps(written, indent=2))


def _measured(options: Options) -> dict[str, int]:
    names = ("seconds", "warm_up", "rate", "monitors")
    return {name: getattr(options, name) for name in names}


if __name__ == "__main__":
    main()
