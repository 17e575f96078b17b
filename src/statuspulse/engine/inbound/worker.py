"""Works off what other systems have told us, in order and each once."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.bus.bus import Bus, Topic
from statuspulse.domain.alert import AlertReport
from statuspulse.domain.integration import Change, Kind, Report, UnreadableError
from statuspulse.domain.times import MINUTE, SECOND
from statuspulse.engine.inbound import alertmanager, alerts, jira, moves, pagerduty
from statuspulse.storage import alerts as stored_alerts
from statuspulse.storage import inbound, integrations, sync_log
from statuspulse.storage.database import Database, DatabaseUnavailableError
from statuspulse.storage.inbound import Inbound
from statuspulse.storage.incidents import IncidentChangedError
from statuspulse.storage.integrations import Integration
from statuspulse.storage.sync_log import Said

log = structlog.get_logger(__name__)
T = TypeVar("T")

# Forms of bodies: the kind of the integration, but for what Prometheus sends on a way of its own.
ALERTS = "alerts"

# Given the members of the integration, too: what a status means is for the team to say.
Read = Callable[[Mapping[str, Any], bytes], Sequence[Report]]
READERS: dict[str, Read] = {Kind.PAGERDUTY.value: pagerduty.read, Kind.JIRA.value: jira.read}

_PER_TURN = 50
# Alerts in one transaction: between two the writer belongs to others.
_STEP = 25
# A wake-up is a hint and may be lost.
_LONGEST_REST_SECONDS = 5.0
_SHORTEST_REST_SECONDS = 0.01
_PAUSE_SECONDS = 1.0
_TRIES = 5
_FIRST_PAUSE = SECOND
_LONGEST_PAUSE = MINUTE
_STRANGERS = 1000
_STRANGE_FOR = MINUTE


class Lookup(Protocol):
    """Asks the other side which incidents of ours an object there stands for; none where it does not say."""

    async def __call__(self, integration: Integration, external_id: str) -> Sequence[str]:
        """Their ids, or texts that are none."""


class InboundWorker:
    """Works until it is cancelled. What was taken in is a row: what waited while nobody looked is done in order."""

    def __init__(self, database: Database, bus: Bus, lookup: Lookup, *, now: Callable[[], int]) -> None:
        self._database = database
        self._bus = bus
        self._lookup = lookup
        self._now = now
        # Until when objects there count as none of ours, so that a busy account is not asked about each event.
        self._strangers: dict[tuple[str, str], int] = {}
        self._in_hand: set[str] = set()

    async def run(self) -> None:
        """Never returns."""
        async with asyncio.TaskGroup() as tasks:
            seen = -1
            while True:
                seen = await self._bus.wait(Topic.INBOUND, seen, await self._turn_or_pause(tasks))

    async def turn(self, tasks: asyncio.TaskGroup) -> float:
        """Starts working off what is due, each integration apart from all others.

        Answers after how long to look again (s); raises DatabaseUnavailableError.
        """
        for integration_id in await self._database.read(lambda one: inbound.waiting(one, self._now())):
            if integration_id not in self._in_hand:
                self._in_hand.add(integration_id)
                tasks.create_task(self._drain(integration_id), name=f"inbound {integration_id}")
        while await self._database.write(self._expire) == _STEP:
            self._bus.wake(Topic.OUTBOX)
        return self._rest(await self._database.read(self._next_due_at))

    async def _turn_or_pause(self, tasks: asyncio.TaskGroup) -> float:
        try:
            return await self.turn(tasks)
        except DatabaseUnavailableError as error:
            log.warning("inbound.database_unavailable", reason=str(error))
            return _PAUSE_SECONDS

    def _next_due_at(self, connection: Connection) -> int | None:
        found = (inbound.next_due_at(connection, self._in_hand), stored_alerts.next_due_at(connection))
        return min((at for at in found if at is not None), default=None)

    def _rest(self, due_at: int | None) -> float:
        rest = _LONGEST_REST_SECONDS if due_at is None else (due_at - self._now()) / SECOND
        return min(max(rest, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS)

    async def _drain(self, integration_id: str) -> None:
        """Everything of one integration, one after the other."""
        try:
            while messages := await self._database.read(
                lambda connection: inbound.due(connection, integration_id, self._now(), _PER_TURN)
            ):
                for message in messages:
                    await self._work(message)
                    self._bus.wake(Topic.OUTBOX)
        except DatabaseUnavailableError as error:
            log.warning("inbound.database_unavailable", reason=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            self._in_hand.discard(integration_id)
            self._bus.wake(Topic.INBOUND)  # what came meanwhile

    async def _work(self, message: Inbound) -> None:
        """A message that cannot be worked off holds up no other."""
        try:
            integration = await self._database.read(
                lambda connection: integrations.any_team_s(connection, message.integration_id)
            )
            if integration is None or not integration.takes_reports:
                await self._database.write(partial(_finish, message, "ignored", None, self._now()))
            elif integration.kind is Kind.ALERTMANAGER:
                await self._take_alerts(integration, message)
            else:
                await self._take_reports(integration, message)
        except UnreadableError as error:
            await self._database.write(partial(_finish, message, "unreadable", str(error), self._now()))
        except (IncidentChangedError, IntegrityError):
            wait = min(_FIRST_PAUSE << message.attempts, _LONGEST_PAUSE)
            await self._database.write(lambda one: inbound.put_off(one, message.key, self._now() + wait))
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours
            # The error's own words may hold what was sent; where it happened does not.
            where = traceback.format_tb(error.__traceback__)[-1].strip()
            log.error("inbound.defect", message=message.key, error=type(error).__name__, where=where)  # noqa: TRY400
            await self._database.write(partial(_finish, message, "defect", type(error).__name__, self._now()))

    async def _take_reports(self, integration: Integration, message: Inbound) -> None:
        reports = []
        for report in READERS[message.form](integration.config, message.body):
            reports += await self._matched(integration, report)
        await self._repeated(partial(_apply_reports, integration, message, reports, self._now()))

    async def _matched(self, integration: Integration, report: Report) -> list[Report]:
        """The report, or one for each incident of ours where only the other side knows which those are."""
        if await self._database.read(lambda connection: moves.met(connection, integration, report)) is not None:
            return [report]
        stranger, now = (integration.id, report.external_id), self._now()
        if report.change is Change.TRIGGERED or self._strangers.get(stranger, 0) > now:
            return [report]
        found: list[Report] = []
        for incident_id in await self._lookup(integration, report.external_id):
            one = moves.standing_for(report, incident_id)
            if await self._database.read(partial(_is_met, integration, one)):
                found.append(one)
        if found:
            return found
        self._strangers[stranger] = now + _STRANGE_FOR
        if len(self._strangers) > _STRANGERS:
            del self._strangers[next(iter(self._strangers))]
        return [report]

    async def _take_alerts(self, integration: Integration, message: Inbound) -> None:
        reports = reports_of(message.form, message.body, message.received_at)
        for start in range(0, max(len(reports), 1), _STEP):
            is_last = start + _STEP >= len(reports)
            step = reports[start : start + _STEP]
            now = self._now()
            await self._repeated(partial(_apply_alerts, integration, message, step, now, is_last=is_last))

    async def _repeated(self, work: Callable[[Connection], T]) -> T:
        """Does again what lost a race: it reads what the other left."""
        for _ in range(_TRIES - 1):
            try:
                return await self._database.write(work)
            except (IncidentChangedError, IntegrityError):
                continue
        return await self._database.write(work)

    def _expire(self, connection: Connection) -> int:
        now = self._now()
        ended = alerts.expire(connection, now, _STEP)
        for alert, resolved in ended:
            said = Said(
                at=now,
                direction=sync_log.IN,
                what="expired",
                outcome="resolved" if resolved else "nothing_to_do",
                incident_id=alert.incident_id,
                external_id=alert.fingerprint,
            )
            sync_log.append(connection, alert.integration_id, said)
        return len(ended)


def reports_of(form: str, body: bytes, received_at: int) -> tuple[AlertReport, ...]:
    """The alerts of a message; raises UnreadableError."""
    if form == ALERTS:
        return alertmanager.read_alerts(body, received_at)
    return alertmanager.read_webhook(body)


def _is_met(integration: Integration, report: Report, connection: Connection) -> bool:
    return moves.met(connection, integration, report) is not None


def _apply_reports(
    integration: Integration, message: Inbound, reports: Sequence[Report], now: int, connection: Connection
) -> None:
    if not inbound.is_pending(connection, message.key):
        return
    for report in reports:
        verdict, incident_id = moves.apply(connection, integration, report, now)
        said = Said(
            at=now,
            direction=sync_log.IN,
            what=report.change.value,
            outcome=verdict.value,
            incident_id=incident_id,
            external_id=report.external_id,
        )
        sync_log.append(connection, integration.id, said)
    if reports:
        inbound.finish(connection, message.key)
    else:
        _finish(message, "nothing_to_do", None, now, connection)


def _apply_alerts(
    integration: Integration,
    message: Inbound,
    reports: Sequence[AlertReport],
    now: int,
    connection: Connection,
    *,
    is_last: bool,
) -> None:
    if not inbound.is_pending(connection, message.key):
        return
    for report in reports:
        verdict, incident_id = alerts.apply(connection, integration, report, now)
        if verdict is alerts.Verdict.REPEATED:
            continue  # each minute of each alert would fill the log
        said = Said(
            at=now,
            direction=sync_log.IN,
            what="firing" if report.is_firing else "resolved",
            outcome=verdict.value,
            incident_id=incident_id,
            external_id=report.fingerprint,
        )
        sync_log.append(connection, integration.id, said)
    if is_last:
        inbound.finish(connection, message.key)


def _finish(message: Inbound, outcome: str, error: str | None, now: int, connection: Connection) -> None:
    """The message ends without anything done."""
    inbound.finish(connection, message.key)
    said = Said(at=now, direction=sync_log.IN, what="message", outcome=outcome, error=error)
    sync_log.append(connection, message.integration_id, said)
