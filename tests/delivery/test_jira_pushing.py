"""One change of an incident told to Jira: one issue, moved once, whatever is lost on the way."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from statuspulse.delivery.channel import Delivered, Refused, Retry
from statuspulse.delivery.providers.jira.issue import label_of
from statuspulse.delivery.providers.jira.pushing import Operation, Push, Pushed
from statuspulse.delivery.providers.jira.settings import Credentials, Settings
from statuspulse.delivery.providers.jira.site import Site
from statuspulse.domain.backoff import CHANNELS
from statuspulse.domain.message import Action, Facts, Message, Subject
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import MINUTE, SECOND
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from tests.delivery.world import NOW, Clock
from tests.emulators.jira import EMAIL, STRICT, TOKEN, Fault, JiraCloud

INCIDENT = "inc_4m8n2v5w"
STATES = {Action.TRIGGER: "triggered", Action.ACKNOWLEDGE: "acknowledged", Action.RESOLVE: "resolved"}


@dataclass
class Kept:
    """What is remembered of an issue, on this side of the process."""

    key: str | None = None
    begun_at: int | None = None

    async def begin(self, at: int) -> None:
        self.begun_at = at

    async def forget(self) -> None:
        self.begun_at = None

    async def bind(self, key: str) -> None:
        self.key, self.begun_at = key, None


class Ground:
    """A Jira, a clock that both sides read, and the way between them."""

    def __init__(self, client: HttpClient, clock: Clock, jira: JiraCloud) -> None:
        self.clock = clock
        self.jira = jira
        self._client = client
        self.settings = Settings(
            base_url=jira.url, email=EMAIL, project_key="OPS", issue_type="Bug", create_on=frozenset({"critical"})
        )

    async def push(self, message: Message, memory: Kept, *, again: bool = False, token: str = TOKEN) -> Pushed:
        site = Site(self._client, Credentials(base_url=self.jira.url, email=EMAIL, api_token=Secret(token)))
        push = Push(site, self.settings, memory, public_url="https://status.acme.example", now=self.clock)
        return await push.run(message, f"evt_{message.action.value}", again=again)

    async def until_done(self, message: Message, memory: Kept) -> Pushed:
        """As the dispatcher does: again and again on the ladder."""
        owed_at, attempts = self.clock(), 0
        while True:
            pushed = await self.push(message, memory, again=attempts > 0)
            attempts += 1
            if not isinstance(pushed.outcome, Retry):
                return pushed
            due = CHANNELS.next_attempt(
                attempts=attempts, owed_at=owed_at, now=self.clock(), jitter=0.5,
                retry_after=pushed.outcome.retry_after,
            )  # fmt: skip
            assert due is not None, "given up"
            self.clock.at = due


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    yield HttpClient(gate)
    gate.close()


@pytest.fixture
def ground(client: HttpClient) -> Iterator[Ground]:
    with site(client) as made:
        yield made


@contextmanager
def site(client: HttpClient, **changes: Any) -> Iterator[Ground]:
    clock = Clock()
    with JiraCloud(now=clock, **changes) as jira:
        yield Ground(client, clock, jira)


def a_message(action: Action = Action.TRIGGER, incident_id: str = INCIDENT, note: str | None = None) -> Message:
    return Message(
        action=action, at=NOW, incident_id=incident_id, number=318, title="Checkout\nService is down",
        severity="critical", state=STATES.get(action, "triggered"), actor="Maya", assignee=None,
        facts=Facts(
            subject=Subject(id="mon_9x2k4p7q", name="Checkout", type="http", target="x", runbook_url="https://r.example/1"),
            since=NOW, reason="503 <b>\x07", note=note,
        ),
    )  # fmt: skip


async def test_an_incident_gets_one_issue_that_tells_of_it(ground: Ground) -> None:
    memory = Kept()
    pushed = await ground.push(a_message(), memory)
    (issue,) = ground.jira.issues.values()
    assert (pushed, memory.key) == (Pushed(Delivered(201), Operation.CREATE_ISSUE), issue.key)
    assert (
        issue.fields["summary"],
        issue.fields["labels"],
    ) == ("Checkout Service is down", ["statuspulse", "sp-inc-4m8n2v5w"])
    assert issue.properties["statuspulse.incident"] == {"id": INCIDENT, "number": 318}
    assert "priority" not in issue.fields


async def test_a_severity_has_the_priority_that_the_team_gave_it(ground: Ground) -> None:
    ground.settings = replace(ground.settings, priority_map={"critical": "Highest"}, issue_type="10002")
    await ground.push(a_message(), Kept())
    (issue,) = ground.jira.issues.values()
    assert (issue.fields["priority"], issue.fields["issuetype"]) == ({"name": "Highest"}, {"id": "10002"})


async def test_a_refused_field_is_named_and_is_no_doubt(ground: Ground) -> None:
    ground.settings = replace(ground.settings, priority_map={"critical": "P1"})
    memory = Kept()
    pushed = await ground.push(a_message(), memory)
    assert Refused(error="field_refused: priority", status=400) == pushed.outcome
    assert memory.begun_at is None


async def test_a_wrong_token_is_refused_before_anything_is_written(ground: Ground) -> None:
    pushed = await ground.push(a_message(), Kept(), token="wrong")
    assert Refused(error="http_401", status=401) == pushed.outcome
    assert not ground.jira.issues


async def test_exactly_one_issue_for_each_of_a_hundred_incidents_of_which_thirty_in_a_hundred_are_in_doubt(
    client: HttpClient,
) -> None:
    chance = random.Random(20261130)
    doubts: list[Fault] = []

    def fault(_: str) -> Fault | None:
        if chance.random() >= 0.3:
            return None
        doubts.append(chance.choice([Fault.CUT_AFTER, Fault.GATEWAY_AFTER, Fault.CUT_BEFORE]))
        return doubts[-1]

    with site(client, fault=fault, index_lag=lambda: round(chance.random() * 4 * MINUTE)) as ground:
        for number in range(100):
            incident_id, memory = f"inc_{number:08}", Kept()
            for action in (Action.TRIGGER, Action.ACKNOWLEDGE, Action.RESOLVE):
                pushed = await ground.until_done(a_message(action, incident_id), memory)
                assert isinstance(pushed.outcome, Delivered)
            (issue,) = ground.jira.labelled(label_of(incident_id))
            assert memory.key == issue.key
            assert issue.moves == ["In Progress", "Done"]
            assert [one["properties"][0]["value"]["id"] for one in issue.comments] == ["evt_acknowledge", "evt_resolve"]
        assert not ground.jira.refused
        assert len(ground.jira.issues) == 100
        assert len(doubts) > 150


async def test_a_process_that_died_between_creating_and_remembering_creates_nothing_twice(client: HttpClient) -> None:
    with site(client, index_lag=lambda: 2 * MINUTE) as ground:
        memory = Kept()
        await ground.push(a_message(), memory)
        reborn = Kept(begun_at=ground.clock())
        first = await ground.push(a_message(), reborn)
        assert isinstance(first.outcome, Retry)
        assert first.outcome.error == "creation_in_doubt"
        ground.clock.at += 2 * MINUTE
        await ground.push(a_message(), reborn)
        assert (reborn.key, 1) == (memory.key, len(ground.jira.issues))


async def test_what_was_lost_is_created_once_the_index_had_its_time(client: HttpClient) -> None:
    faults = [Fault.CUT_BEFORE]
    with site(client, fault=lambda _: faults.pop() if faults else None) as ground:
        memory = Kept()
        pushed = await ground.until_done(a_message(), memory)
        assert Delivered(201) == pushed.outcome
        assert len(ground.jira.issues) == 1
        assert 5 * MINUTE <= ground.clock() - NOW < 6 * MINUTE


async def test_a_site_that_is_busy_is_left_alone_for_as_long_as_it_asks_and_is_in_no_doubt(client: HttpClient) -> None:
    faults = [Fault.BUSY]
    with site(client, fault=lambda _: faults.pop() if faults else None) as ground:
        await ground.until_done(a_message(), Kept())
        assert (len(ground.jira.issues), ground.clock() - NOW) == (1, 2 * SECOND)


async def test_a_work_flow_in_another_language_is_gone_through_by_categories(client: HttpClient) -> None:
    with site(client, workflow=STRICT) as ground:
        memory = Kept()
        await ground.push(a_message(), memory)
        pushed = await ground.push(a_message(Action.RESOLVE), memory)
        (issue,) = ground.jira.issues.values()
        assert isinstance(pushed.outcome, Delivered)
        assert (issue.moves, issue.resolution) == (["In Arbeit", "Erledigt"], "Done")


async def test_a_transition_may_be_chosen_by_its_name(client: HttpClient) -> None:
    with site(client, workflow=STRICT) as ground:
        ground.settings = replace(ground.settings, acknowledged="beginnen")
        memory = Kept()
        await ground.push(a_message(), memory)
        await ground.push(a_message(Action.ACKNOWLEDGE), memory)
        (issue,) = ground.jira.issues.values()
        assert issue.moves == ["In Arbeit"]


async def test_a_status_that_no_transition_leads_to_is_told_as_such(ground: Ground) -> None:
    ground.settings = replace(ground.settings, acknowledged="Waiting for customer")
    memory = Kept()
    await ground.push(a_message(), memory)
    ground.jira.move(memory.key or "", "In Progress")
    pushed = await ground.push(a_message(Action.ACKNOWLEDGE), memory)
    assert Pushed(Refused(error="no_transition"), Operation.TRANSITION) == pushed


async def test_what_people_have_finished_is_not_begun_again(ground: Ground) -> None:
    memory = Kept()
    await ground.push(a_message(), memory)
    ground.jira.move(memory.key or "", "Done")
    await ground.push(a_message(Action.ACKNOWLEDGE), memory)
    assert ground.jira.issues[memory.key or ""].moves == ["Done"]


async def test_an_issue_that_people_made_is_bound_and_told_instead_of_a_new_one(ground: Ground) -> None:
    made = ground.jira.add()
    memory = Kept(key=made.key)
    pushed = await ground.push(a_message(), memory)
    assert isinstance(pushed.outcome, Delivered)
    assert len(ground.jira.issues) == 1
    assert (len(made.comments), made.properties["statuspulse.incident"]) == (1, {"id": INCIDENT, "number": 318})


async def test_a_note_is_a_comment_and_moves_nothing(ground: Ground) -> None:
    memory = Kept()
    await ground.push(a_message(), memory)
    await ground.push(a_message(Action.UPDATE, note="Redis is full.\nScaling."), memory)
    (issue,) = ground.jira.issues.values()
    assert (issue.moves, issue.comments[0]["body"]["content"][1]["content"][2]["text"]) == ([], "Scaling.")


async def test_an_issue_that_is_gone_is_refused_for_good(ground: Ground) -> None:
    pushed = await ground.push(a_message(Action.RESOLVE), Kept(key="OPS-999"))
    assert Pushed(Refused(error="http_404", status=404), Operation.LINK) == pushed
