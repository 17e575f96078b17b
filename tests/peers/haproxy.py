"""haproxy in front of another server, letting every connection wait before it passes anything on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.daemon import HOST, free_port, running
from tests.peers.programs import program

_CONFIGURATION = """
global
  maxconn 100
defaults
  mode tcp
  timeout connect 10s
  timeout client 10s
  timeout server 10s
frontend waiting
  bind {host}:{port}
  tcp-request inspect-delay {delay_ms}ms
  tcp-request content accept if WAIT_END
  default_backend behind
backend behind
  server only {host}:{behind}
"""


@contextmanager
def waiting(folder: Path, behind: int, delay_ms: int) -> Iterator[int]:
    """The port of a proxy that accepts at once and waits so long before it connects to the port `behind` it."""
    port = free_port()
    path = folder / "haproxy.cfg"
    path.write_text(_CONFIGURATION.format(host=HOST, port=port, behind=behind, delay_ms=delay_ms))
    with running(program("haproxy"), ["-db", "-f", path], folder, port):
        yield port
