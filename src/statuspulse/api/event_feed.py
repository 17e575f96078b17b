"""One stream of events: frames after the HTML standard (9.2, server-sent events), read from the log as they are taken.

It buffers nothing: what its reader does not take stays in the log, and a connection that takes nothing is cut.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from statuspulse.api.dependencies import Services
from statuspulse.api.errors import ApiError
from statuspulse.api.frame import IS_STREAM
from statuspulse.bus.bus import Topic
from statuspulse.domain.times import DAY
from statuspulse.domain.webhook import ALL, Wanted
from statuspulse.storage import events
from statuspulse.storage.database import DatabaseUnavailableError
from statuspulse.storage.events import EventFilter, LoggedEvent

RESUMABLE = 7 * DAY
_RETRY_MS = 3000
_LOOK_SECONDS = 0.5
_ALIVE_SECONDS = 15
_LONGEST_SECONDS = 1800
# An event has less than 20 kB, so that a stream whose reader is slow holds less than 256 KiB of them.
_EVENTS_AT_ONCE = 12
_KEEP_ALIVE = b": ka\n\n"
_HEADERS = ((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))


class Bye(StrEnum):
    """Why the server ends a stream."""

    TIME_LIMIT = "time_limit"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a reason
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Behind which number a stream begins; `shown` is the id of that place where the reader does not know it."""

    number: int
    shown: str | None
    is_reset: bool

    @property
    def frames(self) -> bytes:
        """The reader remembers an id without data: whoever loses the connection at once skips nothing."""
        retry = f"retry: {_RETRY_MS}\n"
        if self.is_reset:
            return f"{retry}\n".encode() + frame("reset", '{"reason":"cursor_expired"}', self.shown)
        return f"{retry}{_id_line(self.shown)}\n".encode()


def start(connection: Connection, team_id: str, *, last_id: str | None, since: int | None, now: int) -> Start:
    """Where to begin: behind an event, at an instant, or now. An unknown event is as good as one that is too old."""
    if last_id is not None:
        known = events.get(connection, team_id, last_id)
        if known is not None and known.at >= now - RESUMABLE:
            return Start(number=known.seq, shown=None, is_reset=False)
    elif since is not None and since >= now - RESUMABLE:
        number = events.number_before(connection, team_id, since)
        return Start(number=number, shown=None, is_reset=False)
    number = events.last_number(connection)
    is_reset = last_id is not None or since is not None
    return Start(number=number, shown=_id_at(connection, team_id, number), is_reset=is_reset)


def frame(name: str, data: str, event_id: str | None) -> bytes:
    """`data` is one line."""
    return f"{_id_line(event_id)}event: {name}\ndata: {data}\n\n".encode()


@dataclass(slots=True, kw_only=True)
class Feed:
    """What one reader hears, and how far he has come: everything up to `number` was sent or is not for him."""

    services: Services
    team_id: str
    token_id: str
    secret_digest: bytes = field(repr=False)
    wanted: EventFilter
    tag: str | None
    number: int

    async def next_events(self, seen: int) -> tuple[list[LoggedEvent], bool]:
        """The next events, and whether there may be more at once; none while the database cannot serve."""
        try:
            last = await self.services.newest.number(seen)
            if last <= self.number:
                return [], False
            return await self.services.parts.database.read(lambda connection: self._read(connection, last))
        except DatabaseUnavailableError:
            return [], False

    async def may_hear(self) -> bool:
        """Whether the token still lives and belongs to the team; true while nobody can say."""
        try:
            found = await self.services.tokens.living_secret(self.secret_digest)
        except DatabaseUnavailableError:
            return True
        except ApiError:
            return False
        return any(team.id == self.team_id for team in found.teams)

    async def place(self) -> str | None:
        """The id from which a reader goes on who has heard all of this."""
        try:
            return await self.services.parts.database.read(
                lambda connection: _id_at(connection, self.team_id, self.number)
            )
        except DatabaseUnavailableError:
            return None

    def _read(self, connection: Connection, last: int) -> tuple[list[LoggedEvent], bool]:
        found = events.page(
            connection, self.team_id, self.wanted, after=self.number, descending=False, limit=_EVENTS_AT_ONCE
        )
        is_full = len(found) == _EVENTS_AT_ONCE
        self.number = found[-1].seq if is_full else max(last, *(event.seq for event in found), self.number)
        if self.tag is not None:
            wanted = Wanted(types=(ALL,), tags=(self.tag,))
            found = [event for event in found if events.is_wanted(connection, event, wanted)]
        return found, is_full


class EventStream(Response):
    """The answer that goes on until its reader leaves, his token ends, half an hour is over, or the process stops."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, begin: Start) -> None:
        super().__init__(None)
        self._feed = feed
        self._begin = begin
        self._has_left = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["state"]["is_head"]:
            await self._begin_answer(scope, send)
        else:
            with self._feed.services.streams.opened(self._feed.token_id):
                await self._begin_answer(scope, send)
                async with asyncio.TaskGroup() as tasks:
                    listening = tasks.create_task(self._listen(receive), name="stream-listening")
                    await self._talk(send)
                    listening.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _begin_answer(self, scope: Scope, send: Send) -> None:
        scope["state"][IS_STREAM] = True
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), *_HEADERS]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def _listen(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._has_left = True

    async def _talk(self, send: Send) -> None:
        parts = self._feed.services.parts
        begun = said = parts.monotonic()
        await _say(send, self._begin.frames)
        while not self._has_left:
            seen = parts.bus.count(Topic.OUTBOX)
            bye = await self._bye(begun)
            if bye is not None:
                await _say(send, frame("bye", json.dumps({"reason": bye}), await self._feed.place()))
                return
            found, has_more = await self._feed.next_events(seen)
            due = [frame(event.type, event.body, event.id) for event in found]
            if not due and parts.monotonic() - said >= _ALIVE_SECONDS:
                due = [_KEEP_ALIVE]
            for text in due:
                await _say(send, text)
                said = parts.monotonic()
            if not has_more:
                await parts.bus.wait(Topic.OUTBOX, seen, _LOOK_SECONDS)

    async def _bye(self, begun: float) -> Bye | None:
        parts = self._feed.services.parts
        if parts.is_stopping():
            return Bye.SHUTDOWN
        if not await self._feed.may_hear():
            return Bye.TOKEN_REVOKED
        return Bye.TIME_LIMIT if parts.monotonic() - begun >= _LONGEST_SECONDS else None


async def _say(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})


def _id_line(event_id: str | None) -> str:
    return "" if event_id is None else f"id: {event_id}\n"


def _id_at(connection: Connection, team_id: str, number: int) -> str | None:
    found = events.newest(connection, team_id, number)
    return None if found is None else found.id
