"""What a channel has to tell: the facts of one change of an incident, without markup and without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    """What happened to the incident, as receivers tell it apart."""

    TRIGGER = "trigger"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    UPDATE = "update"
    # About no incident: a try-out of a channel, many messages in one, a word about another channel.
    TEST = "test"
    DIGEST = "digest"
    NOTICE = "notice"

    @property
    def is_of_incident(self) -> bool:
        return self not in {Action.TEST, Action.DIGEST, Action.NOTICE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The monitor that an incident is about."""

    id: str
    name: str
    type: str
    target: str
    runbook_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known beside the incident itself. `since` is when the outage began or ended as it was seen (ms).

    `flapping` is True when the monitor has begun to change all the time and False when it has ceased to.
    """

    subject: Subject | None = None
    since: int | None = None
    reason: str | None = None
    failing_regions: tuple[str, ...] = ()
    region_count: int = 0
    downtime_ms: int | None = None
    note: str | None = None
    flapping: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it is stored in the outbox; `at` is when the change was decided (ms).

    One that is about no incident has an empty `incident_id` and the number 0.
    """

    action: Action
    at: int
    incident_id: str
    number: int
    title: str
    severity: str
    state: str
    actor: str
    assignee: str | None
    facts: Facts

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def without_incident(cls, action: Action, title: str, *, at: int, actor: str, note: str | None = None) -> Message:
        """A test, a digest or a notice."""
        return cls(
            action=action,
            at=at,
            incident_id="",
            number=0,
            title=title,
            severity="info",
            state="",
            actor=actor,
            assignee=None,
            facts=Facts(note=note),
        )

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Message:
        """Reads what `document` wrote."""
        facts = dict(document["facts"])
        subject = facts["subject"]
        facts["subject"] = None if subject is None else Subject(**subject)
        facts["failing_regions"] = tuple(facts["failing_regions"])
        return cls(**{**document, "action": Action(document["action"]), "facts": Facts(**facts)})
