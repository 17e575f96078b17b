"""What the dispatcher's tests have in common: a ledger of debts, a clock, and the dispatcher itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection

from statuspulse.bus.bus import Topic
from statuspulse.bus.local import LocalBus
from statuspulse.catalog import channels as catalog
from statuspulse.catalog.instance import Instance
from statuspulse.delivery.channel import Channel
from statuspulse.delivery.dispatcher import Dispatcher
from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.ids import new_id
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.message import Action, Facts, Message, Subject
from statuspulse.domain.monitor import Severity
from statuspulse.domain.times import from_text
from statuspulse.egress.policy import Policy
from statuspulse.metrics import Metrics
from statuspulse.storage import channels, incidents, outbox, teams
from statuspulse.storage.channels import Channel as StoredChannel
from statuspulse.storage.database import Database
from statuspulse.storage.incidents import Incident, TimelineEntry
from statuspulse.storage.outbox import Debt, Delivery, Notification
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.teams import Team
from tests.delivery.receiver import Receiver
from tests.owed import all_of_incident

NOW = from_text("2026-11-23T06:24:43.881Z")
TEAM = "team_1a2b3c4d"


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> int:
        return self.at


class World:
    """One team, its channels on one receiver, and as many incidents as a test opens."""

    def __init__(
        self, database: Database, receiver: Receiver, kinds: Mapping[str, Channel], clock: Clock | None = None
    ) -> None:
        self.database = database
        self.receiver = receiver
        self.keyring = Keyring(b"k" * 32)
        self.clock = clock or Clock()
        self.kinds = kinds
        self.bus = LocalBus()
        self.metrics = Metrics()
        self._events = 0
        self.write(
            lambda connection: teams.insert(
                connection, Team(id=TEAM, slug="acme", name="Acme", created_at=NOW, updated_at=NOW)
            )
        )

    def dispatcher(self, owner: str = "one", kinds: Mapping[str, Channel] | None = None, **changes: Any) -> Dispatcher:
        parts: dict[str, Any] = {"now": self.clock, "owner": owner, "random": lambda: 0.5, **changes}
        keyring = parts.pop("keyring", self.keyring)
        return Dispatcher(self.database, keyring, self.bus, kinds or self.kinds, self.metrics, **parts)

    def counted(self, name: str) -> dict[tuple[str, ...], float]:
        """What a counter of the metrics has come to, by the values of its labels."""
        [family] = getattr(self.metrics, name).collect()
        return {tuple(each.labels.values()): each.value for each in family.samples if each.name.endswith("_total")}

    def write(self, work: Callable[[Connection], Any]) -> Any:
        return self.database.submit(work).result(60)

    def channel(self, token: str = "abc123") -> str:
        """The id of a channel whose hook ends in the token."""
        url = f"slack://hooks/T0A1B2C3D/B0X9Y8Z7W/{token}"
        instance = Instance(keyring=self.keyring, policy=Policy(), min_interval_seconds=10)
        made: str = self.write(lambda connection: catalog.provide(connection, TEAM, url, instance, self.clock()))
        return made

    def incident(self, name: str = "Checkout") -> Incident:
        incident = Incident(
            id=new_id("inc"),
            team_id=TEAM,
            number=0,
            monitor_key=None,
            monitor_id=None,
            dedup_key=None,
            state=IncidentState.TRIGGERED,
            version=1,
            title=name,
            severity=Severity.CRITICAL,
            source="monitor",
            assignee=None,
            occurrences=1,
            notify=True,
            policy=None,
            triggered_at=self.clock(),
            triggered_by=SYSTEM,
            created_at=self.clock(),
            updated_at=self.clock(),
        )
        made: Incident = self.write(lambda connection: incidents.insert(connection, incident))
        return made

    def owe(self, incident: Incident, destination: str, action: Action = Action.TRIGGER) -> None:
        """The destination is owed a message about the incident; its text begins with DOWN, ACKNOWLEDGED or UP."""
        self._events += 1
        name = incident.title
        message = Message(
            action=action,
            at=self.clock(),
            incident_id=incident.id,
            number=incident.number,
            title=name,
            severity="critical",
            state="triggered",
            actor="statuspulse",
            assignee=None,
            facts=Facts(
                subject=Subject(id="mon_9x2k4p7q", name=name, type="http", target="x", runbook_url=None),
                since=self.clock(),
            ),
        )
        debt = Debt(
            team_id=TEAM,
            event_id=f"evt_{self._events:04}",
            incident_id=incident.id,
            destination=destination,
            action=action.value,
            dedup_key=incident.id,
            body=message.document(),
        )
        self.write(lambda connection: outbox.owe(connection, [debt], self.clock()))

    def row(self, incident: Incident) -> Notification:
        """The only notification of the incident."""
        (row,) = self.rows(incident)
        return row

    def rows(self, incident: Incident) -> list[Notification]:
        return all_of_incident(self.database, TEAM, incident.id)

    def deliveries(self, row: Notification) -> list[Delivery]:
        return self.database.read_now(lambda connection: outbox.deliveries_of(connection, TEAM, row.id))

    def timeline(self, incident: Incident) -> list[TimelineEntry]:
        page = self.database.read_now(
            lambda connection: incidents.timeline_page(connection, incident.id, after=0, limit=100)
        )
        return [entry for _, entry in page]

    def stored_channel(self, channel_id: str) -> StoredChannel:
        found = self.database.read_now(lambda connection: channels.get(connection, TEAM, channel_id))
        assert found is not None
        return found

    def pass_time(self, milliseconds: int) -> None:
        self.clock.at += milliseconds
        self.bus.wake(Topic.OUTBOX)


async def turn(dispatcher: Dispatcher) -> float:
    """One turn and everything that it started; answers the rest that the dispatcher would take (s)."""
    async with asyncio.TaskGroup() as tasks:
        return await dispatcher.turn(tasks)


@asynccontextmanager
async def running(dispatcher: Dispatcher) -> AsyncIterator[asyncio.Task[None]]:
    """The dispatcher at work; cancelled at the end, and gone."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(dispatcher.run(), name="dispatcher")
        try:
            yield task
        finally:
            task.cancel()
