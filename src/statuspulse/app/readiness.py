"""What `/readyz` asks: is the database there, are checks on time, do messages go out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import select

from statuspulse.api.dependencies import Check, CheckOutcome
from statuspulse.domain.times import SECOND
from statuspulse.engine.liveness import Liveness
from statuspulse.storage import outbox
from statuspulse.storage.database import Database
from statuspulse.storage.outbox import Aside

_WORST_LAG_SECONDS = 5.0
# A receiver that stays away is tried again every five minutes at least; only beyond that does nothing move.
_WORST_OVERDUE_SECONDS = 600.0
_NOTHING_ASIDE = Aside()


def checks(
    database: Database, liveness: Liveness, now: Callable[[], int], *, storage_is_well: Callable[[], bool]
) -> Mapping[str, Check]:
    """The checks by the names under which they are shown; a database that answers may yet have no room for a change."""

    async def is_writable() -> CheckOutcome:
        await database.write(lambda connection: connection.execute(select(1)).scalar())
        return CheckOutcome(ok=storage_is_well(), value=None)

    async def schedule_lag() -> CheckOutcome:
        lags = [pulse.heartbeat.load.lag_p99_ms / SECOND for pulse in liveness.online(now())]
        worst = max(lags, default=0.0)
        return CheckOutcome(ok=worst < _WORST_LAG_SECONDS, value=round(worst, 3))

    async def outbox_moves() -> CheckOutcome:
        due_at = await database.read(lambda connection: outbox.next_due_at(connection, _NOTHING_ASIDE))
        overdue = 0.0 if due_at is None else max(0, now() - due_at) / SECOND
        return CheckOutcome(ok=overdue < _WORST_OVERDUE_SECONDS, value=round(overdue, 3))

    return {"database": is_writable, "scheduler_lag_seconds": schedule_lag, "outbox_overdue_seconds": outbox_moves}
