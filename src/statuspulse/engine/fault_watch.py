"""Notices faults of our own and tells of each once: a full disk, a sick database, a clock that was set, a standstill.

None of them is ever an outage of a target.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy import Connection

from statuspulse.bus.bus import Bus, Topic
from statuspulse.domain.times import SECOND
from statuspulse.engine import fault_events
from statuspulse.engine.fault_events import Fault, FaultKind
from statuspulse.storage import events, faults, instance, teams, watch
from statuspulse.storage.ballast import Ballast
from statuspulse.storage.database import Database, DatabaseUnavailableError, is_full
from statuspulse.storage.faults import OpenFault

log = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS = 5.0
# A change may wait so long behind others before the database counts as sick.
_PATIENCE_SECONDS = 10.0
# The loop of a busy machine is late by less, and nobody has to be told of that.
_STALL_SECONDS = 5.0
_CLOCK_STEP = SECOND


class FaultWatch:
    """Works until it is cancelled. A fault that cannot be written down is told of as soon as it can.

    `monotonic` gives seconds. While the disk is full the ballast is given up for what has to be written about it, and
    the instance `is_read_only` until there is room for the ballast again.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        ballast: Ballast,
        *,
        now: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._bus = bus
        self._ballast = ballast
        self._now = now
        self._monotonic = monotonic
        self._fault: Fault | None = None
        self._is_told = False
        self._asked: asyncio.Future[list[OpenFault]] | None = None
        self._offset = self._read_offset()

    @property
    def is_read_only(self) -> bool:
        return self._fault is not None and self._fault.kind is FaultKind.STORAGE_FULL

    @property
    def is_well(self) -> bool:
        """Whether the storage took the last change that it was asked to take."""
        return self._fault is None

    async def run(self) -> None:
        await asyncio.to_thread(self._ballast.take)
        while True:
            await self.look()
            begun = self._monotonic()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            await self.notice_pause(self._monotonic() - begun - _LOOK_EVERY_SECONDS)

    async def look(self, patience: float = _PATIENCE_SECONDS) -> None:
        """Asks the storage to take a change, and tells what follows from the answer."""
        now = self._now()
        kind = await self._storage(now, patience)
        if kind is None and await asyncio.to_thread(self._ballast.is_needed):
            kind = FaultKind.STORAGE_FULL
        if kind is not None and (self._fault is None or self._fault.kind is not kind):
            since = now if self._fault is None else self._fault.since
            self._fault, self._is_told = Fault(kind=kind, since=since), False
            log.warning("instance.fault", fault=kind.value)
        if self._fault is None:
            return
        if kind is FaultKind.STORAGE_FULL:
            await asyncio.to_thread(self._ballast.give)
        if kind is None and (not self.is_read_only or await asyncio.to_thread(self._ballast.take)):
            await self._end(self._fault)
        elif not self._is_told and kind is not FaultKind.STORAGE_ERROR:
            self._is_told = await self._tell(partial(_begin, self._fault, self._now()))

    async def notice_pause(self, lost_seconds: float) -> None:
        """What is known only when it is over: the process stood still for so long, or its clock was set meanwhile."""
        now, offset = self._now(), self._read_offset()
        stepped, self._offset = offset - self._offset, offset
        if lost_seconds > _STALL_SECONDS:
            since = now - round(lost_seconds * SECOND)
            await self._tell(partial(_pass, Fault(kind=FaultKind.SELF_STALL, since=since), now))
        if abs(stepped) > _CLOCK_STEP:
            way = f" It went {'forward' if stepped > 0 else 'back'} by {abs(stepped) / SECOND:g} s."
            await self._tell(partial(_pass, Fault(kind=FaultKind.CLOCK_STEP, since=now, addition=way), now))

    async def _storage(self, now: int, patience: float) -> FaultKind | None:
        """What is wrong with the storage; one change at a time waits for it."""
        if self._asked is None:
            try:
                self._asked = asyncio.wrap_future(self._database.submit(partial(_knock, now)))
            except DatabaseUnavailableError:
                return FaultKind.STORAGE_ERROR
        done, _ = await asyncio.wait({self._asked}, timeout=patience)
        if not done:
            return FaultKind.STORAGE_ERROR
        asked, self._asked = self._asked, None
        try:
            known = asked.result()
        except DatabaseUnavailableError as error:
            return FaultKind.STORAGE_FULL if is_full(error) else FaultKind.STORAGE_ERROR
        if self._fault is None and known:
            # An earlier run of ours told of it, and ended before it was over.
            self._fault, self._is_told = Fault(kind=FaultKind(known[0].kind), since=known[0].since), True
        return None

    async def _end(self, fault: Fault) -> None:
        if await self._tell(partial(_over, fault, self._is_told, self._now())):
            self._fault = None
            log.info("instance.recovered", fault=fault.kind.value)

    async def _tell(self, work: Callable[[Connection], None]) -> bool:
        try:
            await self._database.write(work)
        except DatabaseUnavailableError:
            return False
        self._bus.wake(Topic.OUTBOX)
        return True

    def _read_offset(self) -> int:
        return self._now() - round(self._monotonic() * SECOND)


def _knock(now: int, connection: Connection) -> list[OpenFault]:
    """A change that needs the disk; answers the faults that were told of and are not over."""
    instance.note_alive(connection, now)
    return faults.listed(connection)


def _begin(fault: Fault, now: int, connection: Connection) -> None:
    faults.note(connection, OpenFault(fault.kind.value, fault.since))
    for team_id, affected in _concerned(connection, fault).items():
        events.record(connection, fault_events.began(fault, team_id, now, affected=affected))


def _over(fault: Fault, is_told: bool, now: int, connection: Connection) -> None:
    if not is_told:
        _begin(fault, now, connection)
    for known in faults.listed(connection):
        faults.forget(connection, known.kind)
    for team_id in _concerned(connection, fault):
        events.record(connection, fault_events.ended(fault, team_id, now, length=now - fault.since))


def _pass(fault: Fault, now: int, connection: Connection) -> None:
    """It has begun and is over."""
    for team_id, affected in _concerned(connection, fault).items():
        events.record(connection, fault_events.began(fault, team_id, now, affected=affected))
        events.record(connection, fault_events.ended(fault, team_id, now, length=now - fault.since))


def _concerned(connection: Connection, fault: Fault) -> dict[str, int]:
    """The first team, and every team whose monitors are blind; each with how many of its monitors are."""
    blind = watch.active_by_team(connection) if fault.kind.blinds else {}
    first = teams.first(connection)
    return {**({} if first is None else {first.id: 0}), **blind}
