"""Incidents and Jira keep in step, whatever goes wrong between them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from statuspulse.domain.actor import Actor
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.integration import SyncStatus
from statuspulse.domain.times import HOUR, MINUTE, SECOND
from statuspulse.storage.incidents import Incident
from statuspulse.storage.integrations import Integration
from tests.deep import deep
from tests.emulators.jira import EMAIL, OWN_ACCOUNT, PERSON, SECRET, TOKEN, Fault, Hook, Issue, JiraCloud
from tests.integrations.world import NOW, Clock, World
from tests.targets import until

_DOUBTS = [Fault.CUT_AFTER, Fault.GATEWAY_AFTER, Fault.CUT_BEFORE]


@dataclass
class Chances:
    """What goes wrong at the emulator: nothing, until a test says so. `seen` holds what went wrong."""

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


@pytest.fixture
def chances() -> Chances:
    return Chances()


@pytest.fixture
def jira(clock: Clock, chances: Chances) -> Iterator[JiraCloud]:
    with JiraCloud(now=clock, index_lag=chances.draw_lag, fault=chances.draw) as emulator:
        yield emulator


@pytest.fixture
def integration(world: World, jira: JiraCloud) -> Integration:
    return world.connect(
        kind="jira", base_url=jira.url, email=EMAIL, api_token=TOKEN, webhook_secret=SECRET, project_key="OPS",
        issue_type="Bug", create_on=["critical", "error"], priority_map={"critical": "Highest"}, direction="both",
    )  # fmt: skip


def triggered(world: World, severity: str = "critical", **more: Any) -> Incident:
    return world.submit(title="Checkout is down", severity=severity, **more)


def moved(world: World, incident: Incident, state: str) -> Incident:
    return world.submit(incident_id=incident.id, state=state)


async def hear(world: World, integration: Integration, *hooks: Hook) -> None:
    await world.hear(integration, [hook.message for hook in hooks])


def issue_of(world: World, jira: JiraCloud, incident: Incident) -> Issue:
    return jira.issues[world.sync_of(incident).external_id or ""]


def told(world: World, incident: Incident, kind: str, member: str) -> list[Any]:
    """A member of the details of each entry of a kind in the timeline."""
    return [entry.detail[member] for entry in world.timeline(incident) if entry.type == kind]


def failures(world: World) -> list[dict[str, Any]]:
    return [json.loads(body)["data"] for body in world.events("incident.sync_failed")]


@pytest.mark.usefixtures("integration")
async def test_an_incident_has_its_issue_and_the_issue_moves_with_it(world: World, jira: JiraCloud) -> None:
    incident = triggered(world)
    await world.settle()
    issue = issue_of(world, jira, incident)
    link = {"id": issue.key, "url": f"{jira.url}/browse/{issue.key}"}
    assert world.incident(incident).external_ids == {"jira": link}
    moved(world, incident, "acknowledged")
    assert world.sync_of(incident).status is SyncStatus.PENDING
    await world.settle()
    world.note(incident, "Redis is full.")
    moved(world, incident, "resolved")
    await world.settle()
    assert issue.moves == ["In Progress", "Done"]
    assert len(issue.comments) == 3
    assert world.sync_of(incident).status is SyncStatus.SYNCED


@pytest.mark.usefixtures("integration")
async def test_exactly_one_issue_for_each_incident_of_a_storm_while_a_third_of_the_answers_is_lost(
    world: World, jira: JiraCloud, chances: Chances
) -> None:
    chance = random.Random(20261130)
    chances.fault = lambda _: chance.choice(_DOUBTS) if chance.random() < 0.3 else None
    chances.lag = lambda: round(chance.random() * 3 * MINUTE)
    opened = [triggered(world) for _ in range(20)]
    for incident in opened:
        moved(world, incident, "acknowledged")
    await world.settle()
    for incident in opened:
        moved(world, incident, "resolved")
    await world.settle()
    assert len(jira.issues) == 20
    assert {world.sync_of(incident).external_id for incident in opened} == set(jira.issues)
    assert all(world.sync_of(incident).status is SyncStatus.SYNCED for incident in opened)
    assert all(issue.moves == ["In Progress", "Done"] for issue in jira.issues.values())
    assert all(len(issue.comments) == 2 for issue in jira.issues.values())
    assert len(chances.seen) > 10


@pytest.mark.usefixtures("integration")
async def test_a_dispatcher_that_is_killed_while_it_creates_makes_no_second_issue(
    world: World, jira: JiraCloud, chances: Chances
) -> None:
    chances.fault = lambda _: Fault.SILENT if not chances.seen else None
    chances.lag = lambda: MINUTE
    incident = triggered(world)
    killed = asyncio.create_task(world.turn())
    await until(lambda: jira.issues)
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    world.clock.at += MINUTE
    await world.settle()
    assert world.sync_of(incident).external_id == "OPS-1"
    assert len(jira.issues) == 1


@pytest.mark.usefixtures("integration")
async def test_only_severities_that_are_wanted_get_an_issue(world: World, jira: JiraCloud) -> None:
    triggered(world, "warning")
    triggered(world, "error")
    triggered(world, "critical", notify=False)
    await world.settle()
    assert len(jira.issues) == 1


@pytest.mark.usefixtures("integration")
async def test_an_issue_that_is_named_is_bound_and_told_instead_of_a_new_one(world: World, jira: JiraCloud) -> None:
    made = jira.add()
    incident = triggered(world, "warning", external_ids={"jira": made.key})
    assert world.sync_of(incident).url == f"{jira.url}/browse/{made.key}"
    await world.settle()
    moved(world, incident, "resolved")
    await world.settle()
    assert len(jira.issues) == 1
    assert (made.moves, len(made.comments)) == (["Done"], 2)


@pytest.mark.usefixtures("integration")
async def test_an_issue_that_is_linked_later_is_told_and_brought_to_where_the_incident_is(
    world: World, jira: JiraCloud
) -> None:
    incident, made = triggered(world, "warning"), jira.add()
    moved(world, incident, "acknowledged")
    world.patch(incident, external_ids={"jira": made.key})
    await world.settle()
    assert (made.moves, len(made.comments)) == (["In Progress"], 2)


@pytest.mark.usefixtures("integration")
async def test_an_issue_that_does_not_exist_is_a_failed_sync(world: World) -> None:
    incident = triggered(world, external_ids={"jira": "OPS-999"})
    await world.settle()
    sync = world.sync_of(incident)
    assert sync.last_error is not None
    assert (sync.status, sync.last_error["code"]) == (SyncStatus.FAILED, "http_404")
    (failed,) = failures(world)
    assert (failed["operation"], failed["final"], failed["incident"]["id"]) == ("link", True, incident.id)


@pytest.mark.usefixtures("integration")
async def test_what_was_refused_is_made_once_it_is_asked_for_again(world: World, jira: JiraCloud) -> None:
    jira.token = "rotated"
    incident = triggered(world)
    await world.settle()
    (failed,) = failures(world)
    assert (failed["operation"], failed["last_error"]["code"]) == ("create_issue", "http_401")
    jira.token = TOKEN
    assert world.sync(incident) == 1
    await world.settle()
    assert world.sync_of(incident).status is SyncStatus.SYNCED
    assert len(jira.issues) == 1


@pytest.mark.usefixtures("integration")
async def test_a_site_whose_index_lags_opens_no_breaker_for_other_incidents(
    world: World, jira: JiraCloud, chances: Chances
) -> None:
    """Looking for an issue that may exist is no sign of a site that is ill."""
    chances.fault = lambda _: Fault.CUT_AFTER if len(chances.seen) < 4 else None
    chances.lag = lambda: 3 * MINUTE
    for _ in range(5):
        triggered(world)
    await world.settle()
    assert len(jira.issues) == 5
    assert world.clock() - NOW < 10 * MINUTE


async def test_a_person_who_moves_the_issue_moves_the_incident_once_and_nothing_comes_back(
    world: World, jira: JiraCloud, integration: Integration
) -> None:
    incident = triggered(world)
    await world.settle()
    issue = issue_of(world, jira, incident)
    for status, state in (("In Progress", IncidentState.ACKNOWLEDGED), ("Done", IncidentState.RESOLVED)):
        hook = jira.move(issue.key, status)
        await hear(world, integration, hook, hook)
        await world.settle()
        assert world.incident(incident).state is state
    assert world.incident(incident).resolved_by == Actor("integration", integration.id, "Maya Rodriguez")
    assert told(world, incident, "state_changed", "state") == ["acknowledged", "resolved"]
    assert (jira.moves_by(OWN_ACCOUNT), issue.comments) == ([], [])


async def test_an_acknowledgement_after_the_end_does_not_reopen(
    world: World, jira: JiraCloud, integration: Integration
) -> None:
    incident = triggered(world)
    await world.settle()
    moved(world, incident, "resolved")
    await world.settle()
    await hear(world, integration, *jira.hooks, jira.move(issue_of(world, jira, incident).key, "In Progress"))
    await world.settle()
    assert world.incident(incident).state is IncidentState.RESOLVED
    assert jira.moves_by(OWN_ACCOUNT) == ["Done"]


async def test_a_webhook_tells_of_an_issue_before_the_index_knows_it(
    world: World, jira: JiraCloud, integration: Integration, chances: Chances
) -> None:
    chances.fault = lambda _: Fault.CUT_AFTER if not chances.seen else None
    chances.lag = lambda: HOUR
    incident = triggered(world)
    await world.turn()
    assert world.incident(incident).external_ids == {}
    await hear(world, integration, *jira.hooks)
    link = {"id": "OPS-1", "url": f"{jira.url}/browse/OPS-1"}
    assert world.incident(incident).external_ids == {"jira": link}
    await world.settle()
    assert (len(jira.issues), jira.issues["OPS-1"].comments) == (1, [])


async def test_a_clone_of_an_issue_does_not_take_its_place(
    world: World, jira: JiraCloud, integration: Integration
) -> None:
    incident = triggered(world)
    await world.settle()
    clone = jira.add(labels=jira.issues["OPS-1"].fields["labels"])
    await hear(world, integration, *jira.hooks, jira.move(clone.key, "Done"))
    assert world.sync_of(incident).external_id == "OPS-1"
    assert world.incident(incident).state is IncidentState.TRIGGERED


async def test_what_only_pushes_hears_nothing(world: World, jira: JiraCloud, integration: Integration) -> None:
    incident = triggered(world)
    await world.settle()
    pushing = world.alter(integration, direction="push")
    await hear(world, pushing, jira.move("OPS-1", "Done"))
    assert world.incident(incident).state is IncidentState.TRIGGERED


@pytest.mark.parametrize("seed", [0, 1, 2, *deep((3, 4, 5, 6, 7))])
async def test_both_sides_end_alike_and_each_has_moved_the_other_once(
    world: World, jira: JiraCloud, integration: Integration, chances: Chances, seed: int
) -> None:
    """People here and there do the same things at any time; webhooks come late, twice and in any order."""
    chance = random.Random(seed)
    faults = [Fault.CUT_AFTER, Fault.GATEWAY_AFTER, Fault.BUSY, Fault.BROKEN]
    incident = triggered(world)
    await world.settle()
    issue = issue_of(world, jira, incident)
    chances.fault = lambda _: chance.choice(faults) if chance.random() < 0.3 else None
    heard, written = 0, 0
    for _ in range(12):
        world.clock.at += round(chance.random() * 20 * SECOND)
        state = world.incident(incident).state
        match chance.randrange(7):
            case 0 if state is IncidentState.TRIGGERED:
                moved(world, incident, "acknowledged")
            case 1 if state is not IncidentState.RESOLVED and chance.random() < 0.4:
                moved(world, incident, "resolved")
            case 2 if issue.status == "To Do":
                jira.move(issue.key, "In Progress")
            case 3 if issue.status != "Done" and chance.random() < 0.4:
                jira.move(issue.key, "Done")
            case 4:
                jira.write(issue.key, f"Look at {written}.")
                written += 1
            case 5:
                await world.turn()
            case _:
                late = jira.hooks[heard:]
                chance.shuffle(late)
                heard = len(jira.hooks)
                await hear(world, integration, *late, *late[: chance.randrange(3)])
    for _ in range(2):
        await world.settle()
        await hear(world, integration, *jira.hooks)
    states = told(world, incident, "state_changed", "state")
    assert states in ([], ["acknowledged"], ["resolved"], ["acknowledged", "resolved"])
    ends = {"triggered": "To Do", "acknowledged": "In Progress", "resolved": "Done"}
    assert issue.status == ends[world.incident(incident).state.value]
    assert len(told(world, incident, "note", "text")) == written
    mine, theirs = jira.moves_by(OWN_ACCOUNT), jira.moves_by(PERSON)
    assert len(set(mine)) == len(mine)
    assert not set(mine) & set(theirs)
