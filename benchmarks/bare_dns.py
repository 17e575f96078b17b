"""The baseline of DNS: dnspython alone, one question after the other at a steady pace, nothing kept or judged."""

from __future__ import annotations

import time

import dns.exception
import dns.message
import dns.query

from benchmarks import bare
from benchmarks.bare import Bare

_TIMEOUT_SECONDS = 0.5


def measured(name: str, port: int, *, rate: int, seconds: int) -> Bare:
    """Asks a name server on loopback for an address, from a process of its own."""
    return bare.measured("benchmarks.bare_dns", name, str(port), rate=rate, seconds=seconds)


class _Questions:
    """Each goes over a socket of its own; a name server on loopback has answered before another could be asked."""

    def __init__(self, name: str, port: int) -> None:
        self._name = name
        self._port = port
        self.done = 0
        self.failed = 0

    def start(self, count: int) -> None:
        for _ in range(count):
            question = dns.message.make_query(self._name, "A", use_edns=0)
            try:
                dns.query.udp(question, "127.0.0.1", timeout=_TIMEOUT_SECONDS, port=self._port)
                self.done += 1
            except (dns.exception.DNSException, OSError):
                self.failed += 1

    def wait(self, until: float) -> None:
        time.sleep(max(0.0, until - time.monotonic()))


def _main() -> None:
    parser = bare.parser()
    parser.add_argument("name")
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    bare.tell(_Questions(options.name, options.port), rate=options.rate, seconds=options.seconds)


if __name__ == "__main__":
    _main()
