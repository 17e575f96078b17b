"""Every status that the document tells of an operation is one that the operation answers with.

Most are provoked alike everywhere. Where an operation needs more for one of its statuses, `OWN` says how; an operation
that tells of a status which neither way brings about fails here.
"""

from __future__ import annotations

import asyncio
import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import update

from statuspulse.api import body
from statuspulse.api.overload import rank_of
from statuspulse.api.resources import agent, reception
from statuspulse.domain.throttle import DEFAULTS, Limit
from statuspulse.domain.times import DAY, MINUTE, to_text
from statuspulse.engine.engine import Engine
from statuspulse.storage import events
from statuspulse.storage.schema import outbox, webhook_deliveries
from tests.api.contract import Contract
from tests.api.server import ADMIN, NOW, STRANGER, Api, running
from tests.security.operations import METHODS, RANDOM_IDS, Called, operations
from tests.security.test_isolation import CHANNEL, Own
from tests.system.server import eventually

JSON = {"Content-Type": "application/json"}
HOOK = {"url": "https://theirs.example/hook", "events": ["*"]}
MONITOR = {"name": "Theirs", "type": "http", "url": "https://theirs.example/"}
FOREVER = 3600
_PATIENCE_SECONDS = 20.0
_JAM_SECONDS = 3.0

Answered = requests.Response | int
Provoke = Callable[["World", Called], Answered]


class StoppingClock:
    """A clock that gives out within a call: the first look at it names the call, the next one fails."""

    def __init__(self) -> None:
        self.looks_left: int | None = None

    def __call__(self) -> int:
        if self.looks_left is not None:
            if self.looks_left == 0:
                raise OSError("there is no clock")
            self.looks_left -= 1
        return NOW


@dataclass
class World:
    """An API in good order with objects of a team that has everything, and one for each way in which it may fail."""

    api: Api
    limited: Api
    crowded: Api
    closed: Api
    stopping: Api
    clock: StoppingClock
    foreign_network: str
    shared: dict[str, str] = field(default_factory=dict)
    names: int = 0

    def ids(self, one: Called) -> dict[str, str]:
        """Objects of the team; for what ends one they are new."""
        if one.method == "DELETE":
            return everything(self.api)
        self.shared = self.shared or everything(self.api)
        return self.shared

    def call(self, one: Called, api: Api | None = None, **changes: Any) -> requests.Response:
        """The operation with the example of the document, and with what differs from that."""
        ids = changes.pop("ids", RANDOM_IDS)
        sent = filled(BODIES[one.name], ids) if one.name in BODIES else one.body
        call = {"body": sent, "token": token_of(one, self.api), **changes}
        url = one.url(ids) + call.pop("query", "")
        return (api or self.api).call(one.method, url, call.pop("body"), **call)

    def theirs(self, method: str, path: str, sent: Any = None) -> Any:
        """What the team is answered to a call that succeeds."""
        answer = self.api.call(method, f"/v1{path}", sent, token=STRANGER)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()


def token_of(one: Called, api: Api) -> str | None:
    if one.is_of_probes:
        return api.probe_key
    if one.scope is None:
        return None
    return ADMIN if one.scope.startswith("probes:") or one.path == "/teams" else STRANGER


class Unread(Contract):
    """For calls that only prepare others: to hold their answers against the document would take longer than they."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def check(self, method: str, path: str, answer: requests.Response) -> None:
        assert answer.status_code < 500, (method, path)


def everything(world_api: Api) -> dict[str, str]:
    """What the other team has, with what it was told and owes."""
    api = replace(world_api, contract=Unread(world_api.contract.document))
    ids = dict(Own(api))
    hook, path = api.call("POST", "/v1/webhooks", HOOK, token=STRANGER).json()["id"], "/v1/webhooks"
    monitor = api.call("POST", "/v1/monitors", {**MONITOR, "notifications": [CHANNEL]}, token=STRANGER).json()
    trouble = {"monitor_id": monitor["id"], "title": "Down"}
    incident = api.call("POST", "/v1/incidents", trouble, token=STRANGER).json()["id"]
    owed = api.call("GET", f"/v1/notifications?incident_id={incident}", token=STRANGER).json()["data"]
    sent = api.call("GET", f"{path}/{hook}/deliveries", token=STRANGER).json()["data"]
    probe = api.call("POST", "/v1/probes", {"name": "more", "region": "local"}, token=ADMIN).json()
    return {
        **ids,
        "webhook_id": hook,
        "delivery_id": sent[0]["id"],
        "notification_id": owed[0]["id"],
        "probe_id": probe["id"],
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, api: Api) -> Iterator[World]:
    clock = StoppingClock()
    once = {policy: Limit(1, FOREVER) for policy in DEFAULTS}

    def folder() -> Path:
        return tmp_path_factory.mktemp("world")

    with ExitStack() as stack:
        # One that is about to stop waits for nobody: neither for a dispatcher nor for probes, which do not run here.
        ready = stack.enter_context(running(folder(), is_stopping=lambda: True))
        closed = stack.enter_context(running(folder()))
        closed.database.close()
        made = ready.call(
            "POST",
            "/v1/tokens",
            {"name": "elsewhere", "scopes": ["admin"], "ip_allowlist": ["203.0.113.7"]},
            token=STRANGER,
        )
        yield World(
            api=ready,
            limited=stack.enter_context(running(folder(), rate_limits=once)),
            crowded=stack.enter_context(running(folder(), places=0)),
            closed=closed,
            stopping=stack.enter_context(running(folder(), now=clock, rate_limits={"ip": DEFAULTS["ip"]})),
            clock=clock,
            foreign_network=made.json()["token"],
        )


def succeed(world: World, one: Called) -> Answered:
    if one.is_stream:
        headers = {"Authorization": f"Bearer {STRANGER}"}
        url = world.api.url + one.url({})
        with requests.get(url, headers=headers, stream=True, timeout=_PATIENCE_SECONDS) as answer:
            return answer.status_code
    return world.call(one, ids=world.ids(one))


def unchanged(world: World, one: Called) -> Answered:
    ids = world.ids(one)
    version = world.call(one, ids=ids).headers["ETag"]
    return world.call(one, ids=ids, headers={"If-None-Match": version})


def contradict(world: World, one: Called) -> Answered:
    """Two credentials in one call."""
    address = urlsplit(world.api.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=_PATIENCE_SECONDS)
    connection.putrequest(one.method, one.url(RANDOM_IDS))
    for _ in range(2):
        connection.putheader("Authorization", f"Bearer {token_of(one, world.api)}")
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def stand_outside(world: World, one: Called) -> Answered:
    """A token that is good, from a network that it may not be used from; a token of people where probes call."""
    return world.call(one, token=ADMIN if one.is_of_probes else world.foreign_network)


def take_another_method(world: World, one: Called) -> Answered:
    """One that no path takes which the URL of the call fits."""
    steps = one.path.split("/")
    taken = {other.method for other in operations(world.api.contract.document) if _fits(other.path.split("/"), steps)}
    [method, *_] = [name.upper() for name in METHODS if name.upper() not in taken]
    return world.api.call(method, one.url(RANDOM_IDS), token=token_of(one, world.api))


def _fits(pattern: list[str], steps: list[str]) -> bool:
    return len(pattern) == len(steps) and all(
        wanted == step or wanted.startswith("{") for wanted, step in zip(pattern, steps, strict=True)
    )


def conflict(world: World, one: Called) -> Answered:
    """What uses the object stands in the way, or what the call itself made; else the same call that is in work."""
    world.api.clock.at += MINUTE  # no probe counts as heard any more, so that nobody waits for what it would see
    ids = world.ids(one)
    for _ in range(2):
        answer = world.call(one, ids=ids)
        if answer.status_code == 409:
            return answer
    return send_again_too_early(world, one)


def send_again_too_early(world: World, one: Called) -> Answered:
    """Under a key whose first call cannot end, because the writer has other work; 0 where both wait for that."""
    ids, go, has_begun = world.ids(one), threading.Event(), threading.Event()

    def occupy(_connection: object) -> None:
        has_begun.set()
        go.wait(_PATIENCE_SECONDS)

    def send() -> requests.Response:
        return world.call(one, ids=ids, headers={"Idempotency-Key": ids["incident_id"]})

    world.api.database.submit(occupy)
    assert has_begun.wait(_PATIENCE_SECONDS)
    with ThreadPoolExecutor(2) as callers:
        ended, _ = wait([callers.submit(send) for _ in range(2)], _JAM_SECONDS, FIRST_COMPLETED)
        go.set()
    return ended.pop().result() if ended else 0


def send_too_much(world: World, one: Called) -> Answered:
    limit = agent.BODY_LIMIT if one.is_of_probes and one.path != "/agent/key" else body.BODY_LIMIT
    return world.call(one, body=None, raw=b" " * (limit + 1), headers=JSON)


def ask_for_the_unknown(world: World, one: Called) -> Answered:
    if one.is_of_probes:
        return world.call(one, query="?wait=31", body={"no_such_member": 1})
    return world.call(one, query="?no_such_parameter=1")


def require_preconditions(world: World, one: Called) -> Answered:
    ids = world.ids(one)
    whose = ("default", ADMIN) if one.path.startswith("/probes") else ("other", STRANGER)
    with _strict(world.api, *whose):
        return world.call(one, ids=ids)


@contextmanager
def _strict(api: Api, team: str, token: str) -> Iterator[None]:
    for wanted in (True, False):
        settings = {"settings": {"require_preconditions": wanted}}
        changed = api.call("PATCH", f"/v1/teams/{team}", settings, token=token, headers={"If-Match": "*"})
        assert changed.status_code == 200
        if wanted:
            yield


def bounded(one: Called) -> str:
    """A query with which a stream ends before it begins."""
    return "?since=never" if one.is_stream else ""


def exhaust(world: World, one: Called) -> Answered:
    token = None if one.is_of_probes else token_of(one, world.api)
    answers = [world.call(one, world.limited, token=token, query=bounded(one)) for _ in "12"]
    return answers[-1]


def lose_the_clock(world: World, one: Called) -> Answered:
    key = token_of(one, world.stopping)
    world.clock.looks_left = 1
    try:
        return world.call(one, world.stopping, token=key)
    finally:
        world.clock.looks_left = None


def find_no_place(world: World, one: Called) -> Answered:
    """What waits for news needs no place, but a database."""
    if rank_of(one.method, one.url(RANDOM_IDS)) is None:
        return world.call(one, world.closed, token=token_of(one, world.closed))
    return world.call(one, world.crowded, token=token_of(one, world.crowded))


EVERYWHERE: dict[int, Provoke] = {
    200: succeed,
    201: succeed,
    202: succeed,
    304: unchanged,
    400: contradict,
    401: lambda world, one: world.call(one, token=None),
    403: stand_outside,
    404: lambda world, one: world.call(one),
    405: take_another_method,
    409: conflict,
    412: lambda world, one: world.call(one, ids=world.ids(one), headers={"If-Match": '"999"'}),
    413: send_too_much,
    415: lambda world, one: world.call(one, body=None, raw=b"a=1", headers={"Content-Type": "text/plain"}),
    410: lambda world, one: world.call(one),
    422: ask_for_the_unknown,
    428: require_preconditions,
    429: exhaust,
    500: lose_the_clock,
    503: find_no_place,
}
# Where the document's example refers to what is not there, or would be refused for what it repeats.
BODIES: dict[str, Any] = {
    "PUT /monitors/{monitor_id}/config": {"name": "Other"},
    "POST /monitors/{monitor_id}/config/rollback": {"config_version": 1},
    "PATCH /teams/{team_id}": {"name": "Other"},
    "POST /slos": {"name": "Shop", "monitor_id": "{monitor_id}", "objective_pct": 99.9},
    "POST /schedules": {"name": "Rota", "members": ["bo@theirs.example"]},
    "POST /events/{event_id}/redeliver": {"endpoint_ids": ["{webhook_id}"]},
}


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """A body with the ids of objects where it names them."""
    if isinstance(value, dict):
        return {name: filled(one, ids) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, ids) for one in value]
    return value.format(**ids) if isinstance(value, str) else value


def given(make: Callable[[World, str], dict[str, str]], **sent: Any) -> Provoke:
    """The operation on what `make` makes under a name that is new, and on the team's other objects."""

    def provoke(world: World, one: Called) -> Answered:
        world.names += 1
        world.shared = world.shared or everything(world.api)
        ids = {**world.shared, **make(world, f"name-{world.names}")}
        return world.call(one, ids=ids, **({"body": filled(sent["body"], ids)} if sent else {}))

    return provoke


def a_name(_world: World, name: str) -> dict[str, str]:
    return {"name": name}


def a_heartbeat(world: World, name: str) -> dict[str, str]:
    job = {"name": name, "type": "heartbeat", "period_seconds": 3600}
    return {"monitor_id": world.theirs("POST", "/monitors", job)["id"]}


def a_second_version(world: World, name: str) -> dict[str, str]:
    monitor = world.theirs("POST", "/monitors", MONITOR)["id"]
    world.theirs("PATCH", f"/monitors/{monitor}", {"name": name})
    return {"monitor_id": monitor}


def a_minute(world: World, _name: str) -> dict[str, str]:
    monitor = world.theirs("POST", "/monitors", MONITOR)
    world.api.clock.at += MINUTE
    return {"monitor_id": monitor["id"], "from": monitor["created_at"], "to": to_text(world.api.clock.at)}


def an_incident_with_a_policy(world: World, name: str) -> dict[str, str]:
    body = {"title": name, "escalation_policy": "theirs"}
    return {"incident_id": world.theirs("POST", "/incidents", body)["id"]}


def a_resolved_incident(world: World, name: str) -> dict[str, str]:
    incident = world.theirs("POST", "/incidents", {"title": name})["id"]
    world.theirs("POST", "/incidents", {"incident_id": incident, "state": "resolved"})
    return {"incident_id": incident}


def a_policy(world: World, name: str) -> dict[str, str]:
    steps = [{"targets": [{"type": "monitor_notifications"}]}]
    return {"slug": world.theirs("POST", "/escalation-policies", {"slug": name, "name": name, "steps": steps})["slug"]}


def a_member(world: World, name: str) -> dict[str, str]:
    body = {"email": f"{name}@theirs.example", "role": "viewer"}
    return {"user_id": world.theirs("POST", "/teams/other/members", body)["id"]}


def a_channel(world: World, name: str) -> dict[str, str]:
    return {"channel_id": world.theirs("POST", "/channels", {"url": f"https://theirs.example/{name}"})["id"]}


def an_integration_with_a_secret_of_theirs(world: World, _name: str) -> dict[str, str]:
    """The team has one of them at most."""
    for one in world.theirs("GET", "/integrations")["data"]:
        if one["kind"] == "pagerduty":
            return {"integration_id": one["id"]}
    made = world.theirs("POST", "/integrations", {"kind": "pagerduty", "routing_key": "0" * 32})
    return {"integration_id": made["id"]}


def a_used_schedule(world: World, name: str) -> dict[str, str]:
    schedule = world.theirs("POST", "/schedules", {"name": name, "members": ["bo@theirs.example"]})["id"]
    steps = [{"targets": [{"type": "schedule", "id": schedule}]}]
    world.theirs("POST", "/escalation-policies", {"slug": name, "name": name, "steps": steps})
    return {"schedule_id": schedule}


def another_schedule(world: World, name: str) -> dict[str, str]:
    return {"name": world.theirs("POST", "/schedules", {"name": name, "members": ["bo@theirs.example"]})["name"]}


def a_disabled_endpoint(world: World, _name: str) -> dict[str, str]:
    return {"webhook_id": world.theirs("POST", "/webhooks", {**HOOK, "enabled": False})["id"]}


def a_delivery_in_work(world: World, _name: str) -> dict[str, str]:
    ids = everything(world.api)
    taken = update(webhook_deliveries).where(webhook_deliveries.c.id == ids["delivery_id"]).values(lease_owner="one")
    world.api.write(lambda connection: connection.execute(taken).close())
    return ids


def a_notification_in_work(world: World, _name: str) -> dict[str, str]:
    ids = everything(world.api)
    taken = update(outbox).where(outbox.c.id == ids["notification_id"])
    leased = taken.values(lease_owner="one", lease_until=world.api.clock.at + 1)
    world.api.write(lambda connection: connection.execute(leased).close())
    return ids


def the_last_probe_of_a_region(world: World, name: str) -> dict[str, str]:
    probe = world.api.call("POST", "/v1/probes", {"name": name, "region": name}, token=ADMIN).json()
    world.theirs("POST", "/monitors", {**MONITOR, "regions": [name]})
    return {"probe_id": probe["id"]}


def of_a_team_without_anything(world: World, one: Called) -> Answered:
    body = {"name": "Short-lived", "slug": "short-lived"}
    made = world.api.call("POST", "/v1/teams", body, token=ADMIN).json()
    return world.call(one, ids={"team_id": made["id"]}, token=made["token"])


def of_the_last_token(world: World, one: Called) -> Answered:
    me = world.stopping.call("GET", "/v1/me", token=STRANGER).json()
    return world.call(one, world.stopping, ids={"token_id": me["token_id"]})


def with_an_old_cursor(world: World, one: Called) -> Answered:
    everything(world.api)
    cursor = world.theirs("GET", "/events?limit=1")["next_cursor"]
    world.api.write(lambda connection: events.delete_older(connection, world.api.clock.at + DAY, 100_000))
    return world.call(one, query=f"?limit=1&cursor={cursor}")


def with_an_engine(world: World, one: Called) -> Answered:
    """Results are taken by the engine, which nothing else here needs."""
    parts = world.api.app.state.services.parts
    engine = Engine(
        parts.database, parts.bus, parts.jobs, parts.liveness, parts.metrics, mutes_flapping=True, now=parts.now
    )
    with ThreadPoolExecutor(1) as caller:
        call = caller.submit(lambda: world.call(one))
        loop = eventually(lambda: parts.bus._loop)  # it is that of the server, which the call tells the bus
        running_engine = asyncio.run_coroutine_threadsafe(engine.run(), loop)
        try:
            return call.result()
        finally:
            running_engine.cancel()


def with_its_secret(**sent: Any) -> Provoke:
    """A message from another system, which proves itself by the secret that was made for it."""

    def provoke(world: World, one: Called) -> Answered:
        made = world.theirs("POST", "/integrations", {"kind": "alertmanager"})
        return world.call(one, ids={"integration_id": made["id"]}, token=made["secret"], **{"body": None, **sent})

    return provoke


def a_window(world: World, name: str, **members: Any) -> dict[str, str]:
    body = {"name": name, "monitors": {"all": True}, "starts_at": to_text(world.api.clock.at), "duration_seconds": 3600}
    return {"window_id": world.theirs("POST", "/maintenance-windows", {**body, **members})["id"]}


def an_ended_window(world: World, name: str) -> dict[str, str]:
    ids = a_window(world, name)
    world.theirs("POST", f"/maintenance-windows/{ids['window_id']}/end")
    return ids


def an_inline_window(world: World, name: str) -> dict[str, str]:
    later = to_text(world.api.clock.at + DAY)
    own = {"name": name, "starts_at": later, "duration_seconds": 3600, "rrule": "FREQ=WEEKLY"}
    monitor = world.theirs("POST", "/monitors", {**MONITOR, "maintenance_windows": [own]})
    return {"window_id": monitor["maintenance_windows"][0]["id"]}


def an_objective_of_a_monitor(world: World, name: str) -> dict[str, str]:
    monitor = world.theirs("POST", "/monitors", {**MONITOR, "name": name, "sla": {"objective_pct": 99.9}})["id"]
    found = world.theirs("GET", "/slos?limit=100")["data"]
    return {"slo_id": next(one["id"] for one in found if one["monitor_id"] == monitor)}


_ALERTS = {
    "version": "4",
    "groupKey": "{}",
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "statuspulse",
    "groupLabels": {},
    "commonLabels": {},
    "commonAnnotations": {},
    "externalURL": "http://alerts.example",
    "alerts": [],
}
_ACKNOWLEDGE = {"incident_id": "{incident_id}", "state": "acknowledged"}
OWN: dict[tuple[str, int], Provoke] = {
    ("POST /monitors/{monitor_id}/rotate-ping-key", 200): given(a_heartbeat),
    ("POST /monitors/{monitor_id}/config/rollback", 200): given(a_second_version),
    ("POST /monitors/{monitor_id}/simulate", 200): given(a_minute, body={"from": "{from}", "to": "{to}"}),
    ("GET /uptime", 200): lambda world, one: world.call(one, query=f"?monitor_id={world.ids(one)['monitor_id']}"),
    ("POST /incidents", 200): given(a_name, body=_ACKNOWLEDGE),
    ("POST /incidents", 201): given(a_name, body={"title": "{name}"}),
    ("POST /incidents", 409): given(a_resolved_incident, body=_ACKNOWLEDGE),
    ("POST /incidents/{incident_id}/escalate", 200): given(an_incident_with_a_policy, body={}),
    ("POST /incidents/{incident_id}/escalate", 409): given(a_resolved_incident),
    ("POST /incidents/{incident_id}/snooze", 409): given(a_resolved_incident),
    ("DELETE /escalation-policies/{slug}", 200): given(a_policy),
    ("POST /schedules", 201): given(a_name, body={"name": "{name}", "members": ["bo@theirs.example"]}),
    ("PUT /schedules/{schedule_id}", 409): given(another_schedule, body={"name": "{name}"}),
    ("DELETE /schedules/{schedule_id}", 409): given(a_used_schedule),
    ("DELETE /tokens/{token_id}", 409): of_the_last_token,
    ("DELETE /teams/{team_id}", 200): of_a_team_without_anything,
    ("DELETE /teams/{team_id}/members/{user_id}", 200): given(a_member),
    ("GET /events", 410): with_an_old_cursor,
    ("POST /channels", 200): given(a_name, body={"url": CHANNEL}),
    ("POST /channels", 201): given(a_name, body={"url": "https://theirs.example/{name}"}),
    ("DELETE /channels/{channel_id}", 200): given(a_channel),
    ("POST /channels/{channel_id}/rotate-secret", 200): given(a_channel),
    ("POST /webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", 409): given(a_delivery_in_work),
    ("POST /webhooks/{webhook_id}/replay", 409): given(a_disabled_endpoint),
    ("POST /notifications/{notification_id}/retry", 409): given(a_notification_in_work),
    ("DELETE /probes/{probe_id}", 409): given(the_last_probe_of_a_region),
    ("POST /agent/results", 200): with_an_engine,
    ("POST /integrations/{integration_id}/rotate-secret", 409): given(an_integration_with_a_secret_of_theirs),
    ("POST /integrations/{integration_id}/webhook", 202): with_its_secret(body=_ALERTS),
    ("POST /integrations/{integration_id}/webhook", 413): with_its_secret(
        raw=b" " * (reception.BODY_LIMIT + 1), headers=JSON
    ),
    ("POST /integrations/{integration_id}/webhook", 422): with_its_secret(body={"version": "5"}),
    ("POST /maintenance-windows/{window_id}/end", 200): given(a_window),
    ("POST /maintenance-windows/{window_id}/end", 409): given(an_ended_window),
    ("PATCH /maintenance-windows/{window_id}", 409): given(an_inline_window),
    ("DELETE /maintenance-windows/{window_id}", 409): given(an_inline_window),
    ("POST /maintenance-windows/{window_id}/skip-next", 409): given(an_inline_window),
    ("DELETE /slos/{slo_id}", 409): given(an_objective_of_a_monitor),
}


def told(api: Api) -> Iterator[tuple[Called, int]]:
    document = api.contract.document
    for one in operations(document):
        for status in document["paths"][one.path][one.method.lower()]["responses"]:
            yield one, int(status)


@pytest.mark.parametrize("status", sorted(EVERYWHERE))
def test_what_is_told_of_an_operation_is_what_it_answers(world: World, status: int) -> None:
    wrong = {}
    for one, code in told(world.api):
        if code == status:
            provoke = OWN.get((one.name, status), EVERYWHERE[status])
            answer = provoke(world, one)
            found = answer if isinstance(answer, int) else answer.status_code
            if found != status:
                wrong[one.name] = f"{found}: {'' if isinstance(answer, int) else answer.text[:300]}"
    assert not wrong, (
        f"{len(wrong)} tell of {status} and answer otherwise; OWN may say how it is brought about: {wrong}"
    )


def test_every_status_that_is_told_is_provoked(world: World) -> None:
    assert {status for _, status in told(world.api)} <= EVERYWHERE.keys() | {status for _, status in OWN}
