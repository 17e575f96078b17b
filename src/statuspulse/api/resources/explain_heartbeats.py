"""Why the state of a job that calls us is what it is, in words."""

from __future__ import annotations

from collections.abc import Iterator

from statuspulse.api.documents.status import claim
from statuspulse.api.resources.explain_words import incident_sentences, maintenance_of, since_sentence
from statuspulse.catalog.explanations import CallExplanation
from statuspulse.domain.health import Health
from statuspulse.domain.times import to_text


def call_sentences(explained: CallExplanation) -> Iterator[str]:
    """What holds, what the job has told, what is expected of it, and what that would change."""
    head, health = explained.head, explained.head.sight.state.health
    yield f"{head.monitor.name} {claim(head)}."
    if head.monitor.paused:
        yield "It was paused by a person: its pings count for nothing, and no time counts."
        return
    if health is not Health.PENDING:
        yield since_sentence(explained)
    yield f"{_rule(explained)}."
    yield from _told(explained)
    if explained.down_at is not None:
        yield deadline_sentence(explained)
    if health is not Health.UP:
        becomes = "It becomes up" if maintenance_of(explained) is None else "Its health becomes up"
        yield f"{becomes} with its next ping that tells of a success."
    yield from incident_sentences(explained)


def deadline_sentence(explained: CallExplanation) -> str:
    due = "" if explained.down_at is None else to_text(explained.down_at)
    goes_down = "It goes down" if maintenance_of(explained) is None else "Its health becomes down"
    if explained.beat.started_at is not None:
        return f"{goes_down} unless the run ends by {due}."
    return f"{goes_down} unless a ping comes by {due}."


def _rule(explained: CallExplanation) -> str:
    config = explained.head.monitor.config
    return f"It owes {explained.head.monitor.target} and may be {config['grace_seconds']} s late"


def _told(explained: CallExplanation) -> Iterator[str]:
    beat = explained.beat
    last = (
        "No ping has come yet" if beat.last_ping_at is None else f"Its last ping came at {to_text(beat.last_ping_at)}"
    )
    if beat.started_at is not None:
        yield f"{last}; a run is open since {to_text(beat.started_at)}."
    elif beat.expected_at is not None:
        yield f"{last}; the next one is expected at {to_text(beat.expected_at)}."
    else:
        yield f"{last}."
