"""The HTTP server of the process: listens before anything else starts, and leaves signals to the process."""

from __future__ import annotations

import contextlib
import socket  # noqa: TID251 - it listens and opens no connection
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

_BACKLOG = 2048
_CLOSE_SECONDS = 1


class CannotListenError(Exception):
    """The address is not to be had: one line with the cure."""


def listener(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, TypeError) as error:  # TypeError: text that is no name of a host
        reason = (getattr(error, "strerror", None) or str(error)).partition(" (while ")[0].lower()
        message = f"cannot listen on {host}:{port}: {reason}; choose another with STATUSPULSE_LISTEN"
        raise CannotListenError(message) from None


def base_url(listening: socket.socket) -> str:
    """How to reach the listener from this host."""
    host, port = listening.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class WebServer(uvicorn.Server):
    """uvicorn without its own signal handlers: the process decides in which order its parts stop."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                access_log=False,
                log_level="warning",
                server_header=False,
                date_header=True,
                proxy_headers=False,
                timeout_graceful_shutdown=_CLOSE_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def run_on(self, listening: socket.socket) -> None:
        """Serves until `should_exit` is set."""
        await self.serve(sockets=[listening])
