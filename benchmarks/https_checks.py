"""What one check behind TLS costs in all, with a handshake and a chain to be verified, beside libcurl alone."""

from __future__ import annotations

from benchmarks import bare_curl, figures, load
from benchmarks.certificate import certificate
from benchmarks.monitors import http_monitors
from benchmarks.options import Options
from benchmarks.report import Report
from benchmarks.server import temporary_folder
from benchmarks.target import target


def run(options: Options) -> Report:
    """One after the other: the product, then the bare loop; both verify the chain against the same authority."""
    rate = max(1, options.rate // 4)
    with temporary_folder() as folder:
        made = certificate(folder)
        with target(made) as urls:
            loaded = load.measured(http_monitors(urls, rate), options, trusted=made.trusted)
            bare = bare_curl.measured(urls, rate=rate, seconds=options.seconds, ca_file=made.trusted)
    return Report(
        name="https_checks",
        title=f"{rate:,} HTTPS checks a second for {options.seconds} s, each with a handshake of its own",
        figures=figures.of(loaded, bare, baseline="libcurl"),
    )
