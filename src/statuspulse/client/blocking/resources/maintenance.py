# Written from `asynchronous/resources/maintenance.py` by `python -m tests.client.write_blocking`.
"""Times in which nothing is expected of monitors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.blocking.resources.resource import Resource
from statuspulse.client.calls import PAGE, given, listed, path_of


class Maintenance(Resource):
    """Maintenance windows, single ones and such as come again."""

    def list(
        self,
        *,
        status: str | Sequence[str] | None = None,
        monitor_id: str | None = None,
        tag: str | None = None,
    ) -> Iterator[answers.Window]:
        """Those in one of these statuses, for this monitor, for monitors with this tag."""
        query = {"limit": PAGE, "status": listed(status), "monitor_id": monitor_id, "tag": tag}
        return self._caller.each(answers.Window, path_of("maintenance-windows"), query)

    def get(self, window_id: str) -> answers.Window:
        return self._caller.answer(answers.Window, calls.get(path_of("maintenance-windows", window_id)))

    def create(
        self,
        *,
        name: str,
        monitors: Mapping[str, Any],
        starts_at: datetime | str,
        duration_seconds: int,
        idempotency_key: str | None = None,
        **members: Any,
    ) -> answers.Window:
        """Plans one for `monitors`: `{"ids": […]}`, `{"tags": […]}` or `{"all": True}`.

        `starts_at` is a local time beside the member `timezone`, or has an offset where there is none.
        """
        body = {"name": name, "monitors": monitors, "starts_at": starts_at, "duration_seconds": duration_seconds}
        call = calls.post(path_of("maintenance-windows"), {**body, **members}, key=idempotency_key)
        return self._caller.answer(answers.Window, call)

    def start(
        self,
        monitor_id: str,
        duration_seconds: int,
        *,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Window:
        """Maintenance of one monitor from now on."""
        body = given(duration_seconds=duration_seconds, reason=reason)
        call = calls.post(path_of("monitors", monitor_id, "maintenance"), body, key=idempotency_key)
        return self._caller.answer(answers.Window, call)

    def update(self, window_id: str, *, if_match: int | None = None, **members: Any) -> answers.Window:
        """Changes these members and leaves the rest.

        `if_match` is the `version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        call = calls.patch(path_of("maintenance-windows", window_id), members, if_match=if_match)
        return self._caller.answer(answers.Window, call)

    def end(self, window_id: str, *, idempotency_key: str | None = None) -> answers.Window:
        """Ends the occurrence that is under way; what comes later stays."""
        call = calls.post(path_of("maintenance-windows", window_id, "end"), key=idempotency_key)
        return self._caller.answer(answers.Window, call)

    def skip_next(self, window_id: str, *, idempotency_key: str | None = None) -> answers.Window:
        """Leaves out the next occurrence."""
        call = calls.post(path_of("maintenance-windows", window_id, "skip-next"), key=idempotency_key)
        return self._caller.answer(answers.Window, call)

    def cancel(self, window_id: str, *, if_match: int | None = None) -> answers.Window:
        """Cancels it with all that is to come; one that is active ends."""
        call = calls.delete(path_of("maintenance-windows", window_id), if_match=if_match)
        return self._caller.answer(answers.Window, call)

    def occurrences(
        self, window_id: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> Iterator[answers.PlannedOccurrence]:
        """When it holds, those of a year from now on unless `start` and `end` say otherwise; 200 at most."""
        path = path_of("maintenance-windows", window_id, "occurrences")
        return self._caller.each(answers.PlannedOccurrence, path, {"from": start, "to": end})
