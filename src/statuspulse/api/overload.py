"""Bounds how many calls are in work at once, by rank: what can wait is turned away first (`RELIABILITY.md` 5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from statuspulse.api.envelope import refusal
from statuspulse.api.errors import ApiError

# A call takes some milliseconds, most of them in the threads of the database, so that so many wait less than a second.
PLACES = 256
_RETRY_SECONDS = 2
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# They wait for news and do nothing meanwhile; each has a bound of its own.
_WAITING = ("/v1/agent/assignments", "/v1/monitors/test", "/v1/events/stream", "/check", "/test")
_HISTORY = ("/results", "/history", "/transitions", "/uptime", "/latency", "/timeline", "/report", "/report.csv")


class Rank(Enum):
    """What a call is for, and which share of the places may be taken when it comes."""

    PROBES = 1.0
    INCIDENTS = 0.75
    CONFIGURATION = 0.5
    HISTORY = 0.375
    PUBLIC = 0.25


def rank_of(method: str, path: str) -> Rank | None:
    """The rank of a call; None for one that needs no place."""
    if path == "/healthz" or path.endswith(_WAITING):
        return None
    if path.startswith(("/v1/agent/", "/ping/")) or path in {"/readyz", "/metrics"}:
        return Rank.PROBES
    if _is_of_incidents(path):
        return Rank.INCIDENTS
    if not path.startswith("/v1/") or path.startswith(("/v1/openapi.", "/v1/schemas/")):
        return Rank.PUBLIC
    if method not in _WRITES and path.endswith((*_HISTORY, "/audit-log", "/events")):
        return Rank.HISTORY
    return Rank.CONFIGURATION


def _is_of_incidents(path: str) -> bool:
    """Whether a call is about incidents, or tells of what becomes one."""
    if path.startswith("/v1/incidents/"):
        return not path.endswith(_HISTORY)
    is_webhook = path.startswith("/v1/integrations/") and path.endswith("/webhook")
    return is_webhook or path in {"/v1/incidents", "/api/v2/alerts"}


class Workload:
    """How many calls are in work."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0

    def has_place(self, rank: Rank) -> bool:
        return self._taken < self._places * rank.value

    @contextmanager
    def place(self) -> Iterator[None]:
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While a call waits for its caller its place is for others."""
        self._taken -= 1
        try:
            yield
        finally:
            self._taken += 1


class Overload:
    """Answers 503 at once to a call for whose rank there is no place; a body that comes slowly takes none."""

    def __init__(self, app: ASGIApp, *, places: int, public_url: str) -> None:
        self._app = app
        self._work = Workload(places)
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rank = rank_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if rank is None:
            await self._app(scope, receive, send)
        elif not self._work.has_place(rank):
            await refusal(Request(scope), _overloaded(), self._public_url)(scope, receive, send)
        else:
            with self._work.place():
                await self._app(scope, self._received(receive, rank), send)

    def _received(self, receive: Receive, rank: Rank) -> Receive:
        async def next_part() -> Message:
            with self._work.aside():
                message = await receive()
                if message["type"] == "http.request" and not self._work.has_place(rank):
                    raise _overloaded()
            return message

        return next_part


def _overloaded() -> ApiError:
    message = "Too many calls are in work at the moment; try again."
    return ApiError("overloaded", message, retry_after_seconds=_RETRY_SECONDS)
