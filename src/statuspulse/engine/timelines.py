"""The timelines of monitors: what was decided, what nobody saw up to now, and what late results told of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from statuspulse.domain.maintenance import Stretch
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.uptime import Span
from statuspulse.engine.sight import Sight
from statuspulse.storage import late, maintenance, states
from statuspulse.storage.monitors import Monitor


def timelines_of(
    connection: Connection, shown: Sequence[tuple[Monitor, Sight]], start: int, end: int
) -> dict[int, Timeline]:
    """The timeline of each monitor by its key, over [start, end); nothing holds before its creation."""
    keys = [monitor.key for monitor, _ in shown]
    intervals = states.intervals_by_monitor(connection, keys, start, end)
    unseen = states.unseen_by_monitor(connection, keys, start, end)
    told = late.intervals_by_monitor(connection, keys, start, end)
    excluded = maintenance.excluded_by_monitor(connection, keys, start, end)
    return {
        monitor.key: Timeline.of(
            intervals.get(monitor.key, []),
            _holes(unseen.get(monitor.key, []), sight),
            len(sight.regions),
            told.get(monitor.key, []),
        ).with_maintenance([*excluded.get(monitor.key, ()), *excluded_now(sight)])
        for monitor, sight in shown
    }


def excluded_now(sight: Sight) -> Iterator[Stretch]:
    """What a window takes out from its first moment on, before that is carried out for every monitor."""
    cover = sight.outlook.cover
    if cover is not None and cover.excluded_since is not None and not sight.is_carried_out:
        yield cover.excluded_since, cover.until


def _holes(stored: Sequence[Span], sight: Sight) -> list[Span]:
    """Holes of regions that look at the monitor no more say nothing about what the others saw."""
    looking = {region.key for region in sight.regions}
    return [*(span for span in stored if span.region in looking), *sight.holes]
