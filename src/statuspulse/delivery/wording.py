"""What every channel says of a message in plain words, before any markup."""

from __future__ import annotations

from collections.abc import Iterator

from statuspulse.domain.durations import duration
from statuspulse.domain.message import Action, Facts, Message
from statuspulse.domain.times import to_datetime

_LONGEST_LINK = 2000
_BEGINNINGS = {
    Action.TRIGGER: "TRIGGERED: ",
    Action.ACKNOWLEDGE: "ACKNOWLEDGED: ",
    Action.RESOLVE: "RESOLVED: ",
    Action.UPDATE: "UPDATED: ",
    Action.TEST: "TEST: ",
    Action.DIGEST: "DIGEST: ",
    Action.NOTICE: "NOTICE: ",
}


def headline(message: Message) -> str:
    """What happened in a few words: DOWN and UP only where the monitor itself was seen to be so."""
    subject = message.facts.subject
    if subject is not None and message.facts.since is not None:
        if message.action in {Action.TRIGGER, Action.UPDATE}:
            return f"{'FLAPPING' if message.facts.flapping else 'DOWN'}: {subject.name}"
        if message.action is Action.RESOLVE:
            return f"UP: {subject.name}"
    return f"{_BEGINNINGS[message.action]}{message.title}"


def summary(message: Message) -> str:
    """The one line that a lock screen shows: the headline and what is known beside it."""
    facts = message.facts
    known = [facts.reason, region_share(facts), flapping(facts)]
    if facts.waiting_ms is not None:
        known.append(f"not acknowledged for {duration(facts.waiting_ms)}")
    if message.action is Action.RESOLVE and facts.downtime_ms is not None:
        known.append(f"down for {duration(facts.downtime_ms)}")
    if message.action is Action.ACKNOWLEDGE:
        known.append(f"by {message.assignee or message.actor}")
    said = "; ".join(part for part in known if part)
    return f"{headline(message)} ({said})" if said else headline(message)


def details(message: Message) -> Iterator[tuple[str, str]]:
    """What is known beside the headline, as names and texts; for channels that need no markup of their own."""
    facts, subject = message.facts, message.facts.subject
    yield "Since" if facts.since is not None else "At", moment(facts.since or message.at)
    if facts.reason:
        yield "Reason", facts.reason
    if (share := region_share(facts)) is not None:
        yield "Failing", f"{share}: {', '.join(facts.failing_regions)}"
    if message.action is Action.RESOLVE and facts.downtime_ms is not None:
        yield "Downtime", duration(facts.downtime_ms)
    if subject is not None:
        yield "Monitor", subject.name
        yield "Target", subject.target
    if message.action is Action.TRIGGER:
        yield "Severity", message.severity
    if message.action in {Action.ACKNOWLEDGE, Action.RESOLVE}:
        yield "By", message.actor
    if message.assignee is not None:
        yield "Assignee", message.assignee
    if message.action.is_of_incident:
        yield "Incident", message.incident_id


def remarks(message: Message) -> list[str]:
    """Sentences that stand by themselves."""
    return [text for text in (flapping(message.facts), message.facts.note) if text]


def links(message: Message, public_url: str) -> list[tuple[str, str]]:
    """Where to go on: whoever takes it on says so, and what its monitor says is to be done."""
    found = [] if message.ack_key is None else [("Acknowledge", f"{public_url}/ack/{message.ack_key}")]
    subject = message.facts.subject
    if subject is not None and subject.runbook_url is not None and len(subject.runbook_url) <= _LONGEST_LINK:
        found.append(("Runbook", subject.runbook_url))
    return found


def moment(at: int) -> str:
    """An instant for those whose client cannot tell it in their own zone."""
    return f"{to_datetime(at):%Y-%m-%d %H:%M:%S} UTC"


def line(text: str, limit: int) -> str:
    """At most `limit` characters without line ends and control characters; a cut is marked."""
    flat = "".join(char if char.isprintable() else " " for char in text)
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def region_share(facts: Facts) -> str | None:
    """How many regions see the failure; None where there is but one, or none that does."""
    if facts.region_count < 2 or not facts.failing_regions:
        return None
    return f"{len(facts.failing_regions)} of {facts.region_count} regions"


def flapping(facts: Facts) -> str | None:
    """What a monitor that changes all the time means for those who are told."""
    match facts.flapping:
        case None:
            return None
        case True:
            return "it goes up and down; the next message comes when it has settled"
        case False:
            return "it has settled"
