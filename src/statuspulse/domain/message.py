"""What a channel has to tell: the facts of one change of an incident, without markup and without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
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

    `flapping` is True when the monitor has begun to change all the time and False when it has ceased to. `waiting_ms`
    is for how long nobody has acknowledged, where that is why somebody is told.
    """

    subject: Subject | None = None
    since: int | None = None
    reason: str | None = None
    failing_regions: tuple[str, ...] = ()
    region_count: int = 0
    downtime_ms: int | None = None
    note: str | None = None
    flapping: bool | None = None
    waiting_ms: int | None = None

    def document(self) -> dict[str, Any]:
        """As it is stored, in what JSON has."""
        return {**asdict(self), "failing_regions": list(self.failing_regions)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Facts:
        """Reads what `document` wrote."""
        subject = document["subject"]
        read = None if subject is None else Subject(**subject)
        return cls(**{**document, "subject": read, "failing_regions": tuple(document["failing_regions"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it is stored in the outbox; `at` is when the change was decided (ms).

    One that is about no incident has an empty `incident_id` and the number 0. `ack_key` opens the page that
    acknowledges: a secret of each copy. It is put in when the message is handed over, as are `thread`, the receipt of
    the message before it, and whether it `is_copy`: whether somebody may have handed the same one over already.
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
    ack_key: str | None = field(default=None, repr=False)
    thread: str | None = None
    is_copy: bool = False

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def without_incident(cls, action: Action, title: str, *, at: int, actor: str, note: str | None = None) -> Message:
        """A test, a digest or a notice; a notice of a monitor's state says which that is, and has it as its subject."""
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
        return cls(**{**document, "action": Action(document["action"]), "facts": Facts.of(document["facts"])})
