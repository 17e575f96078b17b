"""Carries out the edges of maintenance windows as they fall due, in parts that leave the writer to others between."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from statuspulse.domain.maintenance import Occurrence
from statuspulse.engine import covering, maintenance_events
from statuspulse.engine.covering import Settled
from statuspulse.engine.watchlist import Watchlist
from statuspulse.storage import maintenance, monitors
from statuspulse.storage.maintenance import Phase, Window
from statuspulse.storage.monitors import Monitor

# Monitors in one transaction, and windows: an edge of thousands of either never holds the writer for long.
STEP = 100
_WINDOWS = 20


@dataclass(frozen=True, slots=True)
class Swept:
    """What a look did: changes of state, whether probes have something else to do, and whether more is due at once."""

    transitions: int
    moves_probes: bool
    has_more: bool


class MaintenanceWatch:
    """Every edge is a row with a due time, and how far it was carried out stands beside it: a crash loses nothing.

    What a window means for alerts and for what people see holds by the clock; here it becomes history.
    """

    def __init__(self, watchlist: Watchlist) -> None:
        self._watchlist = watchlist

    def sweep(self, connection: Connection, now: int) -> Swept:
        """One part of what is due. Runs inside the writer's transaction."""
        self._watchlist.refresh(connection)
        changed, moves_probes, left = 0, False, STEP
        for _ in range(_WINDOWS):
            window = maintenance.first_due(connection, now)
            if window is None:
                return Swept(changed, moves_probes, has_more=False)
            settled, count = self._step(connection, window, left, now)
            self._take_over(settled)
            changed += len(settled.states)
            moves_probes = moves_probes or settled.moves_probes
            left -= count
            if left <= 0:
                break
        return Swept(changed, moves_probes, has_more=True)

    def _step(self, connection: Connection, window: Window, limit: int, now: int) -> tuple[Settled, int]:
        """Takes a window on by one part; answers what changed, and of how many monitors it was."""
        one = window.occurrence
        if one is None:
            maintenance.save(connection, replace(window, phase=Phase.OVER, due_at=None))
            return Settled(), 0
        if window.phase is Phase.WAITING:
            maintenance_events.started(connection, window, one, None, one.start)
            window = replace(window, phase=Phase.STARTING, place=0, due_at=now)
        elif window.phase is Phase.ACTIVE:
            maintenance_events.ended(connection, window, one, None, one.end)
            window = replace(window, phase=Phase.ENDING, place=0, due_at=now)
        if window.phase is Phase.STARTING:
            return _start(connection, window, one, limit, now)
        return _end(connection, window, one, limit, now)

    def _take_over(self, settled: Settled) -> None:
        """The cache follows the rows."""
        for key, state in settled.states.items():
            if (watched := self._watchlist.by_key.get(key)) is not None:
                watched.state = state
        for key, standings in settled.standings.items():
            if (watched := self._watchlist.by_key.get(key)) is not None:
                watched.standings = standings
                watched.is_doubted = False


def following(window: Window, one: Occurrence) -> Window:
    """The window behind one of its occurrences: it waits for the next one, or nothing is left."""
    after = None if window.is_over else window.schedule.following(one)
    if after is None:
        return replace(window, phase=Phase.OVER, place=0, due_at=None)
    return replace(window, occurrence=after, phase=Phase.WAITING, place=0, due_at=after.start)


def _start(connection: Connection, window: Window, one: Occurrence, limit: int, now: int) -> tuple[Settled, int]:
    found = _concerned(connection, window, limit)
    if one.end <= now:
        # It lies in the past, while nobody was here or because people said so later: it is history alone.
        over = [covering.span_of(monitor, window, one.start, one.end, is_open=False) for monitor in found]
        maintenance.add_spans(connection, over, now)
        settled = Settled()
    else:
        settled = covering.settle(connection, found, now)
    if len(found) < limit:
        maintenance.save(connection, replace(window, phase=Phase.ACTIVE, place=0, due_at=one.end))
    else:
        maintenance.save(connection, replace(window, place=found[-1].key))
    return settled, len(found)


def _concerned(connection: Connection, window: Window, limit: int) -> list[Monitor]:
    """The next monitors that a window means, or has covered up to an edit of it."""
    found = {one.key: one for one in maintenance.meant_monitors(connection, window, window.place, limit)}
    covered = maintenance.covered_keys(connection, window.id, window.place, limit)
    left = [key for key in covered if key not in found]
    found |= {one.key: one for one in monitors.living_of(connection, left)}
    return [found[key] for key in sorted(found)][:limit]


def _end(connection: Connection, window: Window, one: Occurrence, limit: int, now: int) -> tuple[Settled, int]:
    keys = maintenance.covered_keys(connection, window.id, window.place, limit)
    settled = covering.settle(connection, monitors.living_of(connection, keys), now)
    if len(keys) < limit:
        maintenance.save(connection, following(window, one))
    else:
        maintenance.save(connection, replace(window, place=keys[-1]))
    return settled, len(keys)
