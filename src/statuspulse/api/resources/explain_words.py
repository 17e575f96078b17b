"""An explanation in words: short sentences, none of which claims more than was seen."""

from __future__ import annotations

from collections.abc import Iterator

from statuspulse.api.documents.status import claim
from statuspulse.catalog.explanations import CallExplanation, Explanation, Outlook, RegionVote
from statuspulse.domain.failure import MissReason
from statuspulse.domain.health import Health, Position
from statuspulse.domain.hold import Cause
from statuspulse.domain.outlook import Needed
from statuspulse.domain.result import Gap, Verdict
from statuspulse.domain.times import SECOND, to_text
from statuspulse.engine.coverage import Cover
from statuspulse.storage.incidents import Incident

_BECOMES = {
    Health.UP: "It becomes up",
    Health.DEGRADED: "It becomes degraded",
    Health.DOWN: "It goes down",
}

_WAITS = {
    Cause.DOUBT: "Nobody is told of it before it is clear whether {monitors} is down",
    Cause.CONFIRMING: "What it depends on is down no more; people are told when fresh checks confirm that this one is",
}
_MISSED = {
    MissReason.OVERLOAD: "its probe had no place free in time",
    MissReason.OVERRUN: "the check before was still running",
    MissReason.RESTART: "its probe was not running",
    MissReason.CLOCK_STEP: "the clock of its probe was set",
    MissReason.SELF_STALL: "its probe stood still",
    MissReason.PROBE_OFFLINE: "no probe of it was there",
    MissReason.SPOOL_OVERFLOW: "the results waited until its probe had no more room for them",
}


def sentences(explained: Explanation) -> Iterator[str]:
    """What holds, by which rules, what each region says, and what would change it."""
    head = explained.head
    yield f"{head.monitor.name} {claim(head)}."
    if head.monitor.paused:
        yield "It was paused by a person, so nothing is judged and no time counts."
        return
    yield since_sentence(explained)
    yield _rules(explained)
    for vote in explained.votes:
        yield _region(vote)
    yield _votes(explained)
    if not any(vote.is_online for vote in explained.votes):
        yield f"No probe of {', '.join(vote.sight.slug for vote in explained.votes)} is online, so nobody looks now."
    for outlook in explained.outlooks:
        yield change_sentence(explained, outlook)
    if explained.unknown_at is not None:
        yield f"Without reports from enough regions it is unknown from {to_text(explained.unknown_at)} on."
    if explained.missed:
        yield _missed(explained.missed[0])
    yield from incident_sentences(explained)


def why(explained: Explanation, vote: RegionVote) -> str:
    """Why the region may vote or may not."""
    if explained.head.monitor.paused:
        return "the monitor is paused"
    counted = vote.sight.counted
    if counted is None or vote.votes_until is None:
        if vote.sight.newest is None:
            return "no result has come from it yet"
        return "none of its recent results gave a verdict"
    if vote.sight.is_blind:
        return "its probe has no network of its own at the moment, so it cannot tell"
    age = _seconds(explained.now - counted.scheduled_at)
    if vote.eligible:
        return f"its last verdict is {age} old and counts through {to_text(vote.votes_until)}"
    return f"its last verdict is {age} old; it counts for {_seconds(explained.rules.vote_lifetime)} only"


def _missed(gap: Gap) -> str:
    """The newest of the holes that somebody has told of."""
    checks = "1 check" if gap.count == 1 else f"{gap.count} checks"
    stretch = f"at {to_text(gap.from_at)}" if gap.count == 1 else f"from {to_text(gap.from_at)} to {to_text(gap.to_at)}"
    return f"{gap.region} last missed {checks} {stretch}: {_MISSED[gap.reason]}."


def change_sentence(explained: Explanation, outlook: Outlook) -> str:
    change = outlook.change
    needed = " and ".join(_needed(need) for need in change.needed)
    becomes = (
        _BECOMES[change.health] if maintenance_of(explained) is None else f"Its health becomes {change.health.value}"
    )
    return f"{becomes} after {needed}, which by schedule is at {to_text(outlook.scheduled_at)}."


def maintenance_of(explained: Explanation | CallExplanation) -> Cover | None:
    """The window that holds: the state is maintenance, whatever the health becomes."""
    return explained.head.sight.outlook.cover


def incident_sentences(explained: Explanation | CallExplanation) -> Iterator[str]:
    """Where an incident is open; and why nobody hears of it, or of the monitor."""
    cover, paging = maintenance_of(explained), explained.paging
    if cover is not None:
        yield _maintenance(cover)
    incident = paging.incident
    down = [f"{one.name} ({one.id})" for one in explained.dependencies if one.health is Health.DOWN]
    if down:
        yield f"It depends on {' and '.join(down)}, which is down: {_held_words(incident)}."
    if incident is None:
        return
    yield f"Incident {incident.id} is {incident.state.value} since {to_text(incident.triggered_at)}."
    hold, freeze = incident.escalation.hold, incident.escalation.freeze
    if hold is not None and hold.until is not None:
        waits = _WAITS[hold.cause].format(monitors=" and ".join(hold.monitors))
        yield f"{waits}, and until {to_text(hold.until)} at most."
    if freeze is not None:
        yield f"Maintenance window {freeze.window_id} holds its escalation until {to_text(freeze.until)}."
    for names, until in paging.quiet:
        hear = "hears" if len(names) == 1 else "hear"
        yield f"{' and '.join(names)} {hear} of it at {to_text(until)}, when quiet hours end, if it is open still."
    if paging.is_unheard:
        yield (
            "Nobody is told of it: neither the monitor nor its escalation policy names a channel that is on, "
            "and no integration takes it."
        )


def _maintenance(cover: Cover) -> str:
    window = f"Maintenance window {cover.name} ({cover.window_id}) holds until {to_text(cover.until)}"
    if not cover.switches.mutes:
        return f"{window}; it suppresses no messages."
    return f"{window} and suppresses messages: no incident begins, and what is still broken behind it is told then."


def _held_words(incident: Incident | None) -> str:
    """Who heard of the outage before that was known has heard of it."""
    if incident is not None and incident.escalation.heard:
        return "people were told of this monitor already, and hear nothing further until that ends"
    return "until that ends nobody is told of this monitor"


def since_sentence(explained: Explanation | CallExplanation) -> str:
    """Since when it is so, and when that was decided."""
    head, since = explained.head, to_text(explained.head.sight.state.since)
    if head.sight.stale:
        return f"Nobody has confirmed any state since {since}: what was not seen is unknown."
    if not explained.transitions:
        return f"It has been so since {since}."
    last = explained.transitions[0].transition
    text = f"That was decided at {to_text(last.changed_at)}"
    if last.first_observed_at < last.changed_at:
        return f"{text}; what was seen began at {to_text(last.first_observed_at)}."
    return f"{text}."


def _rules(explained: Explanation) -> str:
    rules = explained.rules
    return (
        f"A region fails after {_in_a_row(rules.failure_threshold, 'failed result')} "
        f"and passes again after {_in_a_row(rules.recovery_threshold, 'good one')}; "
        f"the quorum is {rules.quorum} of the regions that may vote."
    )


def _region(vote: RegionVote) -> str:
    standing, newest = vote.standing, vote.sight.newest
    words = {
        Position.FAILING: "fails",
        Position.PASSING: "passes",
        Position.NONE: "has not made up its mind",
    }[standing.position]
    text = f"{vote.sight.slug} {words}"
    if standing.position is Position.PASSING and standing.fail_streak:
        text += f", with {_in_a_row(standing.fail_streak, 'failed result')} so far"
    if standing.position is Position.FAILING and standing.ok_streak:
        text += f", with {_in_a_row(standing.ok_streak, 'good result')} so far"
    if newest is None:
        return f"{text}: it has not reported yet."
    if newest.failure is None:
        return f"{text}: its last check, at {to_text(newest.observed_at)}, was ok."
    told = f"{newest.failure.kind.value}: {newest.failure.detail}".rstrip(": ")
    verdict = "gave no verdict" if newest.verdict is Verdict.VOID else "failed"
    return f"{text}: its last check, at {to_text(newest.observed_at)}, {verdict} ({told})."


def _votes(explained: Explanation) -> str:
    configured, eligible = len(explained.votes), explained.eligible
    text = f"{eligible} of {configured} region{'s' if configured > 1 else ''} may vote"
    if not explained.decides:
        return f"{text}: too few for a decision, so what was decided stays until it is unknown."
    failing, passing = explained.standing(Position.FAILING), explained.standing(Position.PASSING)
    need, need_to_recover = explained.bounds
    undecided = eligible - failing - passing
    others = (
        f", {undecided} {'has' if undecided == 1 else 'have'} not made up {'its' if undecided == 1 else 'their'} mind"
    )
    return (
        f"{text}: {failing} fail{'s' if failing == 1 else ''}, {passing} pass{'es' if passing == 1 else ''}"
        f"{others if undecided else ''}; "
        f"down takes {need} failing, and its end {need_to_recover} passing."
    )


def _needed(need: Needed) -> str:
    noun = "failure" if need.verdict is Verdict.FAILED else "success"
    if need.results == 1:
        return f"one more {noun} from {need.region}"
    plural = "failures" if need.verdict is Verdict.FAILED else "successes"
    return f"{need.results} more {plural} in a row from {need.region}"


def _in_a_row(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s in a row"


def _seconds(duration: int) -> str:
    return f"{max(0, duration) / SECOND:g} s"
