"""The shapes of answers about incidents, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from statuspulse.api.answers.common import Actor, Answer, Envelope, ListEnvelope

IncidentState = Literal["triggered", "acknowledged", "resolved"]


class Held(Answer):
    """Why nobody is told of an incident for now: maintenance, quiet hours, or what its monitor depends on."""

    reason: Annotated[
        Literal["dependency_down", "dependency_in_doubt", "confirming", "maintenance", "quiet_hours"],
        Field(
            description="`confirming`: it is down no more, and whether this one still is remains to be seen. "
            "`quiet_hours`: nobody has heard yet, because all that hear of it have theirs."
        ),
    ]
    monitor_ids: Annotated[list[str], Field(description="The monitors that it waits for.")]
    maintenance_window_id: Annotated[str | None, Field(description="The window that holds it.")]
    since: datetime
    until: Annotated[
        datetime | None,
        Field(description="When it goes on, at the latest where it waits for a monitor; null while one is down."),
    ]


class Escalation(Answer):
    """How far the escalation of an incident has come."""

    policy: str | None
    step: int
    repeat: int
    next_step_at: Annotated[
        datetime | None,
        Field(description="Behind the planned end of the window that holds it; null while it waits for a monitor."),
    ]
    exhausted: bool
    held: Held | None


class SyncError(Answer):
    """Why another system does not have the incident as it is: a word, a sentence, and the status of its answer."""

    code: str
    message: str
    http_status: int | None


class Sync(Answer):
    """How an incident stands with another system."""

    provider: str
    status: Literal["pending", "synced", "failed", "not_configured"]
    external_id: str | None
    url: str | None
    last_error: SyncError | None
    updated_at: datetime


class IncidentLinks(Answer):
    """Paths to what belongs to an incident."""

    self: str
    timeline: str


class IncidentItem(Answer):
    """An incident inside another answer."""

    object: Literal["incident"]
    id: str
    incident_id: str
    number: int
    version: int
    title: str
    state: IncidentState
    previous_state: IncidentState | None
    severity: Literal["critical", "error", "warning", "info"]
    source: Literal["monitor", "manual", "integration", "slo"]
    monitor_id: str | None
    team_id: str
    dedup_key: str | None
    occurrences: int
    deduplicated: bool
    assignee: str | None
    notes: str | None
    escalation: Escalation
    triggered_at: datetime
    triggered_by: Actor
    acknowledged_at: datetime | None
    acknowledged_by: Actor | None
    ack_expires_at: datetime | None
    resolved_at: datetime | None
    resolved_by: Actor | None
    resolve_reason: (
        Literal["recovered", "manual", "auto_timeout", "integration", "monitor_deleted", "monitor_paused"] | None
    )
    external_ids: dict[str, str]
    sync: list[Sync]
    created_at: datetime
    updated_at: datetime
    links: IncidentLinks


class IncidentAnswer(IncidentItem, Envelope):
    """An incident; `previous_state`, `deduplicated` and `notes` tell what the call did."""


class IncidentList(ListEnvelope):
    """A page of incidents."""

    data: list[IncidentItem]


class TimelineItem(Answer):
    """Something that happened to an incident."""

    object: Literal["timeline_entry"]
    id: str
    at: datetime
    type: Literal[
        "triggered",
        "state_changed",
        "note",
        "assigned",
        "escalated",
        "notified",
        "notification_failed",
        "observation",
        "synced",
        "sync_failed",
        "linked",
        "snoozed",
    ]
    actor: Actor
    detail: dict[str, Any]


class TimelineList(ListEnvelope):
    """A page of a timeline, the oldest entry first."""

    data: list[TimelineItem]


class NoteAnswer(Envelope):
    """A note in the timeline of an incident."""

    object: Literal["note"]
    id: str
    incident_id: str
    team_id: str
    text: str
    actor: Actor
    created_at: datetime
    updated_at: datetime


class SyncAgainAnswer(Envelope):
    """How much of an incident's sync is tried again."""

    object: Literal["incident_sync"]
    incident_id: str
    count: int
