"""The HTTP server of the process: listens before anything else starts, and leaves signals to the process."""

from __future__ import annotations

import contextlib
import errno
import socket  # noqa: TID251 - it listens and opens no connection
from collections.abc import Iterator
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from statuspulse.app.connections import BoundedConnection, Bounds

_BACKLOG = 2048
_CLOSE_SECONDS = 1
# Proxies and balancers keep a connection for a minute that nobody uses (nginx, AWS). Were ours the shorter time, a call
# could go into a connection that is just being closed: it fails, and a POST is not sent again.
_IDLE_SECONDS = 65


_REASONS = {
    errno.EACCES: " (ports below 1024 need the capability CAP_NET_BIND_SERVICE)",
    errno.EADDRNOTAVAIL: " (this host does not have it)",
}


class CannotListenError(Exception):
    """The address is not to be had: one line with the cure."""


def bound(host: str, port: int) -> socket.socket:
    """A socket that has the address, and turns callers away until `listen`; port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            _bind(made, host, port)
        except BaseException:
            made.close()
            raise
    except (OSError, TypeError) as error:  # TypeError: text that is no name of a host
        raise _cannot_listen(f"{host}:{port}", error) from None
    return made


def listen(bound: socket.socket) -> None:
    """From here on callers wait for an answer. Another who bound at the same moment may have been faster."""
    try:
        bound.listen(_BACKLOG)
    except OSError as error:
        host, port = bound.getsockname()[:2]
        raise _cannot_listen(f"{host}:{port}", error) from None


def _bind(made: socket.socket, host: str, port: int) -> None:
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind((host, port))


def _cannot_listen(address: str, error: Exception) -> CannotListenError:
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    reason += _REASONS.get(getattr(error, "errno", None) or 0, "")
    return CannotListenError(f"cannot listen on {address}: {reason}; choose another with STATUSPULSE_LISTEN")


def base_url(listening: socket.socket) -> str:
    """How to reach the listener from this host."""
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class WebServer(uvicorn.Server):
    """uvicorn with bounds on its callers, and without its own signal handlers: the process decides what stops when."""

    def __init__(self, app: ASGIApp, bounds: Bounds, public_url: str = "") -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=partial(BoundedConnection, bounds=bounds, public_url=public_url),  # type: ignore[arg-type]
                lifespan="off",
                access_log=False,
                # Its own would write past ours.
                log_config=None,
                log_level="warning",
                server_header=False,
                date_header=True,
                proxy_headers=False,
                timeout_keep_alive=_IDLE_SECONDS,
                timeout_graceful_shutdown=_CLOSE_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def run_on(self, listening: socket.socket) -> None:
        """Serves until `should_exit` is set."""
        await self.serve(sockets=[listening])
