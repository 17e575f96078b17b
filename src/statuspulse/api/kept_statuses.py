"""The status of monitors, given again for as long as nothing but the clock would make it another one.

A status that was asked for a moment ago is not worked out anew: what is kept holds while nothing was committed that it
is about, for a second at most, and not beyond an instant at which it is known to end. Its `generated_at` tells when it
was made.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from statuspulse.api.envelope import Kept
from statuspulse.catalog.status_views import Head
from statuspulse.domain.times import SECOND
from statuspulse.storage.database import Database

_LIFETIME = SECOND
_CAPACITY = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a status was asked for by; answers to the same are the same."""

    team_id: str
    monitor_id: str
    window: str
    included: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStatus:
    """An answer, and the version of its head; it holds in [made_at, until) (ms) while the monitor is as at the mark."""

    answer: Kept
    version: str
    monitor_key: int
    mark: int
    made_at: int
    until: int


class KeptStatuses:
    """Those that were asked for last. One thread uses it, that of the event loop."""

    def __init__(self, database: Database, capacity: int = _CAPACITY) -> None:
        self._database = database
        self._capacity = capacity
        self._kept: OrderedDict[Asked, KeptStatus] = OrderedDict()

    def recall(self, asked: Asked, now: int) -> KeptStatus | None:
        """What was kept and still holds."""
        kept = self._kept.get(asked)
        if kept is None or not kept.made_at <= now < kept.until:
            return None
        return kept if self._database.is_unchanged(kept.monitor_key, kept.mark) else None

    def keep(self, asked: Asked, head: Head, answer: Kept, mark: int, now: int) -> None:
        """`mark` was taken before anything was read. Drops what was not made anew for the longest.

        What is told of a job that calls us follows the clock too closely to be kept.
        """
        if head.sight.beat is not None:
            return
        self._kept[asked] = KeptStatus(
            answer=answer,
            version=head.version,
            monitor_key=head.monitor.key,
            mark=mark,
            made_at=now,
            until=holds_until(head, now),
        )
        self._kept.move_to_end(asked)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


def holds_until(head: Head, now: int) -> int:
    """The next instant (ms) at which the clock alone makes a status another one, a second from now at the latest."""
    outlook = head.sight.outlook
    edges = [outlook.next_start_at, None if outlook.cover is None else outlook.cover.until]
    return min([now + _LIFETIME, *(at for at in edges if at is not None and at > now)])
