"""Notices that nothing was decided for too long: a monitor that nobody sees is `unknown`, never `up`."""

from __future__ import annotations

import heapq

from sqlalchemy import Connection

from statuspulse.domain.health import Decision, Health, Reason, sight_lost_at, silence_ends_in
from statuspulse.domain.uptime import Span
from statuspulse.engine import hindsight, transitions
from statuspulse.engine.watchlist import Watched, Watchlist
from statuspulse.storage import states


class SilenceWatch:
    """One entry per monitor in a heap by the earliest instant at which its silence could be too long.

    A result does not touch the heap: when an entry is due, the monitor's last decision tells the new instant.
    """

    def __init__(self, watchlist: Watchlist) -> None:
        self._watchlist = watchlist
        self._due: list[tuple[int, int]] = []
        self._known: set[int] = set()

    def forget(self) -> None:
        self._due.clear()
        self._known.clear()

    def due_at(self) -> int | None:
        """When the next entry is due (ms), None when there is none."""
        return self._due[0][0] if self._due else None

    def sweep(self, connection: Connection, now: int) -> int:
        """Makes unknown what is due; answers how many changed. Runs inside the writer's transaction."""
        self._watchlist.refresh(connection)
        self._admit(now)
        changed = 0
        while self._due and self._due[0][0] <= now:
            _, key = heapq.heappop(self._due)
            self._known.discard(key)
            watched = self._watchlist.by_key.get(key)
            if watched is not None and self._is_silent(watched, now):
                transitions.apply(connection, watched, _lost_sight(watched), now)
                self._leave_holes(connection, watched, now)
                changed += 1
            self._admit_one(watched, now)
        return changed

    def _is_silent(self, watched: Watched, now: int) -> bool:
        if watched.monitor.paused or watched.state.health is Health.UNKNOWN:
            return False
        return silence_ends_in(watched.rules, watched.last_decision_at, now) <= 0

    def _leave_holes(self, connection: Connection, watched: Watched, now: int) -> None:
        """What each region missed up to now is written down: votes begin anew, and a restart would forget it."""
        holes = [
            (watched.monitor.key, Span(region=key, start=sight.seen_until, end=now))
            for key, sight in watched.sights.items()
            if sight.seen_until is not None and sight.seen_until < now
        ]
        for _, hole in holes:
            watched.sights[hole.region].seen_until = now
        states.add_unseen(connection, holes)
        hindsight.mark(connection, self._watchlist, (), holes, now)

    def _admit(self, now: int) -> None:
        if len(self._known) != len(self._watchlist.by_key):
            for watched in self._watchlist.by_key.values():
                self._admit_one(watched, now)

    def _admit_one(self, watched: Watched | None, now: int) -> None:
        if watched is None or watched.monitor.key in self._known:
            return
        wait = max(1000, silence_ends_in(watched.rules, watched.last_decision_at, now))
        heapq.heappush(self._due, (now + wait, watched.monitor.key))
        self._known.add(watched.monitor.key)


def _lost_sight(watched: Watched) -> Decision:
    # A region that never looked is missed since it was asked to, which may be the last edit.
    asked_at = max(watched.state.votes_from, watched.monitor.updated_at)
    ends = [sight.seen_until or asked_at for sight in watched.sights.values()]
    lost = sight_lost_at(ends, len(watched.regions))
    return Decision(health=Health.UNKNOWN, first_observed_at=lost, reason=Reason.SIGHT_LOST)
