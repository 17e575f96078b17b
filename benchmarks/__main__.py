"""Runs every benchmark, one after the other: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import json
import signal
import sys

from benchmarks import http_checks, status_reads
from benchmarks.machine import machine
from benchmarks.options import parsed
from benchmarks.report import document, table

# A new benchmark is one file with `run`, and one name here.
BENCHMARKS = (http_checks, status_reads)


def main() -> None:
    """Prints a table for each benchmark as it ends."""
    # As Ctrl-C does, it unwinds everything that was begun.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    options = parsed()
    found = machine()
    print("\n".join(f"{name:<12} {value}" for name, value in found.items()))
    documents = {}
    for benchmark in BENCHMARKS:
        report = benchmark.run(options)
        documents[report.name] = document(report)
        print(f"\n{table(report)}", flush=True)
    if options.json is not None:
        measured = {"seconds": options.seconds, "warm_up": options.warm_up, "rate": options.rate}
        options.json.write_text(json.dumps({"machine": found, "options": measured, "benchmarks": documents}, indent=2))


if __name__ == "__main__":
    main()
