"""Integrations, their messages and their alerts, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from statuspulse.delivery.registry import providers
from statuspulse.delivery.vendors import Vendors
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.integration import Kind, SyncStatus
from statuspulse.domain.secret import Secret
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.storage import alerts, inbound, incident_syncs, incidents, integrations, sync_log
from statuspulse.storage.alerts import Alert
from statuspulse.storage.database import Database
from statuspulse.storage.incident_syncs import Sync
from statuspulse.storage.integrations import Integration
from statuspulse.storage.schema import inbound_messages
from statuspulse.storage.sealing import Keyring, WrongKeyError
from statuspulse.storage.sync_log import Said
from tests.contracts.ground import OTHER, TEAM, Ground, an_incident, lay
from tests.emulators.pagerduty import API_TOKEN, ROUTING_KEY, SECRET, SENDER, Fault, PagerDuty
from tests.integrations.world import Clock, World

KEYRING = Keyring(b"k" * 32)
FIRST = "int_00000001"


def an_integration(number: int = 1, **changes: Any) -> Integration:
    integration_id, team_id = f"int_{number:08d}", changes.pop("team_id", TEAM)
    members: dict[str, Any] = {
        "id": integration_id,
        "team_id": team_id,
        "kind": Kind.PAGERDUTY,
        "name": "PagerDuty",
        "enabled": True,
        "config": {"direction": "both", "rest": None},
        "secrets_sealed": integrations.sealed(KEYRING, integration_id, team_id, {"routing_key": Secret("abc")}),
        "created_at": 1000 + number,
        "updated_at": 1000 + number,
    }
    return Integration(**{**members, **changes})


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


@pytest.fixture
def do(ground: Ground) -> Callable[[Callable[[Connection], Any]], Any]:
    return lambda work: ground.database.submit(work).result(10)


def test_one_comes_back_as_it_was_stored_with_its_secrets_for_its_place_alone(do: Any) -> None:
    stored = an_integration()
    do(lambda connection: integrations.insert(connection, stored))
    found = do(lambda connection: integrations.get(connection, TEAM, FIRST))
    assert found == stored
    assert found.secrets(KEYRING) == {"routing_key": Secret("abc")}
    with pytest.raises(WrongKeyError):
        replace(found, id="int_00000002").secrets(KEYRING)
    assert do(lambda connection: integrations.get(connection, OTHER, FIRST)) is None


def test_a_team_has_one_of_a_provider_and_any_number_of_senders_of_alerts(do: Any) -> None:
    do(lambda connection: integrations.insert(connection, an_integration(1)))
    do(lambda connection: integrations.insert(connection, an_integration(2, team_id=OTHER)))
    with pytest.raises(IntegrityError):
        do(lambda connection: integrations.insert(connection, an_integration(3)))
    do(lambda connection: integrations.insert(connection, an_integration(6, kind=Kind.JIRA, enabled=False)))
    for number in (4, 5):
        one = an_integration(number, kind=Kind.ALERTMANAGER, digest=bytes([number]))
        do(lambda connection, one=one: integrations.insert(connection, one))
    assert do(lambda connection: integrations.by_digest(connection, b"\x05", 0)).id == "int_00000005"
    assert do(lambda connection: integrations.providers_of_team(connection, TEAM)) == {"pagerduty", "alertmanager"}


def test_the_secret_of_before_is_found_until_it_ends(do: Any) -> None:
    one = an_integration(kind=Kind.ALERTMANAGER, digest=b"new", previous_digest=b"old", previous_until=50)
    do(lambda connection: integrations.insert(connection, one))

    def found(digest: bytes, now: int) -> bool:
        return bool(do(lambda connection: integrations.by_digest(connection, digest, now)) == one)

    assert [found(b"old", 49), found(b"old", 50), found(b"new", 50), found(b"none", 49)] == [True, False, True, False]


def test_a_message_is_taken_once_by_its_id_and_worked_off_in_order(do: Any) -> None:
    do(lambda connection: integrations.insert(connection, an_integration()))

    def take(name: str, now: int) -> bool:
        taken: bool = do(
            lambda connection: inbound.take(
                connection, FIRST, message_id=name, form="pagerduty", body=name.encode(), now=now
            )
        )
        return taken

    assert [take(name, 10) for name in ("b", "a", "b")] == [True, True, False]
    assert do(lambda connection: inbound.waiting(connection, 9)) == []
    assert do(lambda connection: inbound.waiting(connection, 10)) == [FIRST]
    first, second = do(lambda connection: inbound.due(connection, FIRST, 10, 5))
    assert [first.body, second.body] == [b"b", b"a"]
    do(lambda connection: inbound.finish(connection, first.key))
    do(lambda connection: inbound.put_off(connection, second.key, 50))
    assert not do(lambda connection: inbound.is_pending(connection, first.key))
    assert do(lambda connection: connection.scalar(select(func.min(inbound_messages.c.body)))) == b""
    assert do(lambda connection: inbound.is_pending(connection, second.key))
    assert do(lambda connection: inbound.next_due_at(connection, ())) == 50
    assert do(lambda connection: inbound.next_due_at(connection, (FIRST,))) is None
    assert not take("b", 60)
    assert do(lambda connection: inbound.delete_older(connection, 11, 10)) == 2
    assert take("b", 70)


def test_how_an_incident_stands_is_replaced_and_found_by_their_id(do: Any) -> None:
    do(lambda connection: integrations.insert(connection, an_integration()))
    do(lambda connection: incidents.insert(connection, an_incident(1)))
    sync = Sync(incident_id="inc_00000001", integration_id=FIRST, team_id=TEAM, provider="pagerduty", updated_at=1)
    do(lambda connection: incident_syncs.save(connection, sync))
    known = replace(sync, external_id="Q1", opened=True, status=SyncStatus.FAILED, last_error={"code": "x"}, version=4)
    do(lambda connection: incident_syncs.save(connection, known))
    assert do(lambda connection: incident_syncs.of_incident(connection, TEAM, "inc_00000001")) == [known]
    assert do(lambda connection: incident_syncs.of_incident(connection, OTHER, "inc_00000001")) == []
    assert do(lambda connection: incident_syncs.with_external_id(connection, FIRST, "Q1")) == "inc_00000001"
    do(lambda connection: integrations.remove(connection, TEAM, FIRST))
    assert do(lambda connection: incident_syncs.of_incident(connection, TEAM, "inc_00000001")) == []


def test_an_alert_that_nobody_repeats_is_found_when_it_is_due(do: Any) -> None:
    do(lambda connection: integrations.insert(connection, an_integration(kind=Kind.ALERTMANAGER)))
    do(lambda connection: incidents.insert(connection, an_incident(1)))
    alert = Alert(integration_id=FIRST, fingerprint="f", incident_id="inc_00000001", starts_at=1, due_at=100, seen_at=1)
    do(lambda connection: alerts.save(connection, alert))
    assert do(lambda connection: alerts.expired(connection, 99, 5)) == []
    assert do(alerts.next_due_at) == 100
    assert do(lambda connection: alerts.expired(connection, 100, 5)) == [alert]
    do(lambda connection: alerts.end(connection, alert))
    assert do(alerts.next_due_at) is None
    assert do(lambda connection: alerts.delete_older(connection, 2, 5)) == 1
    assert do(lambda connection: alerts.get(connection, FIRST, "f")) is None


def test_what_was_said_is_listed_from_a_place_and_ends_one_day(do: Any) -> None:
    do(lambda connection: integrations.insert(connection, an_integration()))
    for at in (1, 2, 3):
        said = Said(at=at, direction="out", what="trigger", outcome="delivered", attempt=1)
        do(lambda connection, said=said: sync_log.append(connection, FIRST, said))
    newest = do(lambda connection: sync_log.page(connection, FIRST, after=None, descending=True, limit=2))
    assert [said.at for said in newest] == [3, 2]
    after = (newest[-1].at, newest[-1].id)
    rest = do(lambda connection: sync_log.page(connection, FIRST, after=after, descending=True, limit=2))
    assert [said.at for said in rest] == [1]
    assert do(lambda connection: sync_log.count(connection, FIRST, 2)) == 2
    assert do(lambda connection: sync_log.delete_older(connection, 3, 10)) == 2


@pytest.fixture
def pagerduty() -> Any:
    with PagerDuty(Clock().text) as emulator:
        yield emulator


@pytest.fixture
async def world(database: Database, pagerduty: PagerDuty) -> AsyncIterator[World]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    vendors = Vendors(pagerduty=f"{pagerduty.url}/v2/enqueue", pagerduty_api=pagerduty.url)
    clock = asyncio.get_running_loop().time
    found = providers(gate, public_url="https://status.acme.example", vendors=vendors, clock=clock)
    yield World(database, found, Clock())
    gate.close()


async def test_both_sides_keep_in_step(world: World, pagerduty: PagerDuty) -> None:
    integration = world.connect(
        kind="pagerduty",
        routing_key=ROUTING_KEY,
        rest={"api_token": API_TOKEN, "from_email": SENDER},
        webhook_secret=SECRET,
        direction="both",
    )
    faults = [Fault.LOST, None, Fault.BROKEN]
    pagerduty.faults = lambda _arrival: faults.pop(0) if faults else None
    incident = world.submit(title="Down", notes="Look at the queue")
    await world.settle()
    alert = pagerduty.only(incident.id)
    await world.hear(integration, pagerduty.webhooks())
    pagerduty.acknowledge(alert)
    await world.hear(integration, pagerduty.webhooks())
    assert world.incident(incident).state is IncidentState.ACKNOWLEDGED
    world.submit(incident_id=incident.id, state="resolved")
    await world.settle()
    assert alert.status == "resolved"
    assert world.sync_of(incident).status is SyncStatus.SYNCED
