"""How votes become health: standings per region, quorum, and which votes ask for which change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from statuspulse.domain.result import Verdict
from statuspulse.domain.slowness import NOT_SLOW, Slowness
from statuspulse.domain.times import SECOND

Quorum = str | int


class Health(StrEnum):
    """What the votes say."""

    PENDING = "pending"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class State(StrEnum):
    """What holds after pause and maintenance; equal to the health otherwise."""

    PENDING = "pending"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"


class Position(StrEnum):
    """Where a region stands on a monitor."""

    NONE = "none"
    PASSING = "passing"
    FAILING = "failing"


class Reason(StrEnum):
    """Why the health changed."""

    PROBE_RESULT = "probe_result"
    THRESHOLD_LATENCY = "threshold_latency"
    SIGHT_LOST = "sight_lost"
    PAUSED = "paused"
    RESUMED = "resumed"
    MAINTENANCE_STARTED = "maintenance_started"
    MAINTENANCE_ENDED = "maintenance_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What decides about one monitor; durations in ms. Of so many rounds (`every`) each region looks in one."""

    interval: int
    timeout: int
    failure_threshold: int
    recovery_threshold: int
    quorum: Quorum
    every: int = 1
    degraded_latency_us: int | None = None

    @property
    def spacing(self) -> int:
        """From one look of a region to its next."""
        return self.interval * self.every

    @property
    def rotates(self) -> bool:
        """Whether one region looks for all of them in turn."""
        return self.every > 1

    @property
    def vote_lifetime(self) -> int:
        """How long a region's last result lets it vote (V)."""
        return max(2 * self.spacing + self.timeout, 30 * SECOND)

    @property
    def longest_absence(self) -> int:
        """A region that had no vote for longer than this starts anew."""
        return max(3 * self.spacing, 90 * SECOND)

    @property
    def longest_silence(self) -> int:
        """Without a decision for longer than this the health is unknown."""
        return max(3 * self.interval, 90 * SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A region's streaks on a monitor and the position that they have led to.

    `first_fail_at` and `first_ok_at` are the slots that began the position, or a streak that may end it.
    """

    position: Position = Position.NONE
    fail_streak: int = 0
    ok_streak: int = 0
    first_fail_at: int | None = None
    first_ok_at: int | None = None

    @property
    def is_heard(self) -> bool:
        """Whether any result stands behind it."""
        return self.position is not Position.NONE or self.fail_streak > 0

    def after(self, verdict: Verdict, scheduled_at: int, rules: Rules) -> Standing:
        """The standing after one more result; itself where nothing changes, so that a steady state costs no write."""
        if verdict is Verdict.OK:
            return self._after_ok(scheduled_at, rules.recovery_threshold)
        if verdict is Verdict.FAILED:
            return self._after_failure(scheduled_at, rules.failure_threshold)
        return self

    def _after_ok(self, scheduled_at: int, threshold: int) -> Standing:
        if self.ok_streak >= threshold and self.position is Position.PASSING:
            return self
        streak = self.ok_streak + 1
        passes = streak >= threshold or self.position is not Position.FAILING
        return Standing(
            position=Position.PASSING if passes else Position.FAILING,
            ok_streak=streak,
            first_ok_at=scheduled_at if self.first_ok_at is None else self.first_ok_at,
            first_fail_at=None if passes else self.first_fail_at,
        )

    def _after_failure(self, scheduled_at: int, threshold: int) -> Standing:
        if self.fail_streak >= threshold and self.position is Position.FAILING:
            return self
        streak = self.fail_streak + 1
        fails = streak >= threshold or self.position is Position.FAILING
        return Standing(
            position=Position.FAILING if fails else self.position,
            fail_streak=streak,
            first_fail_at=scheduled_at if self.first_fail_at is None else self.first_fail_at,
            first_ok_at=self.first_ok_at if self.position is Position.PASSING and not fails else None,
        )

    def without_streaks(self) -> Standing:
        """Keeps the position and counts anew: the target or the rules of the answer have changed."""
        return replace(
            self,
            fail_streak=0,
            ok_streak=0,
            first_fail_at=self.first_fail_at if self.position is Position.FAILING else None,
            first_ok_at=self.first_ok_at if self.position is Position.PASSING else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """The standing of one eligible region."""

    region: str
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A change of health, and the instant at which what was seen began."""

    health: Health
    first_observed_at: int
    reason: Reason


def begins_at(decision: Decision, before: Health, *, since: int, interval: int, now: int) -> int:
    """Where the new state begins in history; `since` is when the one before it did.

    What was observed may lie further back than the history that it would replace, as when a region votes again after
    days. A recovery takes nothing back of what was bad before it, anything else at most one interval. What begins with
    a latency begins now: a slow answer was an answer.
    """
    begun = decision.first_observed_at
    if decision.reason is Reason.THRESHOLD_LATENCY:
        return now
    if before is Health.DOWN and decision.health in (Health.UP, Health.DEGRADED):
        return min(begun, now) if begun > since else now
    if before is Health.DEGRADED and decision.health is Health.UP:
        return min(begun, now) if begun >= since else now
    return min(now, max(begun, since - interval))


def bounds(quorum: Quorum, eligible: int) -> tuple[int, int]:
    """(failing regions that make it down, passing regions that end it); an even split meets neither for `majority`."""
    if quorum == "any":
        return 1, eligible
    if quorum == "all":
        return eligible, 1
    if isinstance(quorum, int):
        need = min(quorum, eligible)
        return need, eligible - need + 1
    return eligible // 2 + 1, eligible // 2 + 1


def may_decide(eligible: int, configured: int) -> bool:
    """Fewer than half of the regions decide nothing."""
    return eligible > 0 and 2 * eligible >= configured


def decide(
    health: Health, votes: Sequence[Vote], configured: int, rules: Rules, slow: Slowness = NOT_SLOW
) -> Decision | None:
    """The change that the votes of the eligible regions ask for, if any."""
    if not may_decide(len(votes), configured):
        return None
    failing = [vote.standing for vote in votes if vote.standing.position is Position.FAILING]
    passing = [vote.standing for vote in votes if vote.standing.position is Position.PASSING]
    need_down, need_up = bounds(rules.quorum, len(votes))
    if len(failing) >= need_down:
        begun = _begin_of_outage(failing, need_down, rules.interval)
        return _change(health, Health.DOWN, begun)
    if health is Health.DOWN and len(passing) < need_up:
        return None
    if failing:
        begun = _end_of_outage(passing, need_up) if health is Health.DOWN else min(_failed_from(failing))
        return _change(health, Health.DEGRADED, begun)
    if not passing:
        return None
    begun = _end_of_outage(passing, need_up) if health is Health.DOWN else max(_passed_from(passing))
    return _decide_on_pace(health, begun, slow)


def _decide_on_pace(health: Health, begun: int, slow: Slowness) -> Decision | None:
    """Nobody fails: it is up since `begun`, unless its answers are slow."""
    if slow.begins or (slow.lasts and health is Health.DEGRADED):
        return _change(health, Health.DEGRADED, begun, Reason.THRESHOLD_LATENCY if health is Health.UP else None)
    was_slow = slow.lasted and health is Health.DEGRADED
    return _change(health, Health.UP, begun, Reason.THRESHOLD_LATENCY if was_slow else None)


def _change(before: Health, after: Health, begun: int, reason: Reason | None = None) -> Decision | None:
    if before is after:
        return None
    return Decision(health=after, first_observed_at=begun, reason=reason or Reason.PROBE_RESULT)


def _begin_of_outage(failing: list[Standing], need: int, interval: int) -> int:
    """The first failed slot of the turn in which enough regions began to fail; an earlier lone one does not count."""
    begun = sorted(_failed_from(failing))
    turn = begun[need - 1]
    return min(at for at in begun if at >= turn - interval)


def _end_of_outage(passing: list[Standing], need: int) -> int:
    return sorted(_passed_from(passing))[need - 1]


def _failed_from(standings: list[Standing]) -> list[int]:
    return [standing.first_fail_at for standing in standings if standing.first_fail_at is not None]


def _passed_from(standings: list[Standing]) -> list[int]:
    return [standing.first_ok_at for standing in standings if standing.first_ok_at is not None]


def sight_lost_at(seen_until: Sequence[int], configured: int) -> int:
    """When fewer than half of the regions saw the target: the ⌈R/2⌉-th highest end of sight."""
    return sorted(seen_until, reverse=True)[(configured + 1) // 2 - 1]


def silence_ends_in(rules: Rules, last_decision_at: int, now: int) -> int:
    """How long (ms) until the health becomes unknown without a further decision; zero or less when it is due."""
    return last_decision_at + rules.longest_silence - now


def is_confirmed(votes: Sequence[Vote], configured: int, rules: Rules) -> bool:
    """Whether enough regions have failed often enough in a row since their streaks began anew to say `down` again."""
    if not may_decide(len(votes), configured):
        return False
    failing = [
        vote
        for vote in votes
        if vote.standing.position is Position.FAILING and vote.standing.fail_streak >= rules.failure_threshold
    ]
    need_down, _ = bounds(rules.quorum, len(votes))
    return len(failing) >= need_down


def effective(health: Health, *, paused: bool, in_maintenance: bool) -> State:
    """The state that people see."""
    if paused:
        return State.PAUSED
    return State.MAINTENANCE if in_maintenance else State(health.value)
