"""A message to ourselves that goes the way of all messages: written down, claimed, handed over, settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Connection

from statuspulse.bus.bus import Bus, Topic
from statuspulse.delivery.channel import Delivered, Outcome, Retry
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.message import Action
from statuspulse.egress.http_client import Answer, HttpClient
from statuspulse.egress.policy import Purpose
from statuspulse.storage import outbox, teams
from statuspulse.storage.database import Database
from statuspulse.storage.outbox import Debt, State

# What the rows are owed to; it is no id, so that no list of notifications shows them.
DESTINATION = "canary"

_ATTEMPT_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 1.0
_ANSWER_BYTES = 1024
_OK = 200


class Canary:
    """Owes a message, and waits until the dispatcher has brought it to `url`, which is one of our own."""

    def __init__(self, database: Database, bus: Bus, client: HttpClient, *, url: str, now: Callable[[], int]) -> None:
        self._database = database
        self._bus = bus
        self._client = client
        self._url = url
        self._now = now

    async def fly(self, within_seconds: float) -> str | None:
        """None once it has arrived, else the word for why it has not. Raises DatabaseUnavailableError."""
        row_id = await self._database.write(self._owe)
        self._bus.wake(Topic.OUTBOX)
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                state = await self._ended(row_id)
                return None if state is State.DELIVERED else "message_refused"
        return "message_stuck"

    async def hand_over(self) -> Outcome:
        """What the dispatcher does with it."""
        answer = await self._client.request(
            method="GET",
            url=self._url,
            headers={},
            body=None,
            purpose=Purpose.HEARTBEAT_OUT,
            timeout_s=_ATTEMPT_SECONDS,
            max_bytes=_ANSWER_BYTES,
        )
        if isinstance(answer, Answer):
            is_taken = answer.status == _OK
            return Delivered(_OK) if is_taken else Retry(error=f"http_{answer.status}", status=answer.status)
        return Retry(error=answer.kind.value)

    def _owe(self, connection: Connection) -> str:
        """One at a time: whatever became of the one before says nothing any more."""
        outbox.forget(connection, DESTINATION)
        team, now = teams.first(connection), self._now()
        assert team is not None
        event_id = new_ulid("evt", now)
        debt = Debt(
            team_id=team.id,
            event_id=event_id,
            incident_id=None,
            destination=DESTINATION,
            action=Action.TEST.value,
            dedup_key=event_id,
            body={},
        )
        return outbox.owe(connection, [debt], now)[0]

    async def _ended(self, row_id: str) -> State:
        while True:
            seen = self._bus.count(Topic.OUTBOX)
            row = await self._database.read(lambda connection: outbox.get_by_id(connection, row_id))
            if row is None or row.state is not State.PENDING:
                return State.DEAD if row is None else row.state
            await self._bus.wait(Topic.OUTBOX, seen, _LOOK_AGAIN_SECONDS)
