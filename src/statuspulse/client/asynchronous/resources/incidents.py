"""What needs people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.asynchronous.resources.resource import AsyncResource
from statuspulse.client.calls import PAGE, given, listed, path_of


class AsyncIncidents(AsyncResource):
    """What needs people."""

    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        monitor_id: str | None = None,
        severity: str | None = None,
        assignee: str | None = None,
        source: str | None = None,
        dedup_key: str | None = None,
        external_id: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        q: str | None = None,
        order: str | None = None,
    ) -> AsyncIterator[answers.Incident]:
        """Those that were triggered from `start` to `end` and fit the rest."""
        query = {
            "limit": PAGE,
            "state": listed(state),
            "monitor_id": monitor_id,
            "severity": severity,
            "assignee": assignee,
            "source": source,
            "dedup_key": dedup_key,
            "external_id": external_id,
            "from": start,
            "to": end,
            "q": q,
            "order": order,
        }
        return self._caller.each(answers.Incident, path_of("incidents"), query)

    async def get(self, incident_id: str) -> answers.Incident:
        return await self._caller.answer(answers.Incident, calls.get(path_of("incidents", incident_id)))

    async def submit(self, *, idempotency_key: str | None = None, **members: Any) -> answers.Incident:
        """The call under which incidents are triggered, acknowledged, resolved and linked (`POST /v1/incidents`)."""
        call = calls.post(path_of("incidents"), members, key=idempotency_key)
        return await self._caller.answer(answers.Incident, call)

    async def trigger(
        self,
        *,
        title: str | None = None,
        monitor_id: str | None = None,
        severity: str | None = None,
        dedup_key: str | None = None,
        assignee: str | None = None,
        notes: str | None = None,
        notify: bool | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Incident:
        """Opens one; an open one of the same `dedup_key` absorbs the call. It needs a title or a monitor."""
        members = given(
            title=title,
            monitor_id=monitor_id,
            severity=severity,
            dedup_key=dedup_key,
            assignee=assignee,
            notes=notes,
            notify=notify,
        )
        return await self.submit(idempotency_key=idempotency_key, state="triggered", **members)

    async def acknowledge(
        self,
        incident_id: str,
        *,
        assignee: str | None = None,
        notes: str | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Incident:
        members = given(incident_id=incident_id, assignee=assignee, notes=notes)
        return await self.submit(idempotency_key=idempotency_key, state="acknowledged", **members)

    async def resolve(
        self, incident_id: str, *, notes: str | None = None, idempotency_key: str | None = None
    ) -> answers.Incident:
        members = given(incident_id=incident_id, notes=notes)
        return await self.submit(idempotency_key=idempotency_key, state="resolved", **members)

    async def update(self, incident_id: str, *, if_match: int | None = None, **members: Any) -> answers.Incident:
        """Changes title, severity, assignee or external_ids; `if_match` is the `version` it is made on."""
        call = calls.patch(path_of("incidents", incident_id), members, if_match=if_match)
        return await self._caller.answer(answers.Incident, call)

    async def note(self, incident_id: str, text: str, *, idempotency_key: str | None = None) -> answers.Note:
        call = calls.post(path_of("incidents", incident_id, "notes"), {"text": text}, key=idempotency_key)
        return await self._caller.answer(answers.Note, call)

    def timeline(self, incident_id: str) -> AsyncIterator[answers.TimelineEntry]:
        """What happened, from the beginning."""
        path = path_of("incidents", incident_id, "timeline")
        return self._caller.each(answers.TimelineEntry, path, {"limit": PAGE})

    async def escalate(
        self, incident_id: str, *, step: int | None = None, idempotency_key: str | None = None
    ) -> answers.Incident:
        """Tells the next step of its policy now, or the one of this number (from 0)."""
        call = calls.post(path_of("incidents", incident_id, "escalate"), given(step=step), key=idempotency_key)
        return await self._caller.answer(answers.Incident, call)

    async def snooze(self, incident_id: str, seconds: int, *, idempotency_key: str | None = None) -> answers.Incident:
        """Tells nobody about it for so long."""
        call = calls.post(path_of("incidents", incident_id, "snooze"), {"seconds": seconds}, key=idempotency_key)
        return await self._caller.answer(answers.Incident, call)

    async def sync(self, incident_id: str, *, idempotency_key: str | None = None) -> answers.SyncAgain:
        """Tries again whatever other systems could not be told of it."""
        call = calls.post(path_of("incidents", incident_id, "sync"), key=idempotency_key)
        return await self._caller.answer(answers.SyncAgain, call)

    async def stats(
        self, *, start: datetime | None = None, end: datetime | None = None, group_by: str | None = None
    ) -> answers.IncidentStats:
        """How many there were, and how long people took."""
        query = {"from": start, "to": end, "group_by": group_by}
        return await self._caller.answer(answers.IncidentStats, calls.get(path_of("incidents", "stats"), query))
