"""Puts the times of what a probe tells on our clock, where its own is wrong."""

from __future__ import annotations

from datetime import datetime

from statuspulse.domain.clock_skew import ProbeClock
from statuspulse.domain.times import from_datetime, to_datetime
from statuspulse.protocol.documents import Item


def correct(items: list[Item], clock: ProbeClock, now: int) -> None:
    """Moves every time in place. A naive one stays: it is refused later.

    Both times of a result are moved alike: a check takes as long as it took. Of a gap each end is: what the probe takes
    for an hour that it slept through may be the hour by which its clock was set.
    """
    for item in items:
        if item.kind == "gap":
            item.from_at, item.to_at = _moved(item.from_at, clock, now), _moved(item.to_at, clock, now)
            if item.from_at is not None and item.to_at is not None and _is_later(item.from_at, item.to_at):
                item.from_at = item.to_at
        elif item.observed_at is not None and item.observed_at.tzinfo is not None:
            said = from_datetime(item.observed_at)
            by = clock.true_time(said, now) - said
            item.observed_at = to_datetime(said + by)
            if item.scheduled_at is not None and item.scheduled_at.tzinfo is not None:
                item.scheduled_at = to_datetime(from_datetime(item.scheduled_at) + by)


def _moved(moment: datetime | None, clock: ProbeClock, now: int) -> datetime | None:
    if moment is None or moment.tzinfo is None:
        return moment
    return to_datetime(clock.true_time(from_datetime(moment), now))


def _is_later(one: datetime, other: datetime) -> bool:
    return one.tzinfo is not None and other.tzinfo is not None and one > other
