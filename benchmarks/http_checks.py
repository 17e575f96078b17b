"""What one HTTP check costs in all, and whether it runs on time, beside what libcurl alone needs for it."""

from __future__ import annotations

from benchmarks import bare_curl, figures, load
from benchmarks.monitors import http_monitors
from benchmarks.options import Options
from benchmarks.report import Report
from benchmarks.target import target


def run(options: Options) -> Report:
    """One after the other: the product, then the bare loop, against the same target."""
    with target() as urls:
        loaded = load.measured(http_monitors(urls, options.rate), options)
        bare = bare_curl.measured(urls, rate=options.rate, seconds=options.seconds)
    return Report(
        name="http_checks",
        title=f"{options.rate:,} HTTP checks a second for {options.seconds} s, each on a connection of its own",
        figures=figures.of(loaded, bare, baseline="libcurl", most_cpu_us=300),
    )
