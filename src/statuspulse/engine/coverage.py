"""What maintenance windows mean for monitors at an instant, by rows and clock alone, whatever was carried out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import Connection

from statuspulse.domain.health import State
from statuspulse.domain.maintenance import Switches, strictest
from statuspulse.storage import maintenance
from statuspulse.storage.maintenance import Window
from statuspulse.storage.states import MonitorState


class Covered(Protocol):
    """What has to be known of a monitor."""

    @property
    def key(self) -> int: ...
    @property
    def id(self) -> str: ...
    @property
    def team_id(self) -> str: ...
    @property
    def config(self) -> Mapping[str, Any]: ...
    @property
    def paused(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Holding:
    """The window that holds open incidents the longest, and until when (ms)."""

    until: int
    window_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The windows that hold for a monitor: the strictest of their switches, and the one that is named for them.

    That is one that suppresses alerting, where there is one, and of several the first. `until` (ms) is when the last
    of them ends, and `since` when the first began; `excluded_since` is when the first one with `sla: exclude` did.
    `holding` is what open incidents wait for.
    """

    window_id: str
    name: str
    since: int
    until: int
    switches: Switches
    excluded_since: int | None
    holding: Holding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What covers a monitor and when the next occurrence begins (ms), None for neither."""

    cover: Cover | None = None
    next_start_at: int | None = None


NO_OUTLOOK = Outlook()


def cover_of(connection: Connection, monitor: Covered, now: int) -> Cover | None:
    """What covers one monitor; None for nothing."""
    return covers_of(connection, [monitor], now).get(monitor.key)


def covers_of(connection: Connection, found: Sequence[Covered], now: int) -> dict[int, Cover]:
    """The same for some monitors by key, with a fixed number of queries for each team; one without is missing."""
    holding = windows_over(connection, found, now)
    return {key: cover for key, some in holding.items() if (cover := of_windows(some, now)) is not None}


def windows_over(connection: Connection, found: Sequence[Covered], now: int) -> dict[int, list[Window]]:
    """The windows that hold for each monitor; one without any is missing."""
    over: dict[int, list[Window]] = {}
    for team_id in dict.fromkeys(monitor.team_id for monitor in found):
        mine = [monitor for monitor in found if monitor.team_id == team_id]
        holding = maintenance.in_force(connection, team_id, [monitor.key for monitor in mine], now)
        for monitor in mine if holding else ():
            config = monitor.config
            if some := [window for window in holding if window.covers(monitor.key, monitor.id, config)]:
                over[monitor.key] = some
    return over


def of_windows(holding: Collection[Window], now: int) -> Cover | None:
    """What some windows mean together."""
    active = [(one, window) for window in holding if (one := window.active_at(now)) is not None]
    if not active:
        return None
    _, named = min(active, key=lambda pair: (not pair[1].switches.mutes, pair[0].start, pair[1].id))
    holders = [Holding(until=one.end, window_id=window.id) for one, window in active if window.switches.holds]
    return Cover(
        window_id=named.id,
        name=named.name,
        since=min(one.start for one, _ in active),
        until=max(one.end for one, _ in active),
        switches=strictest(window.switches for _, window in active),
        excluded_since=min(
            (max(one.start, window.plan["joined_at"] or 0) for one, window in active if window.switches.excludes),
            default=None,
        ),
        holding=max(holders, default=None),
    )


def outlooks_of(connection: Connection, found: Sequence[Covered], now: int) -> dict[int, Outlook]:
    """What covers some monitors and what comes next, by key, with a fixed number of queries for each team."""
    outlooks: dict[int, Outlook] = {}
    for team_id in dict.fromkeys(monitor.team_id for monitor in found):
        mine = [monitor for monitor in found if monitor.team_id == team_id]
        planned = maintenance.planned(connection, team_id, [monitor.key for monitor in mine])
        starts = {window.id: _next_start(window, now) for window in planned}
        for monitor in mine if planned else ():
            config = monitor.config
            over = [window for window in planned if window.covers(monitor.key, monitor.id, config)]
            ahead = [at for window in over if (at := starts[window.id]) is not None]
            outlooks[monitor.key] = Outlook(cover=of_windows(over, now), next_start_at=min(ahead, default=None))
    return outlooks


def shown(state: MonitorState, cover: Cover | None, *, paused: bool) -> MonitorState:
    """The state that may be shown: that a window holds, or holds no more, is true before the engine has stored it."""
    if paused:
        return state
    if cover is None:
        if state.state is not State.MAINTENANCE:
            return state
        return replace(state, state=State(state.health.value), window_id=None)
    if state.state is State.MAINTENANCE:
        return replace(state, window_id=cover.window_id)
    return replace(state, state=State.MAINTENANCE, since=max(cover.since, state.since), window_id=cover.window_id)


def _next_start(window: Window, now: int) -> int | None:
    one = window.occurrence
    if one is None or one.start > now:
        return None if one is None else one.start
    following = window.schedule.following(one)
    return None if following is None else following.start
