"""How long what was seen is kept, and the rounds over the monitors that delete the rest."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from sqlalchemy import Connection

from statuspulse.domain.rollup import FINEST
from statuspulse.domain.times import DAY, HOUR
from statuspulse.storage import retention, rollups

RAW_KEPT = 30 * DAY
# A day longer than windows reach back for them: what begins with wider buckets goes on with narrower ones.
ROLLUPS_KEPT = {FINEST: 8 * DAY, HOUR: 91 * DAY, DAY: 5 * 366 * DAY}
_MONITORS_PER_LOOK = 200
_MONITORS_PER_STEP = 10
_ROWS_PER_STEP = 2000


class Retention:
    """Goes round the monitors: looks which of the next ones have something to delete, and deletes it in steps.

    Where it stands is forgotten at a restart: it begins anew.
    """

    def __init__(self) -> None:
        self._next_key = 0
        self._due: deque[int] = deque()

    def look(self, connection: Connection, now: int) -> bool:
        """Finds the next monitors that have something to delete; False when those were the last of the round."""
        keys = retention.monitor_keys(connection, self._next_key, _MONITORS_PER_LOOK)
        ends = {width: now - kept for width, kept in ROLLUPS_KEPT.items()}
        self._due = deque(retention.due(connection, keys, now - RAW_KEPT, ends))
        has_more = len(keys) == _MONITORS_PER_LOOK
        self._next_key = keys[-1] + 1 if has_more else 0
        return has_more

    @property
    def has_found(self) -> bool:
        """Whether a step has something to delete."""
        return bool(self._due)

    def step(self, connection: Connection, now: int) -> None:
        """Deletes a little of what was found. Runs inside the writer's transaction.

        A step that is rolled back is made up for by the next round.
        """
        regions = rollups.region_keys(connection)
        gone = 0
        for _ in range(min(_MONITORS_PER_STEP, len(self._due))):
            key = self._due[0]
            while deleted := retention.delete_results(connection, key, regions, now - RAW_KEPT):
                gone += deleted
                if gone >= _ROWS_PER_STEP:
                    return
            _delete_small(connection, key, regions, now)
            self._due.popleft()


def _delete_small(connection: Connection, key: int, regions: Collection[int], now: int) -> None:
    retention.delete_gaps(connection, key, now - RAW_KEPT)
    for width, kept in ROLLUPS_KEPT.items():
        retention.delete_rollups(connection, width, key, regions, now - kept)
