"""Incidents and PagerDuty keep in step, whatever goes wrong between them."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from statuspulse.delivery.dispatcher import Dispatcher
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.integration import SyncStatus
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.storage.incidents import Incident
from statuspulse.storage.integrations import Integration
from statuspulse.storage.outbox import LEASE, State
from tests.emulators.pagerduty import API_TOKEN, ROUTING_KEY, SECRET, SENDER, Fault, PagerDuty
from tests.integrations.world import World
from tests.targets import Arrival, until

OTHER_KEY = "f" * 32
REST = {"api_token": API_TOKEN, "from_email": SENDER}


def connected(world: World, **members: Any) -> Integration:
    usual = {"routing_key": ROUTING_KEY, "rest": REST, "webhook_secret": SECRET, "direction": "both"}
    return world.connect(kind="pagerduty", **{**usual, **members})


def moved(world: World, incident: Incident, state: str, **more: Any) -> Incident:
    return world.submit(incident_id=incident.id, state=state, **more)


def once(*faults: Fault | None) -> Any:
    """These faults in turn, then none."""
    left = list(faults)
    return lambda _arrival: left.pop(0) if left else None


async def test_an_incident_is_one_alert_under_its_id_from_beginning_to_end(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Checkout is down", severity="critical")
    assert world.sync_of(incident).status is SyncStatus.PENDING
    await world.turn()
    alert = pagerduty.only(incident.id)
    assert (alert.status, alert.severity, alert.routing_key) == ("triggered", "critical", ROUTING_KEY)
    assert "Checkout is down" in alert.title
    assert world.sync_of(incident).status is SyncStatus.SYNCED
    moved(world, incident, "acknowledged")
    await world.turn()
    assert alert.status == "acknowledged"
    moved(world, incident, "resolved")
    await world.turn()
    assert alert.status == "resolved"
    assert [said.what for said in world.log(integration)] == ["trigger", "acknowledge", "resolve"]
    assert world.sync_of(incident).version == world.incident(incident).version


async def test_what_is_done_there_is_done_here_once_and_does_not_go_back(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    alert = pagerduty.only(incident.id)
    pagerduty.acknowledge(alert)
    pagerduty.resolve(alert)
    calls = len(pagerduty.arrivals)
    await world.hear(integration, pagerduty.webhooks())
    found = world.incident(incident)
    assert found.state is IncidentState.RESOLVED
    assert found.resolve_reason == "integration"
    assert found.acknowledged_by is not None
    assert (found.acknowledged_by.type, found.acknowledged_by.id) == ("integration", integration.id)
    assert found.acknowledged_by.label == "Maya Rodriguez"
    await world.settle()
    assert len(pagerduty.arrivals) == calls
    assert [len(world.events(f"incident.{kind}")) for kind in ("acknowledged", "resolved")] == [1, 1]
    sync = world.sync_of(incident)
    assert (sync.status, sync.version) == (SyncStatus.SYNCED, found.version)


async def test_their_id_and_page_become_known_by_the_first_webhook(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    assert world.incident(incident).external_ids == {}
    await world.hear(integration, pagerduty.webhooks())
    alert = pagerduty.only(incident.id)
    url = f"https://acme.pagerduty.com/incidents/{alert.id}"
    assert world.incident(incident).external_ids == {"pagerduty": {"id": alert.id, "url": url}}
    assert (world.sync_of(incident).external_id, world.sync_of(incident).url) == (alert.id, url)
    assert "linked" in [entry.type for entry in world.timeline(incident)]


async def test_an_echo_of_ours_moves_nothing(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    await world.hear(integration, pagerduty.webhooks())
    moved(world, incident, "acknowledged")
    await world.turn()
    moved(world, incident, "triggered")  # taken back before PagerDuty has told of the acknowledgement
    await world.turn()
    version = world.incident(incident).version
    await world.hear(integration, pagerduty.webhooks())
    found = world.incident(incident)
    assert (found.state, found.version) == (IncidentState.TRIGGERED, version)
    await world.settle()
    assert pagerduty.only(incident.id).status == "triggered"


async def test_an_acknowledgement_after_the_end_does_not_open_it_again(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    pagerduty.acknowledge(pagerduty.only(incident.id))
    moved(world, incident, "resolved")
    await world.hear(integration, pagerduty.webhooks())
    await world.settle()
    assert world.incident(incident).state is IncidentState.RESOLVED
    assert pagerduty.only(incident.id).status == "resolved"
    assert ("acknowledged", "nothing_to_do") in [(said.what, said.outcome) for said in world.log(integration)]


async def test_an_end_there_overtakes_an_acknowledgement_of_ours(world: World, pagerduty: PagerDuty) -> None:
    """Resolved beats acknowledged, and what waited to acknowledge is not sent to what is over."""
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    moved(world, incident, "acknowledged")
    pagerduty.resolve(pagerduty.only(incident.id))
    await world.hear(integration, pagerduty.webhooks())
    assert world.incident(incident).state is IncidentState.RESOLVED
    calls = len(pagerduty.arrivals)
    await world.settle()
    assert len(pagerduty.arrivals) == calls
    assert [row.state for row in world.rows(incident)] == [State.DELIVERED, State.SUPERSEDED]


async def test_the_same_webhook_twice_counts_once(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    pagerduty.annotate(pagerduty.only(incident.id), "Looking")
    sent = list(pagerduty.webhooks())
    await world.hear(integration, [*sent, *sent])
    await world.hear(integration, sent)
    notes = [entry for entry in world.timeline(incident) if entry.type == "note"]
    assert [(entry.detail["text"], entry.actor.label) for entry in notes] == [("Looking", "Maya Rodriguez")]


async def test_notes_go_over_and_come_back_once(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    world.note(incident, "Scaling replicas")
    await world.turn()
    alert = pagerduty.only(incident.id)
    assert alert.notes == ["Scaling replicas\n\n(ops automation, StatusPulse)"]
    await world.hear(integration, pagerduty.webhooks())
    assert [entry.detail["text"] for entry in world.timeline(incident) if entry.type == "note"] == ["Scaling replicas"]
    await world.settle()
    assert len(alert.notes) == 1


async def test_a_note_whose_answer_was_lost_is_looked_for_before_it_is_written_again(
    world: World, pagerduty: PagerDuty
) -> None:
    connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    lost = [True]

    def fault(arrival: Arrival) -> Fault | None:
        return Fault.LOST if arrival.what.startswith("POST /incidents") and lost and lost.pop() else None

    pagerduty.faults = fault
    world.note(incident, "Scaling replicas")
    await world.settle()
    assert len(pagerduty.only(incident.id).notes) == 1
    assert world.sync_of(incident).status is SyncStatus.SYNCED


async def test_a_note_that_fails_holds_up_no_change(world: World, pagerduty: PagerDuty) -> None:
    """However often it fails, and however many others wait behind it; in the end it is there, too."""
    integration = connected(world)
    incident = world.submit(title="Down")
    other = world.submit(title="Another")
    await world.turn()
    alert = pagerduty.only(incident.id)
    pagerduty.faults = lambda arrival: None if arrival.path.startswith("/v2/") else Fault.BUSY
    world.note(incident, "Scaling replicas")
    await world.turn()
    world.note(incident, "Still scaling")
    moved(world, incident, "acknowledged")
    await world.turn()
    assert alert.status == "acknowledged"
    for _ in range(6):
        world.clock.at += 16 * MINUTE
        await world.turn()
    at = world.clock()
    moved(world, incident, "resolved", notes="Pool enlarged")
    moved(world, other, "resolved")
    await world.turn()
    assert (alert.status, pagerduty.only(other.id).status) == ("resolved", "resolved")
    assert world.clock() - at < 2 * SECOND  # their pace, and no breaker
    pagerduty.faults = lambda _arrival: None
    await world.settle()
    assert [note.partition("\n")[0] for note in alert.notes] == ["Scaling replicas", "Still scaling", "Pool enlarged"]
    told = [
        said.what for said in world.log(integration) if said.incident_id == incident.id and said.outcome == "delivered"
    ]
    assert told == ["trigger", "acknowledge", "resolve", "note", "note", "note"]


async def test_without_rest_notes_stay_here_and_nothing_fails(world: World, pagerduty: PagerDuty) -> None:
    connected(world, rest=None)
    incident = world.submit(title="Down", notes="First look")
    world.note(incident, "Scaling replicas")
    await world.settle()
    assert pagerduty.only(incident.id).notes == []
    assert world.sync_of(incident).status is SyncStatus.SYNCED


async def test_the_end_goes_under_the_key_of_the_trigger(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    pagerduty.routing_keys.add(OTHER_KEY)
    world.alter(integration, routing_key=OTHER_KEY)
    moved(world, incident, "resolved")
    another = world.submit(title="Another")
    await world.turn()
    assert pagerduty.only(incident.id).status == "resolved"
    assert pagerduty.dropped == []
    assert pagerduty.only(another.id).routing_key == OTHER_KEY


async def test_one_that_is_reopened_is_another_alert_there_and_follows_that(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    moved(world, incident, "resolved")
    await world.turn()
    await world.hear(integration, pagerduty.webhooks())
    first = pagerduty.only(incident.id)
    world.clock.at += 10 * MINUTE
    moved(world, incident, "triggered", reopen=True)
    await world.turn()
    first, second = pagerduty.of(incident.id)
    assert (first.status, second.status) == ("resolved", "triggered")
    world.clock.at += SECOND
    await world.hear(integration, pagerduty.webhooks())
    assert world.incident(incident).external_ids["pagerduty"]["id"] == second.id
    pagerduty.acknowledge(second)
    await world.hear(integration, pagerduty.webhooks())
    assert world.incident(incident).state is IncidentState.ACKNOWLEDGED


async def test_what_came_late_from_the_round_before_does_nothing(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    pagerduty.resolve(pagerduty.only(incident.id))
    late = list(pagerduty.webhooks())
    world.clock.at += MINUTE
    moved(world, incident, "resolved")
    world.clock.at += MINUTE
    moved(world, incident, "triggered", reopen=True)
    await world.hear(integration, late)
    assert world.incident(incident).state is IncidentState.TRIGGERED
    assert "stale" in [said.outcome for said in world.log(integration)]


async def test_an_existing_incident_of_theirs_can_be_linked_and_followed(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    theirs = pagerduty.open("Somebody called")
    list(pagerduty.webhooks())
    incident = world.submit(title="Down", external_ids={"pagerduty": theirs.id})
    assert world.sync_of(incident).status is SyncStatus.SYNCED
    await world.settle()
    assert pagerduty.arrivals == []
    moved(world, incident, "acknowledged")
    assert world.sync_of(incident).status is SyncStatus.PENDING
    await world.turn()
    assert theirs.status == "acknowledged"
    # We are known there from then on: our own word for it moves nothing.
    assert world.integration(integration).own_author == "PSP0001"
    await world.hear(integration, pagerduty.webhooks())
    pagerduty.resolve(theirs)
    await world.hear(integration, pagerduty.webhooks())
    assert world.incident(incident).state is IncidentState.RESOLVED
    assert len(pagerduty.incidents) == 1


async def test_an_acknowledgement_of_what_is_over_there_is_not_sent(world: World, pagerduty: PagerDuty) -> None:
    """It would open it again and give it to us."""
    connected(world)
    theirs = pagerduty.open("Somebody called")
    incident = world.submit(title="Down", external_ids={"pagerduty": theirs.id})
    pagerduty.resolve(theirs)
    moved(world, incident, "acknowledged")
    await world.settle()
    assert theirs.status == "resolved"
    assert [arrival.what.split()[0] for arrival in pagerduty.arrivals] == ["GET"]


async def test_a_linked_one_without_rest_fails_where_people_see_it(world: World, pagerduty: PagerDuty) -> None:
    connected(world, rest=None)
    theirs = pagerduty.open("Somebody called")
    incident = world.submit(title="Down", external_ids={"pagerduty": theirs.id})
    moved(world, incident, "acknowledged")
    await world.settle()
    sync = world.sync_of(incident)
    assert sync.status is SyncStatus.FAILED
    assert sync.last_error is not None
    assert sync.last_error["code"] == "rest_missing"


async def test_an_unlinked_one_is_followed_no_more(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    incident = world.submit(title="Down")
    await world.turn()
    await world.hear(integration, pagerduty.webhooks())
    world.patch(incident, external_ids={"pagerduty": None})
    moved(world, incident, "resolved")
    await world.settle()
    assert pagerduty.only(incident.id).status == "triggered"


async def test_incidents_that_are_none_of_ours_change_nothing(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    theirs = pagerduty.open("Somebody called")
    pagerduty.acknowledge(theirs)
    await world.hear(integration, pagerduty.webhooks())
    assert [said.outcome for said in world.log(integration)] == ["unknown_incident", "unknown_incident"]


async def test_one_that_was_merged_into_another_is_found_by_the_keys_of_its_alerts(
    world: World, pagerduty: PagerDuty
) -> None:
    integration = connected(world)
    theirs = pagerduty.open("The network")
    incident = world.submit(title="Down")
    await world.turn()
    await world.hear(integration, pagerduty.webhooks())
    pagerduty.merge(pagerduty.only(incident.id), theirs)
    world.clock.at += 5 * MINUTE
    pagerduty.resolve(theirs)
    await world.hear(integration, pagerduty.webhooks())
    assert world.incident(incident).state is IncidentState.RESOLVED


async def test_a_push_integration_hears_nothing(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world, direction="push")
    incident = world.submit(title="Down")
    await world.turn()
    pagerduty.resolve(pagerduty.only(incident.id))
    await world.hear(integration, pagerduty.webhooks())
    assert world.incident(incident).state is IncidentState.TRIGGERED


async def test_a_quiet_incident_is_no_alert(world: World, pagerduty: PagerDuty) -> None:
    connected(world)
    world.submit(title="Down", notify=False)
    await world.settle()
    assert pagerduty.incidents == {}


async def test_a_signature_is_over_the_raw_bytes(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world)
    pagerduty.open("x")
    ((headers, body),) = pagerduty.webhooks()
    assert world.takes(integration, headers, body)
    assert not world.takes(integration, headers, body + b" ")
    assert not world.takes(integration, {}, body)
    assert not world.takes(integration, {"x-pagerduty-signature": "v1="}, body)
    without = world.alter(integration, webhook_secret=None)
    assert not world.takes(without, headers, body)


async def test_a_refusal_is_told_once_and_a_resync_makes_up_for_it(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world, routing_key=OTHER_KEY)
    incident = world.submit(title="Down")
    await world.settle()
    assert pagerduty.refused.pop().endswith("routing_key is of no service")
    sync = world.sync_of(incident)
    assert sync.status is SyncStatus.FAILED
    assert sync.last_error == {"code": "http_400", "message": "PagerDuty answered 400", "http_status": 400}
    (event,) = (json.loads(body)["data"] for body in world.events("incident.sync_failed"))
    assert (event["provider"], event["operation"], event["attempts"], event["final"]) == (
        "pagerduty",
        "trigger",
        1,
        True,
    )
    assert world.integration(integration).last_error == "http_400"
    world.alter(integration, routing_key=ROUTING_KEY)
    assert world.sync(incident) == 1
    assert world.sync_of(incident).status is SyncStatus.PENDING
    await world.settle()
    assert pagerduty.only(incident.id).status == "triggered"
    assert world.sync_of(incident).status is SyncStatus.SYNCED
    assert world.integration(integration).last_error is None
    assert world.sync(incident) == 0


async def test_the_next_change_gives_a_refused_trigger_another_try(world: World, pagerduty: PagerDuty) -> None:
    integration = connected(world, routing_key=OTHER_KEY)
    incident = world.submit(title="Down")
    await world.settle()
    pagerduty.refused.clear()
    world.alter(integration, routing_key=ROUTING_KEY)
    moved(world, incident, "acknowledged")
    await world.settle()
    assert pagerduty.only(incident.id).status == "acknowledged"
    assert pagerduty.dropped == []


async def test_one_that_never_came_to_be_there_is_not_resolved_there(world: World, pagerduty: PagerDuty) -> None:
    connected(world, routing_key=OTHER_KEY)
    incident = world.submit(title="Down")
    await world.settle()
    pagerduty.refused.clear()
    moved(world, incident, "resolved")
    await world.settle()
    assert pagerduty.incidents == {}
    assert world.sync_of(incident).status is SyncStatus.FAILED


async def test_one_that_stays_away_is_told_of_and_caught_up_with(world: World, pagerduty: PagerDuty) -> None:
    connected(world)
    down = [True]
    pagerduty.faults = lambda _arrival: Fault.CUT if down else None
    incident = world.submit(title="Down")
    await world.settle(HOUR)
    assert world.sync_of(incident).status is SyncStatus.FAILED
    (event,) = (json.loads(body)["data"] for body in world.events("incident.sync_failed"))
    assert (event["final"], event["last_error"]["http_status"]) == (False, None)
    moved(world, incident, "acknowledged")
    down.clear()
    await world.settle(HOUR)
    assert pagerduty.only(incident.id).status == "acknowledged"
    assert world.sync_of(incident).status is SyncStatus.SYNCED


async def test_after_a_day_it_is_given_up(world: World, pagerduty: PagerDuty) -> None:
    connected(world)
    pagerduty.faults = lambda _arrival: Fault.BROKEN
    incident = world.submit(title="Down")
    await world.settle(2 * DAY)
    assert [row.state for row in world.rows(incident)] == [State.DEAD]
    told = [json.loads(body)["data"]["final"] for body in world.events("incident.sync_failed")]
    assert told == [False, True]


async def test_a_wait_that_it_asks_for_is_kept(world: World, pagerduty: PagerDuty) -> None:
    connected(world)
    theirs = pagerduty.open("Somebody called")
    incident = world.submit(title="Down", external_ids={"pagerduty": theirs.id})
    pagerduty.faults = once(Fault.BUSY)
    begun = world.clock.at
    moved(world, incident, "acknowledged")
    await world.settle(HOUR)
    assert world.clock.at - begun >= 7 * SECOND
    assert theirs.status == "acknowledged"


@pytest.mark.parametrize("fault", [Fault.LATE, Fault.LOST, Fault.BUSY, Fault.BROKEN, Fault.CUT])
async def test_one_fault_changes_nothing_of_the_end(world: World, pagerduty: PagerDuty, fault: Fault) -> None:
    connected(world)
    incident = world.submit(title="Down")
    pagerduty.faults = once(fault)
    await world.settle(HOUR)
    moved(world, incident, "acknowledged")
    pagerduty.faults = once(fault)
    await world.settle(HOUR)
    moved(world, incident, "resolved")
    pagerduty.faults = once(fault)
    await world.settle(HOUR)
    assert pagerduty.only(incident.id).status == "resolved"
    assert pagerduty.dropped in ([], [f"resolve {incident.id}"])


async def test_a_dispatcher_that_dies_with_a_call_under_way_leaves_one_alert(
    world: World, pagerduty: PagerDuty
) -> None:
    """Killed between the bytes and their mark, the other one sends the same once more."""
    connected(world)
    theirs = pagerduty.open("Somebody called")
    incident = world.submit(title="Down")
    linked = world.submit(title="Linked", external_ids={"pagerduty": theirs.id})
    moved(world, linked, "acknowledged", notes="Looking")
    pagerduty.faults = lambda _arrival: Fault.LATE
    calls = 0
    while world.due_at() <= world.clock():
        work = asyncio.create_task(turned(world))
        await until(partial(_has_called_or_ended, pagerduty, calls, work))
        calls = len(pagerduty.arrivals)
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        world.clock.at += LEASE
        await turned(world, world.another("two"))
    await world.settle(HOUR)
    assert pagerduty.only(incident.id).status == "triggered"
    assert (theirs.status, len(theirs.notes)) == ("acknowledged", 1)
    assert [world.sync_of(one).status for one in (incident, linked)] == [SyncStatus.SYNCED] * 2


def _has_called_or_ended(pagerduty: PagerDuty, calls: int, work: asyncio.Task[None]) -> bool:
    return len(pagerduty.arrivals) > calls or work.done()


async def turned(world: World, dispatcher: Dispatcher | None = None) -> None:
    async with asyncio.TaskGroup() as tasks:
        await (dispatcher or world.dispatcher).turn(tasks)


@pytest.mark.parametrize("rounds", [10, pytest.param(100, marks=[pytest.mark.faults, pytest.mark.timeout(600)])])
async def test_rounds_with_lost_answers_make_one_alert_each(world: World, pagerduty: PagerDuty, rounds: int) -> None:
    """Three of ten calls are done and never answered."""
    integration = connected(world)
    dice = random.Random(9)
    pagerduty.faults = lambda _arrival: Fault.LOST if dice.random() < 0.3 else None
    made = []
    for number in range(rounds):
        incident = world.submit(title=f"Incident {number}")
        made.append(incident)
        await world.settle(HOUR)
        alert = pagerduty.only(incident.id)
        if dice.random() < 0.5:
            moved(world, incident, "acknowledged")
        else:
            pagerduty.acknowledge(alert)
        await world.settle(HOUR)
        await world.hear(integration, _shuffled_and_twice(pagerduty, dice))
        assert (alert.status, world.incident(incident).state) == ("acknowledged", IncidentState.ACKNOWLEDGED)
        if dice.random() < 0.5:
            moved(world, incident, "resolved")
        else:
            pagerduty.resolve(alert)
        await world.settle(HOUR)
        await world.hear(integration, _shuffled_and_twice(pagerduty, dice))
        await world.settle(HOUR)
        assert (alert.status, world.incident(incident).state) == ("resolved", IncidentState.RESOLVED)
    counts = Counter(one.key for one in pagerduty.incidents.values())
    assert counts == dict.fromkeys((incident.id for incident in made), 1)
    assert [len(world.events(f"incident.{kind}")) for kind in ("acknowledged", "resolved")] == [rounds, rounds]
    assert world.events("incident.sync_failed") == []


def _shuffled_and_twice(pagerduty: PagerDuty, dice: random.Random) -> Iterator[tuple[dict[str, str], bytes]]:
    sent = [one for one in pagerduty.webhooks() for _ in range(dice.choice((1, 2)))]
    dice.shuffle(sent)
    yield from sent
