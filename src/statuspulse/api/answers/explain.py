"""The shape of an explanation, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers.common import Answer, Envelope, Health, State
from statuspulse.api.answers.status import ActiveIncident, Duration, StatusFailure, StatusHeartbeat, StatusMaintenance
from statuspulse.api.answers.transition import Standing, TransitionItem


class LastResult(Answer):
    """The newest result of a region."""

    scheduled_at: datetime
    observed_at: datetime
    ok: bool | None
    latency_ms: Duration | None
    failure: StatusFailure | None


class Streak(Answer):
    """Results in a row. `since` is the slot that began the standing, or the streak that may end it."""

    failures: int
    successes: int
    since: datetime | None


class ExplainedRegion(Answer):
    """What one region thinks of the monitor, and whether it may vote."""

    region: str
    standing: Standing
    eligible: bool
    why: Annotated[str, Field(description="Why it may vote or may not, in words.")]
    votes_until: Annotated[datetime | None, Field(description="Its last verdict counts through this time.")]
    streak: Streak
    last_result: LastResult | None


class ExplainedQuorum(Answer):
    """The votes of now. An even split meets neither bound of `majority`: what was, stays."""

    rule: str | int
    configured: int
    eligible: int
    decides: Annotated[bool, Field(description="Whether enough regions may vote for anything to be decided.")]
    failing: int
    passing: int
    need: Annotated[int, Field(description="Failing regions that make it down, of those that may vote.")]
    need_to_recover: Annotated[int, Field(description="Passing regions that end that.")]


class ExplainedRules(Answer):
    """The rules in force."""

    interval_seconds: int
    timeout_ms: int
    failure_threshold: int
    recovery_threshold: int
    vote_lifetime_seconds: Duration
    unknown_after_seconds: Duration


class ExplainedDependency(Answer):
    """A monitor that this one depends on: while it is down, nobody is told of this one."""

    monitor_id: str
    name: str
    health: Health


class NeededResults(Answer):
    """So many results in a row from one region, all good or all failed."""

    region: str
    ok: bool
    results: int


class PossibleChange(Answer):
    """A state that some further results lead to, as long as the other regions vote as they do now.

    A heartbeat needs none to go down: it does so when its deadline passes.
    """

    state: Health
    needed: list[NeededResults]
    scheduled_at: Annotated[
        datetime, Field(description="The planned time of the last of them; what is checked in between may be earlier.")
    ]
    sentence: str


class NextDecision(Answer):
    """What would change the state."""

    unknown_at: Annotated[
        datetime | None, Field(description="From then on it is unknown, unless enough regions report before.")
    ]
    changes: list[PossibleChange]


class MissedChecks(Answer):
    """Checks in a row that left no result: planned from `from_at` to `to_at`, both included."""

    region: str
    from_at: datetime
    to_at: datetime
    count: int
    reason: Annotated[
        Literal["overload", "overrun", "restart", "clock_step", "self_stall", "probe_offline", "spool_overflow"],
        Field(description="Why: spool_overflow says that they were made and their results had to be dropped."),
    ]


class ExplanationAnswer(Envelope):
    """Why the state is what it is at this moment, in words and in data."""

    object: Literal["explanation"]
    monitor_id: str
    state: State
    health: Health
    since: datetime
    state_seq: int
    stale: bool
    sentences: list[str]
    rules: Annotated[ExplainedRules | None, Field(description="Null for a heartbeat.")]
    regions: list[ExplainedRegion]
    quorum: Annotated[ExplainedQuorum | None, Field(description="Null for a heartbeat.")]
    heartbeat: StatusHeartbeat | None
    maintenance: StatusMaintenance
    depends_on: list[ExplainedDependency]
    active_incident: ActiveIncident | None
    next_decision: NextDecision
    missed: Annotated[list[MissedChecks], Field(description="What was missed in the last 24 h, the newest first.")]
    transitions: Annotated[list[TransitionItem], Field(description="The last ones, the newest first.")]
    config_version: int
    generated_at: datetime
