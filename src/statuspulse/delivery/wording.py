"""What every channel says of a message in plain words, before any markup."""

from __future__ import annotations

from statuspulse.domain.message import Action, Facts, Message
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND

_UNITS = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"))


def headline(message: Message) -> str:
    """What happened in a few words: DOWN and UP only where the monitor itself was seen to be so."""
    subject = message.facts.subject
    if subject is not None and message.facts.since is not None:
        match message.action:
            case Action.TRIGGER | Action.UPDATE:
                return f"{'FLAPPING' if message.facts.flapping else 'DOWN'}: {subject.name}"
            case Action.RESOLVE:
                return f"UP: {subject.name}"
            case Action.ACKNOWLEDGE:
                pass
    match message.action:
        case Action.TRIGGER:
            return f"TRIGGERED: {message.title}"
        case Action.ACKNOWLEDGE:
            return f"ACKNOWLEDGED: {message.title}"
        case Action.RESOLVE:
            return f"RESOLVED: {message.title}"
        case Action.UPDATE:
            return f"UPDATED: {message.title}"


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


def duration(length_ms: int) -> str:
    """A length of time in its two largest units, rounded down: `3 hours 12 minutes`, `45 seconds`."""
    rest = max(length_ms, 0)
    parts: list[str] = []
    for unit, name in _UNITS:
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count} {name}" if count == 1 else f"{count} {name}s")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "less than a second"
