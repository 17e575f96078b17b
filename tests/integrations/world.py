"""A team whose incidents are kept in step with a system that a test plays: dispatcher and inbound worker by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from statuspulse.bus.local import LocalBus
from statuspulse.catalog import incidents as catalog
from statuspulse.catalog import integrations, reception
from statuspulse.catalog.integrations import Made
from statuspulse.catalog.references import Change
from statuspulse.delivery.dispatcher import Dispatcher
from statuspulse.delivery.lookup import ProviderLookup
from statuspulse.delivery.provider import Provider
from statuspulse.domain.actor import Actor
from statuspulse.domain.times import DAY, from_text, to_text
from statuspulse.egress.policy import Policy
from statuspulse.engine.inbound.worker import InboundWorker
from statuspulse.metrics import Metrics
from statuspulse.storage import events, incident_syncs, incidents, outbox, sync_log, teams
from statuspulse.storage import integrations as stored
from statuspulse.storage.database import Database
from statuspulse.storage.events import EventFilter
from statuspulse.storage.incident_syncs import Sync
from statuspulse.storage.incidents import Incident, TimelineEntry
from statuspulse.storage.integrations import Integration
from statuspulse.storage.outbox import Aside, Notification
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.sync_log import Said
from statuspulse.storage.teams import Team

NOW = from_text("2026-11-23T06:24:43.881Z")
TEAM = "team_1a2b3c4d"
POLICY = Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=())
ANA = Actor("token", "tok_7h3k9m2p", "ops automation")


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> int:
        return self.at

    def text(self) -> str:
        return to_text(self.at)


class World:
    """One team and its integrations."""

    def __init__(self, database: Database, providers: Mapping[str, Provider], clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.keyring = Keyring(b"k" * 32)
        self.bus = LocalBus()
        self.providers = providers
        self.dispatcher = self.another()
        lookup = ProviderLookup(self.keyring, providers)
        self.worker = InboundWorker(database, self.bus, lookup, now=clock)
        team = Team(id=TEAM, slug="acme", name="Acme", created_at=NOW, updated_at=NOW)
        self.write(lambda connection: teams.insert(connection, team))

    def another(self, owner: str = "one") -> Dispatcher:
        """A dispatcher as after a restart."""
        return Dispatcher(
            self.database,
            self.keyring,
            self.bus,
            {},
            Metrics(),
            now=self.clock,
            owner=owner,
            random=lambda: 0.5,
            providers=self.providers,
        )

    def write(self, work: Callable[[Connection], Any]) -> Any:
        return self.database.submit(work).result(10)

    def read(self, work: Callable[[Connection], Any]) -> Any:
        return self.database.read_now(work)

    # What people do.

    def connect(self, **members: Any) -> Integration:
        return self.made(**members).integration

    def made(self, **members: Any) -> Made:
        made: Made = self.write(
            lambda connection: integrations.create(connection, self.keyring, POLICY, self.change(), members)
        )
        return made

    def alter(self, integration: Integration, **members: Any) -> Integration:
        altered: Integration = self.write(
            lambda connection: integrations.edit(
                connection, self.keyring, POLICY, self.change(), integration.id, members
            )
        )
        return altered

    def submit(self, **body: Any) -> Incident:
        """What POST /v1/incidents does."""
        outcome = self.write(lambda connection: catalog.submit(connection, self.change(), body))
        found: Incident = outcome.incident
        return found

    def patch(self, incident: Incident, **body: Any) -> Incident:
        outcome = self.write(
            lambda connection: catalog.edit(connection, self.change(), incident.id, body, if_match=None)
        )
        found: Incident = outcome.incident
        return found

    def note(self, incident: Incident, text: str) -> None:
        self.write(lambda connection: catalog.annotate(connection, self.change(), incident.id, {"text": text}))

    def sync(self, incident: Incident) -> int:
        """What POST /v1/incidents/{id}/sync does."""
        _, count = self.write(lambda connection: integrations.sync_again(connection, self.change(), incident.id))
        return int(count)

    def change(self) -> Change:
        return Change(team_id=TEAM, actor=ANA, now=self.clock(), strict=False)

    # What happens by itself.

    async def turn(self, dispatcher: Dispatcher | None = None) -> None:
        """Hands over everything that is due now, as often as something is."""
        while self.due_at() <= self.clock():
            before = self.due_at()
            async with asyncio.TaskGroup() as tasks:
                await (dispatcher or self.dispatcher).turn(tasks)
            if self.due_at() == before:
                self.clock.at += 500  # the pace of a receiver, or a breaker

    async def settle(self, longest: int = DAY) -> None:
        """Lets time pass until nothing is owed any more."""
        until = self.clock() + longest
        while (due_at := self.due_at()) < until:
            self.clock.at = max(self.clock.at, int(due_at))
            await self.turn()

    def due_at(self) -> float:
        at = self.read(lambda connection: outbox.next_due_at(connection, Aside()))
        return float("inf") if at is None else at

    async def hear(self, integration: Integration, messages: Iterable[tuple[dict[str, str], bytes]]) -> None:
        """Takes in what the other side sends, and works it off."""
        for headers, body in messages:
            assert self.takes(integration, headers, body)
        async with asyncio.TaskGroup() as tasks:
            await self.worker.turn(tasks)

    def takes(self, integration: Integration, headers: dict[str, str], body: bytes) -> bool:
        """Whether a message is authentic; then it waits to be worked off."""
        if not reception.is_authentic(integration, self.keyring, headers, body, self.clock()):
            return False
        self.write(lambda one: reception.receive(one, integration, headers, body, self.clock()))
        return True

    # What a test looks at.

    def incident(self, incident: Incident) -> Incident:
        found: Incident | None = self.read(lambda connection: incidents.get(connection, TEAM, incident.id))
        assert found is not None
        return found

    def sync_of(self, incident: Incident) -> Sync:
        found: list[Sync] = self.read(lambda connection: incident_syncs.of_incident(connection, TEAM, incident.id))
        (sync,) = found
        return sync

    def rows(self, incident: Incident) -> list[Notification]:
        found: list[Notification] = self.read(lambda connection: outbox.of_incident(connection, TEAM, incident.id))
        return found

    def timeline(self, incident: Incident) -> list[TimelineEntry]:
        page = self.read(lambda connection: incidents.timeline_page(connection, incident.id, after=0, limit=200))
        return [entry for _, entry in page]

    def events(self, kind: str) -> list[str]:
        wanted = EventFilter(types=(kind,))
        found = self.read(
            lambda connection: events.page(connection, TEAM, wanted, after=None, descending=False, limit=500)
        )
        return [event.body for event in found]

    def log(self, integration: Integration) -> list[Said]:
        found: list[Said] = self.read(
            lambda connection: sync_log.page(connection, integration.id, after=None, descending=False, limit=500)
        )
        return found

    def integration(self, integration: Integration) -> Integration:
        found: Integration | None = self.read(lambda connection: stored.get(connection, TEAM, integration.id))
        assert found is not None
        return found
