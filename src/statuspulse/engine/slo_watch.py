"""Looks at objectives when they are due: read beside the writer, which only stores what has come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy import Connection

from statuspulse.bus.bus import Bus, Topic
from statuspulse.domain.times import SECOND
from statuspulse.engine import slos
from statuspulse.engine.slos import Look
from statuspulse.storage import slos as rows
from statuspulse.storage.database import Database, DatabaseUnavailableError

log = structlog.get_logger(__name__)

# What others make due is seen after so long at most; the first due one is waited for exactly.
_LOOK_EVERY_SECONDS = 1.0
# Between two looks readers and writer belong to others.
_BREATH_SECONDS = 0.02
_LOOKS_PER_TURN = 20


class SloWatch:
    """Works until it is cancelled. What has to be looked at is in rows: what was due while nobody looked is late."""

    def __init__(self, database: Database, bus: Bus, *, now: Callable[[], int]) -> None:
        self._database = database
        self._bus = bus
        self._now = now

    async def run(self) -> None:
        while True:
            rest = await self._turn()
            await asyncio.sleep(rest)

    async def _turn(self) -> float:
        """Looks at some that are due; answers after how long to go on (s)."""
        try:
            due_at = await self._database.read(rows.next_due_at)
            if due_at is None or due_at > self._now():
                until = _LOOK_EVERY_SECONDS if due_at is None else (due_at - self._now()) / SECOND
                return min(max(until, _BREATH_SECONDS), _LOOK_EVERY_SECONDS)
            for team_id, slo_id in await self._database.read(partial(_due, now=self._now())):
                await self._look(team_id, slo_id)
                await asyncio.sleep(_BREATH_SECONDS)
        except DatabaseUnavailableError as error:
            log.warning("slo.database_unavailable", reason=str(error))
            return _LOOK_EVERY_SECONDS
        return _BREATH_SECONDS

    async def _look(self, team_id: str, slo_id: str) -> None:
        now = self._now()
        try:
            seen = await self._database.read(partial(_seen, team_id=team_id, slo_id=slo_id, now=now))
            if seen is not None and await self._database.write(partial(slos.settle, seen=seen, now=now)):
                self._tell(seen)
        except DatabaseUnavailableError:
            raise
        except Exception:
            # One objective that we cannot work with must not end the watch over everybody else's.
            log.exception("slo.look_failed", slo=slo_id)
            await self._database.write(partial(rows.put_off, team_id=team_id, slo_id=slo_id, until=now + 60 * SECOND))

    def _tell(self, seen: Look) -> None:
        if seen.judgement.news:
            self._bus.wake(Topic.OUTBOX)


def _due(connection: Connection, *, now: int) -> list[tuple[str, str]]:
    return [(slo.team_id, slo.id) for slo in rows.due(connection, now, _LOOKS_PER_TURN)]


def _seen(connection: Connection, *, team_id: str, slo_id: str, now: int) -> Look | None:
    slo = rows.get(connection, team_id, slo_id)
    return None if slo is None else slos.look(connection, slo, now)
