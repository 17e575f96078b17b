"""What a change of health means for the monitor's own incident, and so for people."""

from __future__ import annotations

from enum import StrEnum

from statuspulse.domain.health import Health
from statuspulse.domain.team_settings import TeamSettings
from statuspulse.domain.times import SECOND

# A monitor that fails again so soon after it recovered goes on with the same incident, where its team says nothing.
REOPEN_WINDOW = TeamSettings().reopen_window_seconds * SECOND
_WELL = frozenset({Health.UP, Health.DEGRADED})


class Step(StrEnum):
    """What becomes of the incident; everything but `nothing` is told to people."""

    NOTHING = "nothing"
    OPEN = "open"
    UPDATE = "update"
    RESOLVE = "resolve"


def after_change(health: Health, *, is_open: bool, begins_to_flap: bool, is_muted: bool) -> Step:
    """After a change into `health`: while it is muted, people hear of the beginning of the flapping alone."""
    if not is_open:
        return Step.OPEN if health is Health.DOWN else Step.NOTHING
    if begins_to_flap:
        return Step.UPDATE
    return Step.RESOLVE if health in _WELL and not is_muted else Step.NOTHING


def after_flapping(health: Health, *, is_open: bool) -> Step:
    """What was muted has settled: what it is now ends the incident, or is what people are told."""
    if not is_open:
        return Step.NOTHING
    if health in _WELL:
        return Step.RESOLVE
    return Step.UPDATE if health is Health.DOWN else Step.NOTHING


def may_reopen(recovered_at: int, now: int, window: int = REOPEN_WINDOW) -> bool:
    """Whether a new outage goes on with the incident that ended with the last one; `window` is ms, 0 is never."""
    return now - recovered_at < window
