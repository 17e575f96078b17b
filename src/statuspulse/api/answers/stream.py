"""The shapes and examples of streams and their tickets, for the OpenAPI document."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from statuspulse.api.answers.common import Answer, Envelope
from statuspulse.api.event_schema import examples
from statuspulse.domain.event import EventType

_DOWN = examples()[EventType.MONITOR_STATE_CHANGED.value]


class StreamTicketAnswer(Envelope, Answer):
    """What stands for a token in the query of one stream; it is shown once."""

    object: Literal["stream_ticket"]
    ticket: str
    expires_in_seconds: int


TICKET_EXAMPLE: dict[str, Any] = {
    "request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9",
    "object": "stream_ticket",
    "message": "The ticket opens one stream within 60 seconds.",
    "warnings": [],
    "ticket": "tkt_…",
    "expires_in_seconds": 60,
}
STREAM_EXAMPLE = (
    "retry: 3000\n\n"
    f"id: {_DOWN['id']}\nevent: {_DOWN['type']}\ndata: {msgspec.json.encode(_DOWN).decode()}\n\n"
    ": ka\n\n"
    f'id: {_DOWN["id"]}\nevent: bye\ndata: {{"reason":"time_limit"}}\n\n'
)
