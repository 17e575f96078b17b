"""The shapes of answers about events, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope


class EventRequest(Answer):
    """The call that an event comes from."""

    id: str
    idempotency_key: str | None


class EventItem(Answer):
    """Something that happened; `/v1/schemas/events.json` tells what `data` holds for each type."""

    object: Literal["event"]
    id: str
    type: str
    api_version: Literal["v1"]
    timestamp: datetime
    team_id: str
    data: dict[str, Any]
    request: EventRequest | None


class EventAnswer(EventItem, Envelope):
    """One event."""


class EventList(ListEnvelope):
    """A page of events."""

    data: list[EventItem]
