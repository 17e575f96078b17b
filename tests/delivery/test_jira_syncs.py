"""Incidents of the engine, the dispatcher and Jira: one issue each, where the incident is, whatever is lost."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.delivery.registry import providers
from statuspulse.delivery.vendors import Vendors
from statuspulse.domain.actor import Actor
from statuspulse.domain.incident import Move, ResolveReason
from statuspulse.domain.integration import Kind, SyncStatus
from statuspulse.domain.message import Facts
from statuspulse.domain.monitor import Severity
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import HOUR, MINUTE
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.engine import syncing
from statuspulse.engine.incidents import Opening, change, open_incident
from statuspulse.storage import events, incident_syncs, incidents, integrations, outbox
from statuspulse.storage.database import Database
from statuspulse.storage.events import EventFilter
from statuspulse.storage.incident_syncs import Sync
from statuspulse.storage.incidents import Incident
from statuspulse.storage.integrations import Integration
from statuspulse.storage.outbox import Aside
from tests.delivery.receiver import Receiver
from tests.delivery.world import NOW, TEAM, Clock, World, turn
from tests.emulators.jira import EMAIL, SECRET, TOKEN, Fault, JiraCloud
from tests.targets import until

INTEGRATION = "int_4f6h8k2m"
MAYA = Actor("token", "tok_7h3k9m2p", "Maya")
_KINDS: dict[str, Any] = {}


@dataclass
class Chances:
    """What goes wrong at the emulator: nothing, until a test says so."""

    fault: Callable[[str], Fault | None] = lambda _: None
    lag: Callable[[], int] = lambda: 0
    seen: list[Fault] = field(default_factory=list)

    def draw_lag(self) -> int:
        return self.lag()

    def draw(self, call: str) -> Fault | None:
        fault = self.fault(call)
        if fault is not None:
            self.seen.append(fault)
        return fault


class Ground:
    """A world with an integration of Jira, and what people and monitors do in it."""

    def __init__(self, world: World, jira: JiraCloud, gate: Gate, chances: Chances) -> None:
        self.world = world
        self.jira = jira
        self.chances = chances
        clock = asyncio.get_running_loop().time
        kinds = providers(gate, public_url="https://status.acme.example", vendors=Vendors(), clock=clock)
        self.dispatcher = partial(world.dispatcher, kinds=_KINDS, providers=kinds)
        secrets = {"api_token": Secret(TOKEN), "webhook_secret": Secret(SECRET)}
        made = Integration(
            id=INTEGRATION, team_id=TEAM, kind=Kind.JIRA, name="Jira", enabled=True,
            config={
                "base_url": jira.url, "email": EMAIL, "project_key": "OPS", "issue_type": "Bug",
                "create_on": ["critical", "error"], "priority_map": {"critical": "Highest"}, "direction": "both",
                "transitions": {"acknowledged": "indeterminate", "resolved": "done"},
            },
            secrets_sealed=integrations.sealed(world.keyring, INTEGRATION, TEAM, secrets),
            created_at=NOW, updated_at=NOW,
        )  # fmt: skip
        world.write(lambda connection: integrations.insert(connection, made))

    def open(self, severity: Severity = Severity.CRITICAL, **more: Any) -> Incident:
        opening = Opening(
            team_id=TEAM, title="Checkout is down", severity=severity, source="manual",
            triggered_at=self.world.clock(), **more,
        )  # fmt: skip
        made: Incident = self.world.write(
            lambda connection: open_incident(connection, opening, MAYA, self.world.clock(), Facts())
        )
        return made

    def move(self, incident: Incident, move: Move, actor: Actor = MAYA) -> Incident:
        reason = ResolveReason.MANUAL if move is Move.RESOLVE else None

        def work(connection: Connection) -> Incident:
            stored = incidents.get(connection, TEAM, incident.id)
            assert stored is not None
            return change(connection, stored, move, actor, self.world.clock(), facts=Facts(), reason=reason)

        moved: Incident = self.world.write(work)
        return moved

    async def work_off(self) -> None:
        """The dispatcher at work until nothing is owed any more; time passes as far as it has to."""
        dispatcher, clock = self.dispatcher(), self.world.clock
        while True:
            rest = await turn(dispatcher)
            due = self.world.database.read_now(lambda connection: outbox.next_due_at(connection, Aside()))
            if due is None:
                return
            clock.at = max(clock.at + round(rest * 1000), min(due, clock.at + HOUR))

    def sync(self, incident: Incident) -> Sync:
        found = self.world.database.read_now(
            lambda connection: incident_syncs.get(connection, incident.id, INTEGRATION)
        )
        assert found is not None
        return found

    def linked(self, incident: Incident) -> dict[str, str | None] | None:
        found = self.world.database.read_now(lambda connection: incidents.get(connection, TEAM, incident.id))
        assert found is not None
        return found.external_ids.get("jira")

    def failures(self) -> list[dict[str, Any]]:
        """The data of every `incident.sync_failed`."""
        wanted = EventFilter(types=("incident.sync_failed",))
        logged = self.world.database.read_now(
            lambda connection: events.page(connection, TEAM, wanted, after=None, descending=False, limit=100)
        )
        return [json.loads(one.body) for one in logged]


@pytest.fixture
async def ground(sqlite_database: Database, receiver: Receiver) -> AsyncIterator[Ground]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    clock, chances = Clock(), Chances()
    with JiraCloud(now=clock, index_lag=chances.draw_lag, fault=chances.draw) as jira:
        yield Ground(World(sqlite_database, receiver, _KINDS, clock), jira, gate, chances)
    gate.close()


async def test_an_incident_has_its_issue_and_the_issue_moves_with_it(ground: Ground) -> None:
    incident = ground.open()
    await ground.work_off()
    (issue,) = ground.jira.issues.values()
    assert ground.linked(incident) == {"id": issue.key, "url": f"{ground.jira.url}/browse/{issue.key}"}
    ground.move(incident, Move.ACKNOWLEDGE)
    assert ground.sync(incident).status is SyncStatus.PENDING
    await ground.work_off()
    ground.move(incident, Move.RESOLVE)
    await ground.work_off()
    assert issue.moves == ["In Progress", "Done"]
    assert ground.sync(incident).status is SyncStatus.SYNCED


async def test_exactly_one_issue_for_each_incident_of_a_storm_while_a_third_of_the_answers_is_lost(
    ground: Ground,
) -> None:
    chance = random.Random(20261130)
    faults = [Fault.CUT_AFTER, Fault.GATEWAY_AFTER, Fault.CUT_BEFORE]
    ground.chances.fault = lambda _: chance.choice(faults) if chance.random() < 0.3 else None
    ground.chances.lag = lambda: round(chance.random() * 3 * MINUTE)
    opened = [ground.open() for _ in range(20)]
    for incident in opened:
        ground.move(incident, Move.ACKNOWLEDGE)
    await ground.work_off()
    for incident in opened:
        ground.move(incident, Move.RESOLVE)
    await ground.work_off()
    assert len(ground.jira.issues) == 20
    assert {ground.sync(incident).external_id for incident in opened} == set(ground.jira.issues)
    assert all(ground.sync(incident).status is SyncStatus.SYNCED for incident in opened)
    assert all(issue.moves == ["In Progress", "Done"] for issue in ground.jira.issues.values())
    assert all(len(issue.comments) == 2 for issue in ground.jira.issues.values())
    assert len(ground.chances.seen) > 10


async def test_a_dispatcher_that_is_killed_in_the_middle_of_creating_creates_no_second_issue(ground: Ground) -> None:
    ground.chances.fault = lambda _: Fault.SILENT if not ground.chances.seen else None
    ground.chances.lag = lambda: MINUTE
    incident = ground.open()
    killed = asyncio.create_task(turn(ground.dispatcher()))
    await until(lambda: ground.jira.issues)
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    ground.world.clock.at += MINUTE
    await ground.work_off()
    assert ground.sync(incident).external_id == "OPS-1"
    assert len(ground.jira.issues) == 1


async def test_only_severities_that_are_wanted_get_an_issue(ground: Ground) -> None:
    ground.open(Severity.WARNING)
    ground.open(Severity.ERROR)
    await ground.work_off()
    assert len(ground.jira.issues) == 1


async def test_an_issue_that_is_named_is_bound_and_told_instead_of_a_new_one(ground: Ground) -> None:
    made = ground.jira.add()
    incident = ground.open(Severity.WARNING, external_ids={"jira": {"id": made.key, "url": None}})
    assert ground.sync(incident).url == f"{ground.jira.url}/browse/{made.key}"
    await ground.work_off()
    ground.move(incident, Move.RESOLVE)
    await ground.work_off()
    assert len(ground.jira.issues) == 1
    assert (made.moves, len(made.comments)) == (["Done"], 2)


async def test_an_issue_that_does_not_exist_is_a_failed_sync(ground: Ground) -> None:
    incident = ground.open(external_ids={"jira": {"id": "OPS-999", "url": None}})
    await ground.work_off()
    sync = ground.sync(incident)
    assert sync.last_error is not None
    assert (sync.status, sync.last_error["code"]) == (SyncStatus.FAILED, "http_404")
    (failed,) = ground.failures()
    assert (failed["data"]["operation"], failed["data"]["final"]) == ("link", True)


async def test_what_was_refused_is_made_once_it_is_asked_for_again(ground: Ground) -> None:
    ground.jira.secret_token = "rotated"
    incident = ground.open()
    await ground.work_off()
    (failed,) = ground.failures()
    assert (failed["data"]["operation"], failed["data"]["last_error"]["code"]) == ("create_issue", "http_401")
    ground.jira.secret_token = TOKEN
    assert ground.world.write(lambda connection: syncing.again(connection, incident, ground.world.clock())) == 1
    await ground.work_off()
    assert ground.sync(incident).status is SyncStatus.SYNCED
    assert len(ground.jira.issues) == 1


async def test_a_site_whose_index_lags_opens_no_breaker_for_other_incidents(ground: Ground) -> None:
    """Looking for an issue that may exist is no sign of a site that is ill."""
    ground.chances.fault = lambda _: Fault.CUT_AFTER if len(ground.chances.seen) < 4 else None
    ground.chances.lag = lambda: 3 * MINUTE
    for _ in range(5):
        ground.open()
    await ground.work_off()
    assert len(ground.jira.issues) == 5
    assert ground.world.clock() - NOW < 10 * MINUTE
