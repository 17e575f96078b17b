"""When a monitor changes so often that people hear of the changing and not of every change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log2

from statuspulse.domain.health import Health
from statuspulse.domain.times import MINUTE

_ON_FROM = 3.0
_OFF_AT = 1.0
_SEEN = frozenset({Health.PENDING, Health.UP, Health.DEGRADED, Health.DOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flapping:
    """The score of a monitor as it was at an instant (ms); it halves by itself. `since` is set while it flaps."""

    score: float = 0.0
    at: int = 0
    since: int | None = None

    @property
    def is_on(self) -> bool:
        return self.since is not None

    def score_at(self, now: int, interval: int) -> float:
        """The score at a later instant."""
        return float(self.score * 0.5 ** (max(0, now - self.at) / half_life(interval)))

    def after_change(self, now: int, interval: int) -> Flapping:
        """One change into or out of `down` more; what was on stays on."""
        score = self.score_at(now, interval) + 1
        since = now if self.since is None and score >= _ON_FROM else self.since
        return Flapping(score=score, at=now, since=since)

    def ends_at(self, interval: int) -> int | None:
        """When it is over unless there are further changes; None while it is not on."""
        if self.since is None:
            return None
        return self.at + ceil(half_life(interval) * log2(max(self.score / _OFF_AT, 1)))

    def ended(self) -> Flapping:
        """The same score, and no flapping any more."""
        return replace(self, since=None)


CALM = Flapping()


def half_life(interval: int) -> int:
    """In how long (ms) the score halves."""
    return max(10 * interval, 5 * MINUTE)


def is_change(before: Health, after: Health) -> bool:
    """Whether the target went into or out of `down`; to lose or regain sight of it is no change of the target."""
    return {before, after} <= _SEEN and (before is Health.DOWN) != (after is Health.DOWN)
