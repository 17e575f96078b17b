# Written from `asynchronous/resources/escalation.py` by `python -m tests.client.write_blocking`.
"""Who is told, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.blocking.resources.resource import Resource
from statuspulse.client.calls import PAGE, given, path_of


class Policies(Resource):
    """Escalation policies: who is told and when."""

    def list(self) -> Iterator[answers.Policy]:
        return self._caller.each(answers.Policy, path_of("escalation-policies"), {"limit": PAGE})

    def get(self, slug: str) -> answers.Policy:
        return self._caller.answer(answers.Policy, calls.get(path_of("escalation-policies", slug)))

    def create(
        self,
        *,
        slug: str,
        name: str,
        steps: Sequence[Mapping[str, Any]],
        idempotency_key: str | None = None,
        **members: Any,
    ) -> answers.Policy:
        body = {"slug": slug, "name": name, "steps": steps, **members}
        call = calls.post(path_of("escalation-policies"), body, key=idempotency_key)
        return self._caller.answer(answers.Policy, call)

    def update(self, slug: str, *, if_match: int | None = None, **members: Any) -> answers.Policy:
        """Changes these members and leaves the rest; incidents that are open go on with what they began with.

        `if_match` is the `version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        call = calls.patch(path_of("escalation-policies", slug), members, if_match=if_match)
        return self._caller.answer(answers.Policy, call)

    def delete(self, slug: str, *, if_match: int | None = None) -> None:
        self._caller.delete(path_of("escalation-policies", slug), if_match=if_match)

    def test(
        self,
        slug: str,
        *,
        monitor_id: str | None = None,
        severity: str | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Rehearsal:
        """Who would be told, and when; nobody is."""
        body = given(monitor_id=monitor_id, severity=severity)
        call = calls.post(path_of("escalation-policies", slug, "test"), body, key=idempotency_key)
        return self._caller.answer(answers.Rehearsal, call)


class Schedules(Resource):
    """On-call schedules: who has it now."""

    def list(self) -> Iterator[answers.Schedule]:
        return self._caller.each(answers.Schedule, path_of("schedules"), {"limit": PAGE})

    def get(self, schedule_id: str) -> answers.Schedule:
        return self._caller.answer(answers.Schedule, calls.get(path_of("schedules", schedule_id)))

    def create(
        self, *, name: str, members: Sequence[str], idempotency_key: str | None = None, **others: Any
    ) -> answers.Schedule:
        """`members` take their turns in this order; the other members are those of the API."""
        body = {"name": name, "members": members, **others}
        return self._caller.answer(answers.Schedule, calls.post(path_of("schedules"), body, key=idempotency_key))

    def update(self, schedule_id: str, *, if_match: int | None = None, **members: Any) -> answers.Schedule:
        """Changes these members and leaves the rest.

        `if_match` is the `version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        call = calls.put(path_of("schedules", schedule_id), members, if_match=if_match)
        return self._caller.answer(answers.Schedule, call)

    def delete(self, schedule_id: str, *, if_match: int | None = None) -> None:
        self._caller.delete(path_of("schedules", schedule_id), if_match=if_match)

    def on_call(self, schedule_id: str, *, at: datetime | None = None) -> answers.OnCall:
        """Who has it at that instant, or now."""
        call = calls.get(path_of("schedules", schedule_id, "on-call"), {"at": at})
        return self._caller.answer(answers.OnCall, call)
