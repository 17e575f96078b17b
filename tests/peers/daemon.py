"""A server program that runs for the tests and ends with them, however they end."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.peers.programs import Program

HOST = "127.0.0.1"
_PATIENCE_SECONDS = 20.0
_LOOK_SECONDS = 0.01
# Below the range from which the system takes the ports of connections that go out, so that none of them can come
# between the look and the server.
_PORTS = range(20_000, 32_000)
# Ends the server when its input closes, that is when pytest has ended in whatever way.
_KEEPER = """
"$@" < /dev/null &
server=$!
cat > /dev/null
kill -TERM $server
wait $server
"""


class DaemonFailedError(Exception):
    """A server does not start; the text tells what it said."""


def free_port() -> int:
    """A port of loopback that nobody holds, neither for connections nor for datagrams."""
    while True:
        port = random.choice(_PORTS)
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                held.enter_context(socket.socket(socket.AF_INET, kind)).bind((HOST, port))
            return port


@contextmanager
def running(program: Program, arguments: Sequence[str | Path], folder: Path, *ports: int) -> Iterator[None]:
    """Runs a server in the foreground; inside the context it takes connections on all the ports."""
    said = folder / f"{program.path.name}.log"
    with said.open("wb") as log:
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", program.path, *arguments],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=program.environment(),
            cwd=folder,
            start_new_session=True,  # Ctrl-C is for pytest, which then ends the server in order
        )
    assert keeper.stdin is not None
    try:
        _await(ports, said)
        yield
    finally:
        keeper.stdin.close()
        keeper.wait(_PATIENCE_SECONDS)


def _await(ports: Sequence[int], said: Path) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    for port in ports:
        while not _listens(port):
            if time.monotonic() > until:
                raise DaemonFailedError(f"nobody listens on port {port}:\n{said.read_text(errors='replace')[-2000:]}")
            time.sleep(_LOOK_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((HOST, port)) == 0
