"""Keeps the house in small steps beside the work: rolls results up, reads late ones, and deletes what is too old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy import Connection

from statuspulse.engine import hindsight, rollups
from statuspulse.engine.hindsight import Reading
from statuspulse.engine.retention import Retention
from statuspulse.storage import alerts, events, idempotency, inbound, sync_log, webhook_deliveries
from statuspulse.storage.database import Database, DatabaseUnavailableError

log = structlog.get_logger(__name__)

_ROLL_EVERY_SECONDS = 10.0
_READ_LATE_EVERY_SECONDS = 2.0
_DELETE_EVERY_SECONDS = 3600.0
_KEYS_PER_STEP = 500
_EVENTS_PER_STEP = 500
# After a start the writer belongs to what waited meanwhile: spools are full, and states are settled anew.
_FIRST_DELETION_SECONDS = 300.0
# Between two steps the writer belongs to results.
_BREATH_SECONDS = 0.05

Step = Callable[[Connection], bool]


class Housekeeping:
    """Works until it is cancelled; each step is a short transaction that may be the last before a crash."""

    def __init__(self, database: Database, *, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now
        self._retention = Retention()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._roll, _ROLL_EVERY_SECONDS), name="housekeeping-rollups")
            tasks.create_task(self._read_late(), name="housekeeping-late")
            tasks.create_task(self._delete(), name="housekeeping-retention")
            tasks.create_task(self._repeat(self._forget, _DELETE_EVERY_SECONDS), name="housekeeping-idempotency")
            deliveries = self._repeat(self._forget_deliveries, _DELETE_EVERY_SECONDS)
            tasks.create_task(deliveries, name="housekeeping-deliveries")
            tasks.create_task(self._repeat(self._forget_events, _DELETE_EVERY_SECONDS), name="housekeeping-events")
            said = self._repeat(self._forget_what_was_said, _DELETE_EVERY_SECONDS)
            tasks.create_task(said, name="housekeeping-integrations")

    async def _repeat(self, step: Step, every_seconds: float) -> None:
        while True:
            try:
                has_more = await self._database.write(step)
            except DatabaseUnavailableError as error:
                log.warning("housekeeping.put_off", reason=str(error))
                has_more = False
            await asyncio.sleep(_BREATH_SECONDS if has_more else every_seconds)

    async def _read_late(self) -> None:
        """Reads beside the writer, which only stores: a day of results that came late takes its time."""
        while True:
            has_more = False
            try:
                reading = await self._database.read(lambda connection: hindsight.due(connection, self._now()))
                if reading is not None:
                    await self._database.write(partial(self._store, reading))
                    has_more = True
            except DatabaseUnavailableError as error:
                log.warning("housekeeping.put_off", reason=str(error))
            await asyncio.sleep(_BREATH_SECONDS if has_more else _READ_LATE_EVERY_SECONDS)

    async def _delete(self) -> None:
        await asyncio.sleep(_FIRST_DELETION_SECONDS)
        while True:
            has_more = False
            try:
                has_more = await self._delete_some()
            except DatabaseUnavailableError as error:
                log.warning("housekeeping.put_off", reason=str(error))
            await asyncio.sleep(_BREATH_SECONDS if has_more else _DELETE_EVERY_SECONDS)

    async def _delete_some(self) -> bool:
        """Looks beside the writer, which only deletes what is due; False when the round is over."""
        has_more = await self._database.read(lambda connection: self._retention.look(connection, self._now()))
        while self._retention.has_found:
            await self._database.write(lambda connection: self._retention.step(connection, self._now()))
            await asyncio.sleep(_BREATH_SECONDS)
        return has_more

    def _store(self, reading: Reading, connection: Connection) -> None:
        hindsight.store(connection, reading, self._now())

    def _roll(self, connection: Connection) -> bool:
        return rollups.roll(connection, self._now(), rollups.ROWS_PER_STEP) > 0

    def _forget(self, connection: Connection) -> bool:
        return idempotency.delete_older(connection, self._now() - idempotency.KEPT, _KEYS_PER_STEP) == _KEYS_PER_STEP

    def _forget_deliveries(self, connection: Connection) -> bool:
        before = self._now() - webhook_deliveries.KEPT
        return webhook_deliveries.delete_older(connection, before, _EVENTS_PER_STEP) == _EVENTS_PER_STEP

    def _forget_events(self, connection: Connection) -> bool:
        return events.delete_older(connection, self._now() - events.KEPT, _EVENTS_PER_STEP) == _EVENTS_PER_STEP

    def _forget_what_was_said(self, connection: Connection) -> bool:
        """Between integrations and us."""
        now = self._now()
        gone = (
            inbound.delete_older(connection, now - inbound.KEPT, _EVENTS_PER_STEP),
            sync_log.delete_older(connection, now - sync_log.KEPT, _EVENTS_PER_STEP),
            alerts.delete_older(connection, now - alerts.KEPT, _EVENTS_PER_STEP),
        )
        return _EVENTS_PER_STEP in gone
