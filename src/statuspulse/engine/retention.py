"""How long what was seen is kept (`ENGINE.md` 8), and the rounds over the monitors that delete the rest."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from statuspulse.domain.rollup import FINEST
from statuspulse.domain.times import DAY, HOUR
from statuspulse.storage import retention, rollups

RAW_KEPT = 30 * DAY
# A day longer than windows reach back for them: what begins with wider buckets goes on with narrower ones.
ROLLUPS_KEPT = {FINEST: 8 * DAY, HOUR: 91 * DAY, DAY: 5 * 366 * DAY}
_MONITORS_PER_STEP = 50
_ROWS_PER_STEP = 2000


class Retention:
    """Goes round the monitors, a few in each step. Where it stands is forgotten at a restart: it begins anew."""

    def __init__(self) -> None:
        self._next_key = 0

    def step(self, connection: Connection, now: int) -> bool:
        """Deletes a little; False when the round is over. Runs inside the writer's transaction.

        A step that is rolled back is made up for by the next round.
        """
        regions = rollups.region_keys(connection)
        keys = retention.monitor_keys(connection, self._next_key, _MONITORS_PER_STEP)
        gone = 0
        for key in keys:
            while deleted := retention.delete_results(connection, key, regions, now - RAW_KEPT):
                gone += deleted
                if gone >= _ROWS_PER_STEP:
                    self._next_key = key
                    return True
            _delete_small(connection, key, regions, now)
            self._next_key = key + 1
        if len(keys) == _MONITORS_PER_STEP:
            return True
        self._next_key = 0
        return False


def _delete_small(connection: Connection, key: int, regions: Collection[int], now: int) -> None:
    retention.delete_gaps(connection, key, now - RAW_KEPT)
    for width, kept in ROLLUPS_KEPT.items():
        retention.delete_rollups(connection, width, key, regions, now - kept)
