"""Notices that a monitor flaps no more: the score falls by itself, and no result comes to tell of it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from statuspulse.engine import availability, monitor_events
from statuspulse.engine.watchlist import Watched, Watchlist
from statuspulse.storage import events, states


class FlapWatch:
    """Looks at the monitors that flap, which are few."""

    def __init__(self, watchlist: Watchlist) -> None:
        self._watchlist = watchlist

    def due_at(self) -> int | None:
        """When the first of them has settled (ms), None where none flaps. May be asked beside a transaction."""
        return min(list(self._watchlist.flapping.values()), default=None)

    def sweep(self, connection: Connection, now: int) -> int:
        """Ends what is over; answers how many that were. Runs inside the writer's transaction."""
        self._watchlist.refresh(connection)
        settled = [key for key, ends_at in self._watchlist.flapping.items() if ends_at <= now]
        for key in settled:
            watched = self._watchlist.by_key[key]
            settle(connection, watched, now)
            self._watchlist.note_flapping(watched)
        return len(settled)


def settle(connection: Connection, watched: Watched, now: int) -> None:
    """The monitor flaps no more; what it is now is told of."""
    flapped = watched.state.flapping
    score = flapped.score_at(now, watched.rules.interval)
    ended = monitor_events.flapping_ended(watched.monitor, now, score=score, since=flapped.since or now, actor=None)
    events.record(connection, ended)
    watched.state = replace(watched.state, flapping=flapped.ended())
    states.save_state(connection, watched.monitor.key, watched.state)
    availability.settle(connection, watched, now)
