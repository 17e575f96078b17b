"""Rechecks: when a single result against what a region thought is a reason to look again at once."""

from __future__ import annotations

from statuspulse.domain.health import Position, Standing
from statuspulse.domain.result import Verdict
from statuspulse.domain.times import SECOND

# A job that is not begun by then is of no use any more.
LIFETIME = 30 * SECOND
_LONGEST_GAP = 5 * SECOND


def contradicts(standing: Standing, verdict: Verdict) -> bool:
    """Whether a result is the first one against the standing. Where there is none yet, only a failure leaves doubt."""
    if verdict is Verdict.FAILED:
        return standing.position is not Position.FAILING and standing.fail_streak == 0
    return verdict is Verdict.OK and standing.position is Position.FAILING and standing.ok_streak == 0


def wavers(standing: Standing) -> bool:
    """Whether the last results speak against the standing, and are too few to change it."""
    if standing.position is Position.FAILING:
        return standing.ok_streak > 0
    return standing.fail_streak > 0


def gap(interval: int) -> int:
    """How long (ms) a region waits between the end of a check and a recheck."""
    return min(_LONGEST_GAP, interval // 2)


def recheck_at(*, last_end: int | None, next_slot: int, interval: int, now: int) -> int | None:
    """When a region is to look again: now, or after the gap where it has just looked (`last_end`).

    None where a slot comes so soon that it serves instead.
    """
    at = now if last_end is None else max(now, last_end + gap(interval))
    return None if next_slot <= at + gap(interval) else at
