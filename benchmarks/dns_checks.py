"""What one DNS check costs in all, and whether it runs on time, beside what dnspython alone needs for it."""

from __future__ import annotations

from benchmarks import bare_dns, figures, load
from benchmarks.monitors import dns_monitors
from benchmarks.name_server import NAME, name_server
from benchmarks.options import Options
from benchmarks.report import Report


def run(options: Options) -> Report:
    """One after the other: the product, then the bare loop, against the same name server."""
    with name_server() as port:
        loaded = load.measured(dns_monitors(port, options.rate), options)
        bare = bare_dns.measured(NAME, port, rate=options.rate, seconds=options.seconds)
    return Report(
        name="dns_checks",
        title=f"{options.rate:,} DNS checks a second for {options.seconds} s, over UDP",
        figures=figures.of(loaded, bare, baseline="dnspython"),
    )
