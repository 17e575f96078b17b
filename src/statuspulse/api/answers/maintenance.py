"""The shapes of answers with maintenance windows, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope


class OccurrenceItem(Answer):
    """One instance of a window, from when to when it holds."""

    start_at: datetime
    end_at: datetime


class WindowSelector(Answer):
    """Which monitors a window is for; one of the three is there."""

    ids: list[str] | None = None
    tags: list[str] | None = None
    all: Literal[True] | None = None


class WindowItem(Answer):
    """A maintenance window inside another answer."""

    object: Literal["maintenance_window"]
    id: str
    team_id: str
    name: str
    description: str | None
    monitors: WindowSelector
    monitor_id: Annotated[str | None, Field(description="The monitor that it is a part of; null for one by itself.")]
    joined_monitor_ids: Annotated[
        list[str], Field(description="Monitors that joined it by `maintenance_windows` of their own configuration.")
    ]
    starts_at: Annotated[str, Field(description="Local time of the time zone, or an instant where that is null.")]
    timezone: str | None
    duration_seconds: int
    rrule: str | None
    exdates: list[str]
    probing: Literal["continue", "pause"]
    alerting: Literal["suppress", "deliver"]
    sla: Literal["exclude", "include"]
    open_incidents: Literal["hold", "continue"]
    status_page_note: str | None
    status: Literal["scheduled", "active", "ended", "cancelled"]
    active_occurrence: OccurrenceItem | None
    next_occurrence: OccurrenceItem | None
    last_occurrence: Annotated[
        OccurrenceItem | None,
        Field(description="The latest one that is over; null for none."),
    ]
    version: int
    created_at: datetime
    updated_at: datetime


class WindowAnswer(WindowItem, Envelope):
    """A maintenance window."""


class WindowList(ListEnvelope):
    """A page of maintenance windows."""

    data: list[WindowItem]


class OccurrenceList(ListEnvelope):
    """The occurrences of a window, the first 200 of them."""

    data: list[OccurrenceItem]
