"""Events on their way to webhook endpoints: signed, sent again, given up, each endpoint apart from the others."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, update
from standardwebhooks.webhooks import Webhook

from statuspulse.bus.local import LocalBus
from statuspulse.catalog import webhooks as catalog
from statuspulse.catalog.members.webhook import ReplayRequest, WebhookRequest
from statuspulse.catalog.references import Change
from statuspulse.catalog.webhooks import Issued
from statuspulse.delivery.endpoint_state import disable
from statuspulse.delivery.webhooks import PLACES, WebhookSender
from statuspulse.domain.actor import Actor
from statuspulse.domain.event import Event, EventType
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND, to_text
from statuspulse.domain.webhook import MOST_ATTEMPTS, DisabledReason
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from statuspulse.metrics import Metrics
from statuspulse.storage import events, monitors, teams, webhook_deliveries, webhooks
from statuspulse.storage.database import Database
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.schema import webhook_deliveries as rows
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.teams import Team
from statuspulse.storage.webhook_deliveries import DeliveryFilter, State, WebhookDelivery
from statuspulse.storage.webhooks import Endpoint
from tests.delivery.receiver import Hold, Receiver, Trick
from tests.delivery.world import NOW, TEAM, Clock
from tests.targets import http_answer, until

OPS = Actor("token", "tok_00000001", "ops")
POLICY = Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=())
MONITOR = {
    "object": "monitor",
    "id": "mon_9x2k4p7q",
    "name": "Café",
    "type": "http",
    "target": "https://shop.example/",
    "tags": ["prod"],
    "team_id": TEAM,
    "api_url": "/v1/monitors/mon_9x2k4p7q",
    "dashboard_url": None,
}


@dataclass
class Hooks:
    """One team with endpoints on one receiver, a clock that stands still, and a sender."""

    database: Database
    receiver: Receiver
    client: HttpClient
    keyring: Keyring = field(default_factory=lambda: Keyring(b"k" * 32))
    clock: Clock = field(default_factory=Clock)
    bus: LocalBus = field(default_factory=LocalBus)

    def write(self, work: Any) -> Any:
        return self.database.submit(work).result(60)

    def change(self) -> Change:
        return Change(team_id=TEAM, actor=OPS, now=self.clock(), strict=False)

    def endpoint(self, name: str = "one", **members: Any) -> Issued:
        body = {"url": f"{self.receiver.url}/{name}", "events": ["*"], **members}
        request = WebhookRequest.model_validate(body)
        issued: Issued = self.write(
            lambda connection: catalog.create(connection, self.keyring, POLICY, self.change(), request)
        )
        return issued

    def watch(self, monitor_id: str) -> None:
        monitor = Monitor(
            key=0,
            id=monitor_id,
            team_id=TEAM,
            name="Shop",
            type="http",
            target="https://shop.example/",
            config={"name": "Shop", "type": "http", "tags": [], "regions": ["local"]},
            config_version=1,
            judged_from_version=1,
            revision=1,
            paused=False,
            resume_at=None,
            updated_by=OPS,
            created_at=self.clock(),
            updated_at=self.clock(),
        )
        self.write(lambda connection: monitors.insert(connection, monitor))

    def happen(self, **changes: Any) -> str:
        """One event; answers its id."""
        data = {"monitor": MONITOR, "actor": OPS.document(), "config_version": 1}
        members = {"type": EventType.MONITOR_CREATED, "data": data, "monitor_id": MONITOR["id"], **changes}
        event = Event(team_id=TEAM, at=self.clock(), **members)
        return str(self.write(lambda connection: events.record(connection, event)).id)

    def deliveries(self, endpoint: Endpoint) -> list[WebhookDelivery]:
        """Of one endpoint, the oldest first."""
        return self.database.read_now(
            lambda connection: webhook_deliveries.page(
                connection, endpoint.id, DeliveryFilter(), after=None, descending=False, limit=100
            )
        )

    def stored(self, endpoint: Endpoint) -> Endpoint:
        found = self.database.read_now(lambda connection: webhooks.get(connection, TEAM, endpoint.id))
        assert found is not None
        return found

    def arrived(self, name: str = "one") -> list[Any]:
        return [arrival for arrival in self.receiver.arrivals if arrival.path == f"/{name}"]

    def sender(self, **changes: Any) -> WebhookSender:
        parts = {"public_url": "https://status.acme.example", "now": self.clock, "owner": "one", **changes}
        parts.setdefault("random", lambda: 0.5)
        return WebhookSender(self.database, self.keyring, self.bus, self.client, Metrics(), **parts)

    async def work(self) -> None:
        """Sends whatever is due by now, and whatever becomes due while the clock stands still."""
        sender = self.sender()
        while True:
            async with asyncio.TaskGroup() as tasks:
                await sender.turn(tasks)
            due = await self.database.read(
                lambda connection: webhook_deliveries.next_due_at(connection, full=(), in_hand=())
            )
            if due is None or due > self.clock():
                return

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.sender().run())
            yield
            task.cancel()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
async def hooks(database: Database, receiver: Receiver) -> AsyncIterator[Hooks]:
    gate = Gate(POLICY)
    made = Hooks(database, receiver, HttpClient(gate))
    team = Team(id=TEAM, slug="acme", name="Acme", created_at=NOW, updated_at=NOW)
    made.write(lambda connection: teams.insert(connection, team))
    yield made
    gate.close()
    await until(lambda: "Current Checked out connections: 0" in database.engines.reader.pool.status())


def header(arrival: Any, name: str) -> str:
    return str({key.lower(): value for key, value in arrival.headers.items()}[name.lower()])


def verifies(secret: str, arrival: Any) -> bool:
    """Standard Webhooks 1.0.0, by its text (HMAC-SHA-256 with the decoded secret) and by its own package alike."""
    message_id, sent_at = header(arrival, "webhook-id"), header(arrival, "webhook-timestamp")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([message_id.encode(), sent_at.encode(), arrival.body])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    at = datetime.fromtimestamp(int(sent_at), tz=UTC)
    assert Webhook(secret).sign(message_id, at, arrival.body.decode()) == f"v1,{expected}"
    return f"v1,{expected}" in header(arrival, "webhook-signature").split(" ")


async def test_an_event_is_sent_signed_over_its_exact_bytes(hooks: Hooks) -> None:
    issued = hooks.endpoint(headers=[{"name": "X-Ops", "value": "tea"}])
    event_id = hooks.happen()
    await hooks.work()
    [arrival] = hooks.arrived()
    logged = hooks.database.read_now(lambda connection: events.get(connection, TEAM, event_id))
    assert logged is not None
    assert arrival.body == logged.body.encode()
    assert "Café".encode() in arrival.body
    assert verifies(issued.secret.reveal(), arrival)
    assert not verifies(hooks.endpoint("two").secret.reveal(), arrival)
    assert header(arrival, "webhook-id") == event_id
    assert header(arrival, "webhook-timestamp") == str(NOW // 1000)
    assert header(arrival, "Content-Type") == "application/json"
    assert header(arrival, "StatusPulse-Event-Type") == "monitor.created"
    assert header(arrival, "X-Ops") == "tea"
    [delivery] = hooks.deliveries(issued.endpoint)
    assert header(arrival, "StatusPulse-Delivery") == delivery.id
    assert (delivery.status, delivery.attempts) == ("succeeded", 1)
    assert hooks.stored(issued.endpoint).last_success_at == NOW


async def test_a_failed_attempt_is_repeated_by_the_ladder_until_it_is_exhausted(hooks: Hooks) -> None:
    issued = hooks.endpoint()
    event_id = hooks.happen()
    hooks.receiver.scripts["one"] = [http_answer(500, b"no", "Connection: close")] * MOST_ATTEMPTS
    waits = []
    for _ in range(MOST_ATTEMPTS):
        await hooks.work()
        [delivery] = hooks.deliveries(issued.endpoint)
        waits.append((delivery.next_attempt_at - hooks.clock()) / SECOND)
        if delivery.state is State.PENDING:
            assert delivery.status == "failed"
            hooks.clock.at = delivery.next_attempt_at
    hours = HOUR // SECOND
    assert waits[:-1] == [5, 30, 120, 600, 1800, 2 * hours, 5 * hours, 10 * hours, 14 * hours, 20 * hours, 24 * hours]
    [delivery] = hooks.deliveries(issued.endpoint)
    assert (delivery.status, delivery.attempts) == ("exhausted", 12)
    assert delivery.last is not None
    assert delivery.last.error_class == "http_5xx"
    assert delivery.last.answer == {"status": 500, "headers": {}, "body": "no"}
    arrivals = hooks.arrived()
    assert {header(arrival, "webhook-id") for arrival in arrivals} == {event_id}
    assert len({header(arrival, "webhook-timestamp") for arrival in arrivals}) == 12
    assert all(verifies(issued.secret.reveal(), arrival) for arrival in arrivals)


async def test_waits_vary_by_a_fifth(hooks: Hooks) -> None:
    issued = hooks.endpoint()
    hooks.happen()
    hooks.receiver.scripts["one"] = [http_answer(503, b"", "Connection: close")]
    async with asyncio.TaskGroup() as tasks:
        await hooks.sender(random=lambda: 0.0).turn(tasks)
    [delivery] = hooks.deliveries(issued.endpoint)
    assert delivery.next_attempt_at - hooks.clock() == 4 * SECOND


async def test_a_receiver_that_asks_to_be_left_alone_is(hooks: Hooks) -> None:
    issued = hooks.endpoint()
    hooks.happen()
    hooks.receiver.scripts["one"] = [http_answer(429, b"", "Retry-After: 700", "Connection: close")]
    await hooks.work()
    [delivery] = hooks.deliveries(issued.endpoint)
    assert delivery.next_attempt_at - hooks.clock() == 700 * SECOND


async def test_a_redirect_is_a_failure_and_is_not_followed(hooks: Hooks) -> None:
    issued = hooks.endpoint()
    hooks.happen()
    elsewhere = f"Location: {hooks.receiver.url}/elsewhere"
    hooks.receiver.scripts["one"] = [http_answer(302, b"", elsewhere, "Connection: close")]
    await hooks.work()
    [delivery] = hooks.deliveries(issued.endpoint)
    assert delivery.last is not None
    assert delivery.last.error_class == "http_3xx"
    assert hooks.arrived("elsewhere") == []


async def test_of_a_receiver_without_a_connection_one_word_is_told(hooks: Hooks) -> None:
    issued = hooks.endpoint(url="http://127.0.0.1:1/hook")
    hooks.happen()
    await hooks.work()
    [delivery] = hooks.deliveries(issued.endpoint)
    assert delivery.last is not None
    assert delivery.last.error_class == "connect"


async def test_an_address_of_a_denied_class_is_never_dialled(hooks: Hooks) -> None:
    issued = hooks.endpoint(url="https://localhost:1/hook")
    closed = Gate(Policy())
    hooks.client = HttpClient(closed)
    hooks.happen()
    await hooks.work()
    closed.close()
    [delivery] = hooks.deliveries(issued.endpoint)
    assert delivery.last is not None
    assert delivery.last.error_class == "blocked_by_policy"


async def test_410_disables_at_once_and_the_others_hear_of_it(hooks: Hooks) -> None:
    gone, other = hooks.endpoint("gone").endpoint, hooks.endpoint("other", events=["endpoint.*"]).endpoint
    hooks.happen()
    hooks.receiver.scripts["gone"] = [http_answer(410, b"", "Connection: close")]
    await hooks.work()
    assert (hooks.stored(gone).enabled, hooks.stored(gone).disabled_reason) == (False, DisabledReason.GONE)
    assert hooks.stored(gone).version == 2
    [told] = hooks.arrived("other")
    document = json.loads(told.body)
    assert document["type"] == "endpoint.disabled"
    assert document["data"]["endpoint"]["id"] == gone.id
    assert document["data"]["reason"] == "gone_410"
    assert [delivery.status for delivery in hooks.deliveries(gone)] == ["exhausted"]
    hooks.happen()
    await hooks.work()
    assert len(hooks.arrived("gone")) == 1
    assert len(hooks.deliveries(other)) == 1


async def test_five_days_without_a_success_disable_and_cancel_what_is_owed(hooks: Hooks) -> None:
    endpoint = hooks.endpoint().endpoint
    hooks.receiver.scripts["one"] = [http_answer(500, b"", "Connection: close")] * 30
    hooks.happen()
    await hooks.work()
    since = hooks.clock()
    hooks.clock.at += 5 * DAY
    for _ in range(10):
        hooks.happen()
    await hooks.work()
    assert hooks.stored(endpoint).enabled  # eleven or twelve attempts say too little
    assert hooks.stored(endpoint).version == 1  # how it fares is nobody's change
    hooks.clock.at += MINUTE
    for _ in range(10):
        hooks.happen()
    await hooks.work()
    disabled = hooks.stored(endpoint)
    assert (disabled.enabled, disabled.failing_since) == (False, since)
    assert disabled.disabled_reason is DisabledReason.CONSECUTIVE_FAILURES
    assert {delivery.status for delivery in hooks.deliveries(endpoint)} == {"cancelled"}


async def test_a_success_makes_failures_count_anew(hooks: Hooks) -> None:
    endpoint = hooks.endpoint().endpoint
    hooks.receiver.scripts["one"] = [http_answer(500, b"", "Connection: close")]
    hooks.happen()
    await hooks.work()
    assert (hooks.stored(endpoint).failures, hooks.stored(endpoint).failing_since) == (1, NOW)
    hooks.clock.at += 5 * SECOND
    await hooks.work()
    assert (hooks.stored(endpoint).failures, hooks.stored(endpoint).failing_since) == (0, None)


async def test_a_silent_endpoint_has_five_places_and_delays_no_other(hooks: Hooks) -> None:
    hooks.endpoint("silent")
    hooks.endpoint("quick")
    kept = [Hold() for _ in range(20)]
    hooks.receiver.scripts["silent"] = [*kept]
    for _ in range(20):
        hooks.happen()
    async with hooks.running():
        await until(lambda: len(hooks.arrived("quick")) == 20)
        await until(lambda: len(hooks.arrived("silent")) == PLACES)
        assert len(hooks.arrived("silent")) == PLACES
        for one in kept:
            one.let_go()
        await until(lambda: len(hooks.arrived("silent")) == 20)


async def test_what_a_killed_sender_had_in_hand_is_sent_again_under_the_same_id(hooks: Hooks) -> None:
    endpoint = hooks.endpoint().endpoint
    event_id = hooks.happen()
    now = hooks.clock()
    [lost] = hooks.write(
        lambda connection: webhook_deliveries.claim(connection, owner="dead", now=now, limit=10, full=(), in_hand=())
    )
    await hooks.work()
    assert hooks.arrived() == []
    hooks.clock.at += webhook_deliveries.LEASE
    await hooks.work()
    [arrival] = hooks.arrived()
    assert header(arrival, "webhook-id") == event_id
    [delivery] = hooks.deliveries(endpoint)
    assert (delivery.id, delivery.lease_epoch) == (lost.id, 2)


async def test_during_a_rotation_both_secrets_sign_and_then_only_the_new_one(hooks: Hooks) -> None:
    issued = hooks.endpoint()
    rotated = hooks.write(
        lambda connection: catalog.rotate(connection, hooks.keyring, hooks.change(), issued.endpoint.id, 60)
    )
    hooks.happen()
    await hooks.work()
    hooks.clock.at += 60 * SECOND
    hooks.happen()
    await hooks.work()
    during, after = hooks.arrived()
    assert [verifies(one.secret.reveal(), during) for one in (issued, rotated)] == [True, True]
    assert [verifies(one.secret.reveal(), after) for one in (issued, rotated)] == [False, True]


async def test_an_endpoint_hears_only_of_what_it_wants(hooks: Hooks) -> None:
    for monitor_id in (MONITOR["id"], "mon_zzzzzzzz"):
        hooks.watch(str(monitor_id))
    hooks.endpoint("types", events=["incident.*", "monitor.deleted"])
    hooks.endpoint("here", filters={"monitor_ids": [MONITOR["id"]]})
    hooks.endpoint("there", filters={"monitor_ids": ["mon_zzzzzzzz"]})
    hooks.endpoint("severe", filters={"severities": ["critical"]})
    hooks.endpoint("off", enabled=False)
    hooks.happen()
    await hooks.work()
    assert {arrival.path for arrival in hooks.receiver.arrivals} == {"/here"}


async def test_a_thin_payload_names_what_it_is_about(hooks: Hooks) -> None:
    issued = hooks.endpoint(payload="thin")
    hooks.happen()
    await hooks.work()
    [arrival] = hooks.arrived()
    assert verifies(issued.secret.reveal(), arrival)
    assert json.loads(arrival.body)["data"] == {
        "object": "monitor",
        "id": "mon_9x2k4p7q",
        "api_url": "/v1/monitors/mon_9x2k4p7q",
        "version": 1,
    }


async def test_a_cloud_event_is_signed_like_any_other_body(hooks: Hooks) -> None:
    issued = hooks.endpoint(format="cloudevents")
    event_id = hooks.happen()
    await hooks.work()
    [arrival] = hooks.arrived()
    assert verifies(issued.secret.reveal(), arrival)
    assert header(arrival, "Content-Type") == "application/cloudevents+json"
    document = json.loads(arrival.body)
    assert document.pop("data")["monitor"] == MONITOR
    assert document == {
        "specversion": "1.0",
        "id": event_id,
        "source": f"https://status.acme.example/teams/{TEAM}",
        "type": "io.statuspulse.monitor.created",
        "subject": "monitors/mon_9x2k4p7q",
        "time": to_text(NOW),
        "datacontenttype": "application/json",
        "dataschema": "https://status.acme.example/v1/schemas/events.json#/$defs/data.monitor.created",
    }


async def test_a_replay_sends_what_was_not_taken_five_a_second(hooks: Hooks) -> None:
    issued = hooks.endpoint()
    taken = hooks.happen()
    await hooks.work()
    refused = [hooks.happen() for _ in range(3)]

    def give_up(connection: Connection) -> None:
        connection.execute(update(rows).where(rows.c.state == "pending").values(state="exhausted"))

    hooks.write(give_up)
    span = {"from": to_text(NOW), "to": to_text(NOW + 1)}
    request = ReplayRequest.model_validate(span)
    replay = hooks.write(lambda connection: catalog.replay(connection, hooks.change(), issued.endpoint.id, request))
    assert replay.count == 3
    for number in range(1, 4):
        await hooks.work()
        assert len(hooks.arrived()) == 1 + number
        hooks.clock.at += 200
    again = hooks.arrived()[1:]
    assert {header(arrival, "webhook-id") for arrival in again} == set(refused)
    assert {header(arrival, "StatusPulse-Redelivery") for arrival in again} == {"true"}
    every = ReplayRequest.model_validate({**span, "only_failed": False})
    assert (
        hooks.write(lambda connection: catalog.replay(connection, hooks.change(), issued.endpoint.id, every)).count == 4
    )
    assert taken not in refused


async def test_what_was_missed_while_disabled_is_sent_when_that_is_wanted(hooks: Hooks) -> None:
    endpoint = hooks.endpoint().endpoint
    hooks.receiver.scripts["one"] = [Trick.RESET]
    before = hooks.happen()
    await hooks.work()

    def turn_off(connection: Connection) -> None:
        found = webhooks.get(connection, TEAM, endpoint.id)
        assert found is not None
        disable(connection, found, DisabledReason.MANUAL, OPS, hooks.clock())

    hooks.write(turn_off)
    meanwhile = hooks.happen()
    hooks.clock.at += HOUR
    hooks.write(lambda connection: catalog.enable(connection, hooks.change(), endpoint.id, replay_missed=True))
    hooks.clock.at += MINUTE
    await hooks.work()
    sent = [header(arrival, "webhook-id") for arrival in hooks.arrived()[1:]]
    assert {before, meanwhile} <= set(sent)
    assert len(sent) == len(set(sent))
