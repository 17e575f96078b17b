"""Notices that a probe is away or back, and tells every team whose monitors its region checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from statuspulse.bus.bus import Bus, Topic
from statuspulse.engine import probe_events
from statuspulse.engine.liveness import OFFLINE_AFTER, Liveness
from statuspulse.storage import events, probes, watch
from statuspulse.storage.database import Database, DatabaseUnavailableError
from statuspulse.storage.probes import Presence

log = structlog.get_logger(__name__)

_LOOK_EVERY_SECONDS = 1.0
_SILENT = "silent"
_BLIND = "blind"


@dataclass(frozen=True, slots=True)
class Turn:
    """A probe is away for a reason, or back where that is None; `since` is when it was seen last, or is seen again."""

    presence: Presence
    reason: str | None
    since: int


class ProbeWatch:
    """Looks every second. What people were told stands in rows, so that a restart tells nobody twice.

    After a start nobody was heard yet: for as long as a silent probe counts as alive, one that was not heard is not
    away.
    """

    def __init__(self, database: Database, bus: Bus, liveness: Liveness, *, now: Callable[[], int]) -> None:
        self._database = database
        self._bus = bus
        self._liveness = liveness
        self._now = now
        self._begun_at = now()

    async def run(self) -> None:
        """Works until it is cancelled."""
        while True:
            try:
                if await self.look():
                    self._bus.wake(Topic.OUTBOX)
            except DatabaseUnavailableError as error:
                log.warning("engine.probes_not_looked_for", reason=str(error))
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def look(self) -> int:
        """One look; answers how many probes went or came. Raises DatabaseUnavailableError."""
        now = self._now()
        turns = self._turns(await self._database.read(probes.presences), now)
        if turns:
            await self._database.write(partial(_tell, turns, now))
        return len(turns)

    def _turns(self, presences: Sequence[Presence], now: int) -> list[Turn]:
        found = [self._turn(presence, now) for presence in presences]
        return [turn for turn in found if turn is not None and turn.reason != turn.presence.offline_reason]

    def _turn(self, presence: Presence, now: int) -> Turn | None:
        """How the probe stands; None where nothing is known of it."""
        pulse = self._liveness.pulse(presence.id)
        if pulse is None:
            if presence.last_seen_at is None or now < self._begun_at + OFFLINE_AFTER:
                return None
            return Turn(presence, _SILENT, presence.last_seen_at)
        if not pulse.is_online(now):
            return Turn(presence, _SILENT, pulse.heard_at)
        return Turn(presence, _BLIND if pulse.heartbeat.blind else None, now)


def _tell(turns: Sequence[Turn], now: int, connection: Connection) -> None:
    for turn in turns:
        presence, was_away = turn.presence, turn.presence.offline_since
        since = None if turn.reason is None else turn.since if was_away is None else was_away
        probes.note_presence(connection, presence.id, since=since, reason=turn.reason)
        if turn.reason is not None and was_away is not None:
            continue  # it is away for another reason now
        for team_id, count in watch.checked_by_team(connection, presence.region).items():
            if turn.reason is None:
                told = probe_events.online(presence, team_id, now, offline_since=was_away or now)
            else:
                told = probe_events.offline(
                    presence, team_id, now, reason=turn.reason, last_seen_at=turn.since, affected=count
                )
            events.record(connection, told)
