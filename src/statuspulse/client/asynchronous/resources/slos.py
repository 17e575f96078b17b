"""What was promised, and whether it was kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.asynchronous.resources.resource import AsyncResource
from statuspulse.client.calls import PAGE, path_of


class AsyncSlos(AsyncResource):
    """Service level objectives and their reports.

    A report is of the month `period` (`2026-10`), of `start` to `end`, or of the period that holds now.
    """

    def list(self) -> AsyncIterator[answers.Slo]:
        return self._caller.each(answers.Slo, path_of("slos"), {"limit": PAGE})

    async def get(self, slo_id: str) -> answers.Slo:
        """An objective, and what is left of its budget."""
        return await self._caller.answer(answers.Slo, calls.get(path_of("slos", slo_id)))

    async def create(
        self, *, name: str, objective_pct: float, idempotency_key: str | None = None, **members: Any
    ) -> answers.Slo:
        """One over a `monitor_id`, or over all monitors that have every one of the `tags`."""
        body = {"name": name, "objective_pct": objective_pct, **members}
        return await self._caller.answer(answers.Slo, calls.post(path_of("slos"), body, key=idempotency_key))

    async def update(self, slo_id: str, *, if_match: int | None = None, **members: Any) -> answers.Slo:
        """Changes these members and leaves the rest; None takes one back to its default.

        `if_match` is the `version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        call = calls.patch(path_of("slos", slo_id), members, if_match=if_match)
        return await self._caller.answer(answers.Slo, call)

    async def delete(self, slo_id: str, *, if_match: int | None = None) -> None:
        await self._caller.delete(path_of("slos", slo_id), if_match=if_match)

    async def report(
        self, slo_id: str, *, period: str | None = None, start: datetime | None = None, end: datetime | None = None
    ) -> answers.SloReport:
        call = calls.get(path_of("slos", slo_id, "report"), {"period": period, "from": start, "to": end})
        return await self._caller.answer(answers.SloReport, call)

    async def report_table(
        self, slo_id: str, *, period: str | None = None, start: datetime | None = None, end: datetime | None = None
    ) -> str:
        """The report as CSV (RFC 4180)."""
        call = calls.get(path_of("slos", slo_id, "report.csv"), {"period": period, "from": start, "to": end})
        return await self._caller.text("text/csv", call)

    async def report_page(
        self, slo_id: str, *, period: str | None = None, start: datetime | None = None, end: datetime | None = None
    ) -> str:
        """The report as an HTML page to be printed."""
        call = calls.get(path_of("slos", slo_id, "report.html"), {"period": period, "from": start, "to": end})
        return await self._caller.text("text/html", call)

    def reports(
        self, *, period: str | None = None, start: datetime | None = None, end: datetime | None = None
    ) -> AsyncIterator[answers.SloReport]:
        """The reports of all objectives."""
        query = {"limit": PAGE, "period": period, "from": start, "to": end}
        return self._caller.each(answers.SloReport, path_of("slos", "reports"), query)
