"""The monitors of a benchmark, as a seed file has them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice

from benchmarks.name_server import NAME
from benchmarks.server import Monitor

_TIMEOUT_MS = 500


def http_monitors(urls: Sequence[str], count: int, *, interval_seconds: int = 1) -> list[Monitor]:
    """So many, each with a path of its own, spread evenly over the ports of a target."""
    return [
        {"type": "http", "url": f"{url}{number}", **_common(number, interval_seconds)}
        for number, url in enumerate(islice(cycle(urls), count))
    ]


def dns_monitors(port: int, count: int) -> list[Monitor]:
    """So many, which all ask the name server on this port."""
    asked = {"type": "dns", "host": NAME, "resolver": f"127.0.0.1:{port}"}
    return [{**asked, **_common(number, 1)} for number in range(count)]


def _common(number: int, interval_seconds: int) -> Monitor:
    return {"name": f"Target {number}", "interval_seconds": interval_seconds, "timeout_ms": _TIMEOUT_MS}
