"""Bounds how many calls are in work at once, by rank: what can wait is turned away first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from statuspulse.api.envelope import refusal
from statuspulse.api.errors import ApiError
from statuspulse.storage.database import is_patient

# A call takes some milliseconds, most of them in the threads of the database, so that so many wait less than a second.
PLACES = 256
_LONGEST_WAIT_SECONDS = 2.0
_RETRY_SECONDS = 2
_READ_ONLY_RETRY_SECONDS = 30
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# They wait for news and do nothing meanwhile; each has a bound of its own.
_WAITING = ("/v1/agent/assignments", "/v1/monitors/test", "/v1/events/stream", "/check", "/test")
# Little to write, and somebody waits for it: no job is late because we had no room, and whoever acknowledges does.
_VITAL = ("/ping/", "/ack/")
_HISTORY = ("/results", "/history", "/transitions", "/uptime", "/latency", "/timeline", "/report", "/report.csv")


class Rank(Enum):
    """What a call is for, and which share of the places may be taken when it comes."""

    PROBES = 1.0
    INCIDENTS = 0.75
    CONFIGURATION = 0.5
    HISTORY = 0.375
    PUBLIC = 0.25


# Of those that can wait so many of a rank are worked on together. The event loop goes through all of them before it
# comes back to an acknowledgement, which needs it several times; more at once would do no more in the same time.
_AT_ONCE = {Rank.CONFIGURATION: 12, Rank.HISTORY: 4, Rank.PUBLIC: 4}


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


class Turn:
    """Its turn to be worked on, of a call that can wait. It ends with the beginning of the answer.

    Neither a caller who sends slowly nor one who reads slowly keeps others from theirs.
    """

    def __init__(self, turns: asyncio.Semaphore) -> None:
        self._turns = turns
        self._has_it = False

    async def take(self) -> None:
        """Raises 503 where too many are in front: whoever waited so long may have gone meanwhile."""
        if self._turns.locked():
            try:
                async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                    await self._turns.acquire()
            except TimeoutError:
                raise _overloaded() from None
        else:
            await self._turns.acquire()
        self._has_it = True

    def end(self) -> None:
        if self._has_it:
            self._has_it = False
            self._turns.release()


class Overload:
    """Answers 503 at once to a call for whose rank there is no place; a body that comes slowly takes none.

    What can wait takes turns, and reads where it is in nobody's way.

    While the instance is read-only nearly every change is turned away so: probes keep what they have seen.
    """

    def __init__(self, app: ASGIApp, *, places: int, is_read_only: Callable[[], bool], public_url: str) -> None:
        self._app = app
        self._work = Workload(places)
        self._is_read_only = is_read_only
        self._turns = {rank: asyncio.Semaphore(number) for rank, number in _AT_ONCE.items()}
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        rank = rank_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if rank is None:
            await self._app(scope, receive, send)
        elif scope["method"] in _WRITES and not scope["path"].startswith(_VITAL) and self._is_read_only():
            await refusal(Request(scope), _read_only(), self._public_url)(scope, receive, send)
        elif not self._work.has_place(rank):
            await refusal(Request(scope), _overloaded(), self._public_url)(scope, receive, send)
        elif rank not in _AT_ONCE:
            with self._work.place():
                await self._app(scope, self._received(receive, rank, None), send)
        else:
            is_patient.set(True)
            with self._work.place():
                await self._in_turn(scope, receive, send, rank)

    async def _in_turn(self, scope: Scope, receive: Receive, send: Send, rank: Rank) -> None:
        turn = Turn(self._turns[rank])

        async def answer(message: Message) -> None:
            turn.end()
            await send(message)

        try:
            await turn.take()
        except ApiError as refused:
            await refusal(Request(scope), refused, self._public_url)(scope, receive, send)
            return
        try:
            await self._app(scope, self._received(receive, rank, turn), answer)
        finally:
            turn.end()

    def _received(self, receive: Receive, rank: Rank, turn: Turn | None) -> Receive:
        async def next_part() -> Message:
            if turn is not None:
                turn.end()
            with self._work.aside():
                message = await receive()
                if message["type"] == "http.request" and not self._work.has_place(rank):
                    raise _overloaded()
            if turn is not None:
                await turn.take()
            return message

        return next_part


def _read_only() -> ApiError:
    """What little room there is belongs to what has to be told of that."""
    message = "The storage takes no changes at the moment."
    return ApiError("read_only", message, retry_after_seconds=_READ_ONLY_RETRY_SECONDS)


def _overloaded() -> ApiError:
    message = "Too many calls are in work at the moment; try again."
    return ApiError("overloaded", message, retry_after_seconds=_RETRY_SECONDS)
