# Written from `asynchronous/resources/events.py` by `python -m tests.client.write_blocking`.
"""What happened, as it was told to everybody who listens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from statuspulse.client import answers, calls
from statuspulse.client.blocking.resources.resource import Resource
from statuspulse.client.calls import PAGE, given, path_of


class Events(Resource):
    """The log of events."""

    def list(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the API calls it so
        monitor_id: str | None = None,
        incident_id: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        order: str | None = None,
    ) -> Iterator[answers.Event]:
        """The newest first unless `order` is `asc`; `type` may end in `.`, which is a prefix."""
        query = {
            "limit": PAGE,
            "type": type,
            "monitor_id": monitor_id,
            "incident_id": incident_id,
            "from": start,
            "to": end,
            "order": order,
        }
        return self._caller.each(answers.Event, path_of("events"), query)

    def get(self, event_id: str) -> answers.Event:
        return self._caller.answer(answers.Event, calls.get(path_of("events", event_id)))

    def redeliver(
        self, event_id: str, *, endpoint_ids: Sequence[str] | None = None, idempotency_key: str | None = None
    ) -> answers.Redelivery:
        """Sends it again to these webhook endpoints, or to all that want it."""
        call = calls.post(
            path_of("events", event_id, "redeliver"), given(endpoint_ids=endpoint_ids), key=idempotency_key
        )
        return self._caller.answer(answers.Redelivery, call)

    def ticket(self, *, idempotency_key: str | None = None) -> answers.StreamTicket:
        """Lets a browser open the stream once, within a minute."""
        return self._caller.answer(answers.StreamTicket, calls.post(path_of("stream-tickets"), key=idempotency_key))
