"""What can be said at this moment of a job that calls us, from its rows alone."""

from __future__ import annotations

from dataclasses import replace

from statuspulse.domain.health import Health, State
from statuspulse.domain.heartbeat import Beat
from statuspulse.domain.times import SECOND
from statuspulse.domain.uptime import Span
from statuspulse.engine.heartbeat_watch import SETTLING, STORED_EVERY
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.states import MonitorState

# The looks of the watch are a second apart, and its database may be busy.
_DECIDED_WITHIN = SETTLING + 10 * SECOND
_STORED_WITHIN = STORED_EVERY + 10 * SECOND


def state_at(state: MonitorState, beat: Beat, now: int) -> MonitorState:
    """The state that may be shown: a deadline that has passed undecided, for whatever reason, leaves none."""
    if state.health is Health.UNKNOWN or beat.due_at is None or now - beat.due_at <= _DECIDED_WITHIN:
        return state
    shown = State.MAINTENANCE if state.state is State.MAINTENANCE else State.UNKNOWN
    return replace(state, health=Health.UNKNOWN, state=shown, since=beat.due_at)


def hole(
    monitor: Monitor, state: MonitorState, region_key: int, listened_until: int | None, now: int
) -> tuple[Span, ...]:
    """The time up to now in which nobody has listened; none while pings are taken in."""
    if monitor.paused or state.health is Health.PENDING or listened_until is None:
        return ()
    begun = max(listened_until, state.votes_from)
    if now - begun <= _STORED_WITHIN:
        return ()
    return (Span(region=region_key, start=begun, end=now),)
