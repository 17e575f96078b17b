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

from statuspulse.catalog import reception
from statuspulse.delivery.lookup import ProviderLookup
from statuspulse.delivery.registry import providers
from statuspulse.delivery.vendors import Vendors
from statuspulse.domain.actor import Actor
from statuspulse.domain.incident import IncidentState, Move, ResolveReason
from statuspulse.domain.integration import Kind, SyncStatus
from statuspulse.domain.message import Facts
from statuspulse.domain.monitor import Severity
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import HOUR, MINUTE, SECOND
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.engine import syncing
from statuspulse.engine.inbound.worker import InboundWorker
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
from tests.emulators.jira import EMAIL, OWN_ACCOUNT, PERSON, SECRET, TOKEN, Fault, Hook, JiraCloud
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
        self.kinds = providers(gate, public_url="https://status.acme.example", vendors=Vendors(), clock=clock)
        self.dispatcher = partial(world.dispatcher, kinds=_KINDS, providers=self.kinds)
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

    async def hear(self, *hooks: Hook) -> None:
        """The webhooks arrive and are worked off."""

        def receive(connection: Connection) -> None:
            integration = integrations.get(connection, TEAM, INTEGRATION)
            assert integration is not None
            for hook in hooks:
                headers = {name.lower(): value for name, value in hook.headers.items()}
                assert reception.is_authentic(integration, self.world.keyring, headers, hook.body)
                reception.receive(connection, integration, headers, hook.body, self.world.clock())

        self.world.write(receive)
        lookup = ProviderLookup(self.world.keyring, self.kinds)
        worker = InboundWorker(self.world.database, self.world.bus, lookup, now=self.world.clock)
        async with asyncio.TaskGroup() as tasks:
            await worker.turn(tasks)

    def stored(self, incident: Incident) -> Incident:
        found = self.world.database.read_now(lambda connection: incidents.get(connection, TEAM, incident.id))
        assert found is not None
        return found

    def told(self, incident: Incident, kind: str) -> list[dict[str, Any]]:
        """The details of the entries of a kind in the timeline."""
        return [entry.detail for entry in self.world.timeline(incident) if entry.type == kind]

    def sync(self, incident: Incident) -> Sync:
        found = self.world.database.read_now(
            lambda connection: incident_syncs.get(connection, incident.id, INTEGRATION)
        )
        assert found is not None
        return found

    def linked(self, incident: Incident) -> dict[str, str | None] | None:
        return self.stored(incident).external_ids.get("jira")

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


async def test_a_person_who_moves_the_issue_moves_the_incident_once_and_nothing_comes_back(ground: Ground) -> None:
    incident = ground.open()
    await ground.work_off()
    key = ground.sync(incident).external_id or ""
    for status, state in (("In Progress", IncidentState.ACKNOWLEDGED), ("Done", IncidentState.RESOLVED)):
        hook = ground.jira.move(key, status)
        await ground.hear(hook, hook)
        await ground.work_off()
        assert ground.stored(incident).state is state
    assert ground.stored(incident).resolved_by == Actor("integration", INTEGRATION, "Maya Rodriguez")
    assert [one["state"] for one in ground.told(incident, "state_changed")] == ["acknowledged", "resolved"]
    assert ground.jira.moves_by(OWN_ACCOUNT) == []
    assert ground.jira.issues[key].comments == []


async def test_an_acknowledgement_after_the_end_does_not_reopen(ground: Ground) -> None:
    incident = ground.open()
    await ground.work_off()
    ground.move(incident, Move.RESOLVE)
    await ground.work_off()
    await ground.hear(*ground.jira.hooks, ground.jira.move(ground.sync(incident).external_id or "", "In Progress"))
    await ground.work_off()
    assert ground.stored(incident).state is IncidentState.RESOLVED
    assert ground.jira.moves_by(OWN_ACCOUNT) == ["Done"]


async def test_a_webhook_tells_of_an_issue_before_the_index_knows_it(ground: Ground) -> None:
    ground.chances.fault = lambda _: Fault.CUT_AFTER if not ground.chances.seen else None
    ground.chances.lag = lambda: HOUR
    incident = ground.open()
    await turn(ground.dispatcher())
    assert ground.linked(incident) is None
    await ground.hear(*ground.jira.hooks)
    assert ground.linked(incident) == {"id": "OPS-1", "url": f"{ground.jira.url}/browse/OPS-1"}
    await ground.work_off()
    assert len(ground.jira.issues) == 1
    assert ground.jira.issues["OPS-1"].comments == []


async def test_a_clone_of_an_issue_does_not_take_its_place(ground: Ground) -> None:
    incident = ground.open()
    await ground.work_off()
    clone = ground.jira.add(labels=list(ground.jira.issues["OPS-1"].fields["labels"]))
    await ground.hear(*ground.jira.hooks, ground.jira.move(clone.key, "Done"))
    assert ground.sync(incident).external_id == "OPS-1"
    assert ground.stored(incident).state is IncidentState.TRIGGERED


@pytest.mark.parametrize("seed", range(8))
async def test_both_sides_end_alike_and_each_has_moved_the_other_once(ground: Ground, seed: int) -> None:
    """People here and there do the same things at any time; webhooks come late, twice and in any order."""
    chance = random.Random(seed)
    faults = [Fault.CUT_AFTER, Fault.GATEWAY_AFTER, Fault.BUSY, Fault.BROKEN]
    incident = ground.open()
    await ground.work_off()
    issue = ground.jira.issues[ground.sync(incident).external_id or ""]
    ground.chances.fault = lambda _: chance.choice(faults) if chance.random() < 0.3 else None
    told, written = 0, 0
    for _ in range(12):
        ground.world.clock.at += round(chance.random() * 20 * SECOND)
        match chance.randrange(7):
            case 0 if ground.stored(incident).state is IncidentState.TRIGGERED:
                ground.move(incident, Move.ACKNOWLEDGE)
            case 1 if ground.stored(incident).is_open and chance.random() < 0.4:
                ground.move(incident, Move.RESOLVE)
            case 2 if issue.status == "To Do":
                ground.jira.move(issue.key, "In Progress")
            case 3 if issue.status != "Done" and chance.random() < 0.4:
                ground.jira.move(issue.key, "Done")
            case 4:
                ground.jira.write(issue.key, f"Look at {written}.")
                written += 1
            case 5:
                await turn(ground.dispatcher())
            case _:
                late = ground.jira.hooks[told:]
                chance.shuffle(late)
                told = len(ground.jira.hooks)
                await ground.hear(*late, *late[: chance.randrange(3)])
    for _ in range(2):
        await ground.work_off()
        await ground.hear(*ground.jira.hooks)
    states = [one["state"] for one in ground.told(incident, "state_changed")]
    assert states in ([], ["acknowledged"], ["resolved"], ["acknowledged", "resolved"])
    ends = {"triggered": "To Do", "acknowledged": "In Progress", "resolved": "Done"}
    assert issue.status == ends[ground.stored(incident).state.value]
    assert len(ground.told(incident, "note")) == written
    mine, theirs = ground.jira.moves_by(OWN_ACCOUNT), ground.jira.moves_by(PERSON)
    assert len(set(mine)) == len(mine)
    assert not set(mine) & set(theirs)
