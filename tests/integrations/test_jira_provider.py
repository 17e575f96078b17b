"""One change of an incident told to Jira: one issue, moved once, whatever is lost on the way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from statuspulse.delivery.channel import Outcome, Refused, Retry
from statuspulse.delivery.provider import Account, Known, Push, Pushed, Tried
from statuspulse.delivery.providers.jira.provider import JiraProvider
from statuspulse.domain.backoff import CHANNELS
from statuspulse.domain.integration import Operation
from statuspulse.domain.jira.labels import label_of
from statuspulse.domain.message import Action, Facts, Message, Subject
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import MINUTE, SECOND
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from tests.emulators.jira import EMAIL, OWN_ACCOUNT, STRICT, TOKEN, Fault, JiraCloud
from tests.integrations.world import NOW, Clock

INCIDENT = "inc_4m8n2v5w"
STATES = {Operation.ACKNOWLEDGE: "acknowledged", Operation.RESOLVE: "resolved"}
ACTIONS = {
    Operation.ACKNOWLEDGE: Action.ACKNOWLEDGE,
    Operation.RESOLVE: Action.RESOLVE,
    Operation.NOTE: Action.UPDATE,
}


class Ground:
    """A Jira, a clock that both sides read, and what is known of one incident there."""

    def __init__(self, client: HttpClient, clock: Clock, jira: JiraCloud) -> None:
        self.clock = clock
        self.jira = jira
        self.provider = JiraProvider(
            client, public_url="https://status.acme.example", clock=asyncio.get_running_loop().time
        )
        self.config: dict[str, Any] = {
            "base_url": jira.url, "email": EMAIL, "project_key": "OPS", "issue_type": "Bug", "priority_map": {},
            "transitions": {"acknowledged": "indeterminate", "resolved": "done"},
        }  # fmt: skip
        self.token = TOKEN
        self.known = Known()

    @property
    def account(self) -> Account:
        return Account(config=self.config, secrets={"api_token": Secret(self.token)})

    async def push(
        self,
        operation: Operation,
        incident_id: str = INCIDENT,
        *,
        tried: tuple[Tried, ...] = (),
        note: str | None = None,
    ) -> Outcome:
        push = Push(
            operation=operation, message=a_message(operation, incident_id, note), known=self.known,
            repeated=bool(tried), tried=tried, key=f"evt_{incident_id}_{operation.value}", at=self.clock(),
        )  # fmt: skip
        outcome = await self.provider.push(self.account, push)
        if isinstance(outcome, Pushed):
            self.known = Known(
                external_id=outcome.external_id or self.known.external_id,
                url=outcome.url or self.known.url,
                opened=True,
                kept=outcome.keep or self.known.kept,
            )
        return outcome

    async def until_done(self, operation: Operation, incident_id: str = INCIDENT) -> Outcome:
        """As the dispatcher does: again and again on the ladder."""
        owed_at, tried = self.clock(), tuple[Tried, ...]()
        while True:
            outcome = await self.push(operation, incident_id, tried=tried)
            if not isinstance(outcome, Retry):
                return outcome
            tried = (*tried, Tried(self.clock(), outcome.error))
            due = CHANNELS.next_attempt(
                attempts=len(tried), owed_at=owed_at, now=self.clock(), jitter=0.5, retry_after=outcome.retry_after
            )
            assert due is not None, "given up"
            self.clock.at = due


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    yield HttpClient(gate)
    gate.close()


@pytest.fixture
async def ground(client: HttpClient) -> AsyncIterator[Ground]:
    with site(client) as made:
        yield made


@contextmanager
def site(client: HttpClient, **changes: Any) -> Iterator[Ground]:
    clock = Clock()
    with JiraCloud(now=clock, **changes) as jira:
        yield Ground(client, clock, jira)


def a_message(operation: Operation, incident_id: str, note: str | None) -> Message:
    runbook = "https://runbooks.example/1"
    return Message(
        action=ACTIONS.get(operation, Action.TRIGGER), at=NOW, incident_id=incident_id, number=318,
        title="Checkout\nService is down", severity="critical", state=STATES.get(operation, "triggered"),
        actor="Maya", assignee=None,
        facts=Facts(
            subject=Subject(id="mon_9x2k4p7q", name="Checkout", type="http", target="x", runbook_url=runbook),
            since=NOW, reason="503 <b>\x07", note=note,
        ),
    )  # fmt: skip


async def test_an_incident_gets_one_issue_that_tells_of_it(ground: Ground) -> None:
    pushed = await ground.push(Operation.TRIGGER)
    (issue,) = ground.jira.issues.values()
    url = f"{ground.jira.url}/browse/{issue.key}"
    assert pushed == Pushed(201, external_id=issue.key, url=url, keep=Secret("created"), author=OWN_ACCOUNT)
    assert issue.fields["summary"] == "Checkout Service is down"
    assert issue.fields["labels"] == ["statuspulse", "sp-inc-4m8n2v5w"]
    assert issue.properties["statuspulse.incident"] == {"id": INCIDENT, "number": 318}
    assert "priority" not in issue.fields


async def test_a_severity_has_the_priority_that_the_team_gave_it(ground: Ground) -> None:
    ground.config |= {"priority_map": {"critical": "Highest"}, "issue_type": "10002"}
    await ground.push(Operation.TRIGGER)
    (issue,) = ground.jira.issues.values()
    assert (issue.fields["priority"], issue.fields["issuetype"]) == ({"name": "Highest"}, {"id": "10002"})


async def test_a_refused_field_is_named(ground: Ground) -> None:
    ground.config["priority_map"] = {"critical": "P1"}
    assert await ground.push(Operation.TRIGGER) == Refused(error="field_refused: priority", status=400)


async def test_a_wrong_token_is_refused_before_anything_is_written(ground: Ground) -> None:
    ground.token = "wrong"
    assert await ground.push(Operation.TRIGGER) == Refused(error="http_401", status=401)
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

    with site(client, fault=fault, index_lag=lambda: round(chance.random() * 3 * MINUTE)) as ground:
        for number in range(100):
            incident_id, ground.known = f"inc_{number:08}", Known()
            for operation in (Operation.TRIGGER, Operation.ACKNOWLEDGE, Operation.RESOLVE):
                assert isinstance(await ground.until_done(operation, incident_id), Pushed)
            (issue,) = ground.jira.labelled(label_of(incident_id))
            marks = [one["properties"][0]["value"]["id"] for one in issue.comments]
            assert ground.known.external_id == issue.key
            assert issue.moves == ["In Progress", "Done"]
            assert marks == [f"evt_{incident_id}_acknowledge", f"evt_{incident_id}_resolve"]
        assert not ground.jira.refused
        assert len(ground.jira.issues) == 100
        assert len(doubts) > 150


async def test_a_process_that_died_between_creating_and_remembering_creates_nothing_twice(client: HttpClient) -> None:
    with site(client, index_lag=lambda: 2 * MINUTE) as ground:
        await ground.push(Operation.TRIGGER)
        made, ground.known = ground.known.external_id, Known()
        unknown = (Tried(ground.clock(), None),)
        assert await ground.push(Operation.TRIGGER, tried=unknown) == Retry(error="creation_awaited", status=200)
        ground.clock.at += 2 * MINUTE
        await ground.push(Operation.TRIGGER, tried=unknown)
        assert (ground.known.external_id, len(ground.jira.issues)) == (made, 1)


async def test_what_was_lost_is_created_once_the_index_had_its_time(client: HttpClient) -> None:
    faults = [Fault.CUT_BEFORE]
    with site(client, fault=lambda _: faults.pop() if faults else None) as ground:
        await ground.until_done(Operation.TRIGGER)
        assert len(ground.jira.issues) == 1
        assert 4 * MINUTE <= ground.clock() - NOW < 7 * MINUTE


async def test_a_site_that_is_busy_is_left_alone_for_as_long_as_it_asks_and_is_in_no_doubt(client: HttpClient) -> None:
    faults = [Fault.BUSY]
    with site(client, fault=lambda _: faults.pop() if faults else None) as ground:
        await ground.until_done(Operation.TRIGGER)
        assert (len(ground.jira.issues), ground.clock() - NOW) == (1, 2 * SECOND)


async def test_a_work_flow_in_another_language_is_gone_through_by_categories(client: HttpClient) -> None:
    with site(client, workflow=STRICT) as ground:
        await ground.push(Operation.TRIGGER)
        assert isinstance(await ground.push(Operation.RESOLVE), Pushed)
        (issue,) = ground.jira.issues.values()
        assert (issue.moves, issue.resolution) == (["In Arbeit", "Erledigt"], "Done")


async def test_a_transition_may_be_chosen_by_its_name(client: HttpClient) -> None:
    with site(client, workflow=STRICT) as ground:
        ground.config["transitions"]["acknowledged"] = "beginnen"
        await ground.push(Operation.TRIGGER)
        await ground.push(Operation.ACKNOWLEDGE)
        (issue,) = ground.jira.issues.values()
        assert issue.moves == ["In Arbeit"]


async def test_a_transition_by_its_name_that_nobody_answered_is_not_asked_for_again(client: HttpClient) -> None:
    faults: list[Fault] = []
    with site(client, workflow=STRICT, fault=lambda _: faults.pop() if faults else None) as ground:
        ground.config["transitions"]["acknowledged"] = "Beginnen"
        await ground.push(Operation.TRIGGER)
        faults.append(Fault.CUT_AFTER)
        assert isinstance(await ground.until_done(Operation.ACKNOWLEDGE), Pushed)
        (issue,) = ground.jira.issues.values()
        assert (issue.moves, len(issue.comments)) == (["In Arbeit"], 1)


async def test_a_status_that_no_transition_leads_to_is_told_as_such(ground: Ground) -> None:
    ground.config["transitions"]["acknowledged"] = "Waiting for customer"
    await ground.push(Operation.TRIGGER)
    ground.jira.move(ground.known.external_id or "", "In Progress")
    assert await ground.push(Operation.ACKNOWLEDGE) == Refused(error="no_transition", status=200)


async def test_what_people_have_finished_is_not_begun_again(ground: Ground) -> None:
    await ground.push(Operation.TRIGGER)
    (issue,) = ground.jira.issues.values()
    ground.jira.move(issue.key, "Done")
    await ground.push(Operation.ACKNOWLEDGE)
    assert issue.moves == ["Done"]


async def test_an_incident_that_comes_back_takes_its_issue_out_of_what_is_done(ground: Ground) -> None:
    for operation in (Operation.TRIGGER, Operation.RESOLVE, Operation.REOPEN):
        await ground.push(operation)
    (issue,) = ground.jira.issues.values()
    assert issue.moves == ["Done", "To Do"]


async def test_an_acknowledgement_that_is_withdrawn_is_told_and_moves_nothing(ground: Ground) -> None:
    for operation in (Operation.TRIGGER, Operation.ACKNOWLEDGE, Operation.UNACKNOWLEDGE):
        await ground.push(operation)
    (issue,) = ground.jira.issues.values()
    assert (issue.moves, len(issue.comments)) == (["In Progress"], 2)


async def test_an_issue_that_people_made_is_told_instead_of_a_new_one(ground: Ground) -> None:
    made = ground.jira.add()
    ground.known = Known(external_id=made.key, opened=True)
    assert isinstance(await ground.push(Operation.TRIGGER), Pushed)
    assert len(ground.jira.issues) == 1
    assert (len(made.comments), made.properties["statuspulse.incident"]) == (1, {"id": INCIDENT, "number": 318})


async def test_an_issue_of_ours_that_a_webhook_told_of_first_is_not_told_of_itself(ground: Ground) -> None:
    await ground.push(Operation.TRIGGER)
    ground.known = Known(external_id=ground.known.external_id)
    await ground.push(Operation.TRIGGER, tried=(Tried(ground.clock(), None),))
    (issue,) = ground.jira.issues.values()
    assert (issue.comments, ground.known.kept) == ([], Secret("created"))


async def test_a_note_is_a_comment_and_moves_nothing(ground: Ground) -> None:
    await ground.push(Operation.TRIGGER)
    await ground.push(Operation.NOTE, note="Redis is full.\nScaling.")
    (issue,) = ground.jira.issues.values()
    assert (issue.moves, issue.comments[0]["body"]["content"][0]["content"][2]["text"]) == ([], "Scaling.")


async def test_an_issue_that_is_gone_is_refused_for_good(ground: Ground) -> None:
    ground.known = Known(external_id="OPS-999", opened=True)
    assert await ground.push(Operation.RESOLVE) == Refused(error="http_404", status=404)


async def test_an_issue_that_was_moved_to_another_project_is_known_by_its_new_key(ground: Ground) -> None:
    await ground.push(Operation.TRIGGER)
    ground.jira.relocate(ground.known.external_id or "", "NEW-7")
    await ground.push(Operation.RESOLVE)
    assert (ground.known.external_id, ground.known.url) == ("NEW-7", f"{ground.jira.url}/browse/NEW-7")
    assert ground.jira.issues["NEW-7"].moves == ["Done"]


async def test_without_an_issue_there_is_nothing_to_move(ground: Ground) -> None:
    assert await ground.push(Operation.RESOLVE) == Refused(error="issue_missing")


async def test_a_trial_writes_nothing_and_tells_who_we_are(ground: Ground) -> None:
    tested = await ground.provider.test(ground.account, key="evt_1", at=NOW)
    assert tested == Pushed(200, author=OWN_ACCOUNT)
    assert not [one for one in ground.jira.arrivals if not one.what.startswith("GET ")]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"issue_type": "Epic"}, "issue_type_unknown"),
        ({"project_key": "NOPE"}, "http_404"),
    ],
)
async def test_a_trial_tells_what_is_configured_wrongly(ground: Ground, changes: dict[str, str], error: str) -> None:
    ground.config |= changes
    tested = await ground.provider.test(ground.account, key="evt_1", at=NOW)
    assert isinstance(tested, Refused)
    assert tested.error == error


async def test_a_trial_names_the_permission_that_is_missing(ground: Ground) -> None:
    ground.jira.permitted.remove("ADD_COMMENTS")
    tested = await ground.provider.test(ground.account, key="evt_1", at=NOW)
    assert tested == Refused(error="permission_missing: ADD_COMMENTS", status=200)


async def test_an_issue_tells_which_incident_it_stands_for(ground: Ground) -> None:
    await ground.push(Operation.TRIGGER)
    made = ground.jira.add()
    assert await ground.provider.incidents_of(ground.account, ground.known.external_id or "") == (INCIDENT,)
    assert await ground.provider.incidents_of(ground.account, made.key) == ()
    assert await ground.provider.incidents_of(ground.account, "OPS-999") == ()


async def test_the_calls_of_an_attempt_share_its_time(client: HttpClient) -> None:
    """The search leaves 0.3 s of the attempt for the creation, of which no answer ever comes."""
    with site(client, fault=lambda _: Fault.SILENT) as ground:
        times = iter([0.0, 0.1, 14.7])
        ground.provider = JiraProvider(client, public_url="https://status.acme.example", clock=lambda: next(times))
        assert await ground.push(Operation.TRIGGER) == Retry(error="creation_unanswered")
