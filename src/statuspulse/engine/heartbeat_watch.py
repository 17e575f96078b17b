"""Looks every second for pings that have not come, and notices when nobody could have taken them in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from statuspulse.bus.bus import Bus, Topic
from statuspulse.domain.times import SECOND
from statuspulse.engine import heartbeats
from statuspulse.storage import heartbeats as rows
from statuspulse.storage.database import Database, DatabaseUnavailableError

log = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS = 1.0
# Between two steps the writer belongs to others.
_BREATH_SECONDS = 0.05
# A ping may be so long on its way from the socket to its commit; only behind that its deadline has passed. A writer
# that stands still for longer is an absence, so that no ping which waits for it is called late.
SETTLING = 3 * SECOND
# How old the stored end of our listening may be: after a crash so much more than the crash is unseen. While the
# database takes reads and no changes, pings are refused: storing so often is what notices that.
STORED_EVERY = SECOND
_LATE_PER_STEP = 50


@dataclass(frozen=True, slots=True)
class Swept:
    """What a look did: changes of health and ends of flapping, and whether there is more to do at once.

    `was_idle`: it has found no job to change.
    """

    transitions: int
    has_more: bool
    was_idle: bool = False


class HeartbeatWatch:
    """Works until it is cancelled; each look is a short transaction that may be the last before a crash.

    Up to when we have listened is a row. Time between it and the first look of a start, or of a database that takes
    changes again, or time in which this loop stood still, is our absence and never the fault of a job.
    """

    def __init__(self, database: Database, bus: Bus, *, mutes_flapping: bool, now: Callable[[], int]) -> None:
        self._database = database
        self._bus = bus
        self._mutes_flapping = mutes_flapping
        self._now = now
        self._listened_until: int | None = None

    async def run(self) -> None:
        while True:
            swept = await self._look()
            if swept.transitions:
                self._bus.wake(Topic.OUTBOX)
            await asyncio.sleep(_BREATH_SECONDS if swept.has_more else _LOOK_EVERY_SECONDS)

    async def _look(self) -> Swept:
        now = self._now()
        try:
            work = partial(self.sweep, now=now)
            swept = await self._database.write(work, about=_about)
        except DatabaseUnavailableError as error:
            log.warning("engine.late_pings_not_looked_for", reason=str(error))
            self._listened_until = None
            return Swept(0, has_more=False)
        self._listened_until = now
        return swept

    def sweep(self, connection: Connection, now: int) -> Swept:
        """One look. Runs inside the writer's transaction."""
        stored = rows.listened_until(connection)
        changed = 0
        since = self._absent_since(stored, now)
        if since is not None:
            changed += heartbeats.excuse(connection, since, now, mutes_flapping=self._mutes_flapping)
        by, mutes = now - SETTLING, self._mutes_flapping
        late, failed = heartbeats.fail_late(connection, by, now, _LATE_PER_STEP, mutes_flapping=mutes)
        changed += heartbeats.settle(connection, now, mutes_flapping=mutes)
        old = stored is None or not 0 <= now - stored < STORED_EVERY
        if (old or since is not None) and rows.exist(connection):
            rows.save_listened_until(connection, now)
        return Swept(changed + failed, has_more=late == _LATE_PER_STEP, was_idle=not (changed or late or failed))

    def _absent_since(self, stored: int | None, now: int) -> int | None:
        """When our absence began that ends now; None if there was none. Time that was set back is none."""
        if self._listened_until is None:
            return stored if stored is not None and stored < now else None
        return self._listened_until if now - self._listened_until > SETTLING else None


def _about(swept: Swept) -> Collection[int] | None:
    return () if swept.was_idle else None
