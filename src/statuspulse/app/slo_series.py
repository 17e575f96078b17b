"""The series of a team's objectives. They are worked out from a whole period, and may be a minute old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy import Connection

from statuspulse.domain.durations import compact
from statuspulse.domain.times import MINUTE
from statuspulse.engine.slo_gauges import Gauges, gauges
from statuspulse.metrics import sample
from statuspulse.storage import slos
from statuspulse.storage.database import Database

_KEPT = MINUTE
# Between so many objectives the reader belongs to others.
_AT_ONCE = 20

_After = tuple[int, str] | None


class SloSeries:
    """Ready lines by team; `now` gives ms."""

    def __init__(self, database: Database, *, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now
        self._turn = asyncio.Lock()
        self._kept: dict[str, tuple[int, list[str]]] = {}

    async def lines(self, team_id: str) -> list[str]:
        """Raises DatabaseUnavailableError."""
        async with self._turn:
            now = self._now()
            known_at, known = self._kept.get(team_id, (-_KEPT, []))
            if not 0 <= now - known_at < _KEPT:
                known = await self._read(team_id, now)
                self._kept[team_id] = (now, known)
            return known

    async def _read(self, team_id: str, now: int) -> list[str]:
        lines: list[str] = []
        after: _After = None
        while True:
            found = await self._database.read(partial(_some, team_id=team_id, after=after, now=now))
            lines += [line for one in found for line in _lines(one)]
            if len(found) < _AT_ONCE:
                return lines
            last = found[-1].slo
            after = (last.created_at, last.id)


def _some(connection: Connection, *, team_id: str, after: _After, now: int) -> list[Gauges]:
    found = slos.page(connection, team_id, after=after, descending=False, limit=_AT_ONCE)
    return [gauges(connection, slo, now) for slo in found]


def _lines(one: Gauges) -> Iterator[str]:
    labels = {"slo": one.slo.id, "name": one.slo.name}
    if one.remaining_pct is not None:
        yield sample("slo_error_budget_remaining_ratio", labels, one.remaining_pct / 100)
    for window, rate in one.rates.items():
        yield sample("slo_burn_rate", {**labels, "window": compact(window)}, rate)
