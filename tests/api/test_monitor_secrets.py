"""Secrets in configurations: sealed at rest, never answered, and kept by a mask sent back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from sqlalchemy import select

from statuspulse.catalog import monitors as catalog
from statuspulse.catalog import secrets
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.secrets import Owner
from statuspulse.catalog.seed import SeedError, seed
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.egress.policy import Policy
from statuspulse.protocol.conversion import spec_of
from statuspulse.protocol.documents import AssignedMonitor
from statuspulse.storage import monitors
from statuspulse.storage.schema import monitors as monitor_rows
from statuspulse.storage.sealing import WrongKeyError
from tests.api.server import NOW, Api, running
from tests.api.test_create_monitor import first_detail

PASSWORD = "pw-Qm7xT2vLc9"
TOKEN = "tk-Zk4nR8sWb1"
KEY = "hk-Jd6yF3gHe5"
OTHER = "nw-Pa0uE2oIi7"
SECRETS = (PASSWORD, TOKEN, KEY, OTHER)

HEADERS: list[dict[str, Any]] = [
    {"name": "Accept", "value": "application/json", "secret": False},
    {"name": "X-Api-Key", "value": KEY, "secret": True},
]
BODY: dict[str, Any] = {
    "name": "Orders",
    "type": "http",
    "url": "https://orders.example/health",
    "headers": HEADERS,
    "auth": {"type": "basic", "username": "probe", "password": PASSWORD},
}
MASKED_AUTH = {"type": "basic", "username": "probe", "password": "***"}
MASKED_HEADERS = [HEADERS[0], {**HEADERS[1], "value": "***"}]


class Watchful:
    """Calls that look for secrets in every answer."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        answer = self.api.call(method, path, body, **more)
        told = answer.text + str(answer.headers)
        assert [secret for secret in SECRETS if secret in told] == []
        return answer


@pytest.fixture
def call(api: Api) -> Watchful:
    return Watchful(api)


@pytest.fixture
def monitor(call: Watchful) -> dict[str, Any]:
    answer = call("POST", "/v1/monitors", BODY)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def config_path(monitor: dict[str, Any]) -> str:
    return f"/v1/monitors/{monitor['id']}/config"


def sent_by_the_probe(api: Api, monitor: dict[str, Any]) -> HttpSpec:
    """The request as the probe of the region gets it."""
    answer = requests.get(
        f"{api.url}/v1/agent/assignments",
        headers={"Authorization": f"Bearer {api.probe_key}", "Accept": "application/msgpack"},
        timeout=10,
    )
    found = msgspec.msgpack.decode(answer.content)["monitors"]
    one = next(each for each in found if each["monitor_id"] == monitor["id"])
    spec = spec_of("http", msgspec.convert(one, AssignedMonitor).spec)
    assert isinstance(spec, HttpSpec)
    return spec


def secrets_of(api: Api, monitor: dict[str, Any]) -> tuple[str | None, dict[str, str]]:
    """What the probe sends as Authorization, and its further headers."""
    spec = sent_by_the_probe(api, monitor)
    return spec.authorization, dict(spec.headers)


WHOLE = ("Basic cHJvYmU6cHctUW03eFQydkxjOQ==", {"Accept": "application/json", "X-Api-Key": KEY})


def test_secrets_are_answered_masked_everywhere(call: Watchful, monitor: dict[str, Any]) -> None:
    assert (monitor["auth"], monitor["headers"]) == (MASKED_AUTH, MASKED_HEADERS)
    for path in (f"/v1/monitors/{monitor['id']}", config_path(monitor)):
        document = call("GET", path).json()
        assert (document["auth"], document["headers"]) == (MASKED_AUTH, MASKED_HEADERS)
    listed = call("GET", "/v1/monitors?limit=100").json()["data"]
    assert next(one for one in listed if one["id"] == monitor["id"])["auth"] == MASKED_AUTH
    for path in (f"/v1/status/{monitor['id']}", f"/v1/monitors/{monitor['id']}/results"):
        assert call("GET", path).status_code == 200
    for action in ("pause", "resume"):
        assert call("POST", f"/v1/monitors/{monitor['id']}/{action}").json()["headers"] == MASKED_HEADERS


def test_a_token_is_answered_masked(call: Watchful) -> None:
    sent = {**BODY, "auth": {"type": "bearer", "token": TOKEN}}
    assert call("POST", "/v1/monitors", sent).json()["auth"] == {"type": "bearer", "token": "***"}


def test_the_probe_gets_them_in_clear(api: Api, monitor: dict[str, Any]) -> None:
    assert secrets_of(api, monitor) == WHOLE
    assert sent_by_the_probe(api, monitor).secret_headers == ("x-api-key",)


def test_no_file_of_the_database_holds_them_in_clear(tmp_path: Path) -> None:
    with running(tmp_path) as api:
        made = api.call("POST", "/v1/monitors", BODY).json()
        path = f"/v1/monitors/{made['id']}/config"
        api.call("PATCH", path, {"auth": {"password": OTHER}})
        api.call("PUT", path, {"auth": {"type": "bearer", "token": TOKEN}})
        api.call("PUT", path, {"auth": {"type": "bearer", "token": TOKEN}, "interval_seconds": 1})
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"orders.example" in kept
    assert [secret for secret in SECRETS if secret.encode() in kept] == []
    assert b"cHJvYmU6" not in kept


def test_what_is_sealed_belongs_to_its_monitor_and_member(api: Api, monitor: dict[str, Any]) -> None:
    def stored(connection: Any) -> dict[str, Any]:
        row = connection.execute(select(monitor_rows).where(monitor_rows.c.id == monitor["id"])).one()
        config: dict[str, Any] = json.loads(row.config)
        return config

    config = api.database.read_now(stored)
    assert list(config["auth"]["password"]) == list(config["headers"][1]["value"]) == ["$sealed"]
    owner = Owner(monitor_id=monitor["id"], team_id=monitor["team_id"])
    assert secrets.opened(api.keyring, owner, config)["headers"] == HEADERS
    moved = {**config, "auth": {**config["auth"], "password": config["headers"][1]["value"]}}
    for thief, taken in (
        (owner, moved),
        (Owner(monitor_id="mon_00000000", team_id=owner.team_id), config),
        (Owner(monitor_id=owner.monitor_id, team_id="team_00000000"), config),
    ):
        with pytest.raises(WrongKeyError):
            secrets.opened(api.keyring, thief, taken)


@pytest.mark.parametrize("query", ["", "?replace=true"])
def test_what_a_get_answers_can_be_put_back_and_changes_nothing(
    api: Api, call: Watchful, monitor: dict[str, Any], query: str
) -> None:
    before = call("GET", config_path(monitor)).json()
    answer = call("PUT", config_path(monitor) + query, before).json()
    assert (answer["changed"], answer["config_version"]) == ([], 1)
    assert secrets_of(api, monitor) == WHOLE


@pytest.mark.parametrize("way", ["PUT", "PATCH"])
def test_a_secret_that_is_sent_again_changes_nothing(call: Watchful, monitor: dict[str, Any], way: str) -> None:
    answer = call(way, config_path(monitor), {"auth": BODY["auth"], "headers": HEADERS}).json()
    assert (answer["changed"], answer["config_version"]) == ([], 1)


@pytest.mark.parametrize("query", ["", "?replace=true"])
def test_a_mask_keeps_the_secret_while_all_around_it_changes(
    api: Api, call: Watchful, monitor: dict[str, Any], query: str
) -> None:
    sent = {
        "name": "Orders",
        "url": "https://orders.example/live",
        "auth": {**MASKED_AUTH, "username": "watcher"},
        # Another place, another spelling, and a new one before it.
        "headers": [{"name": "X-Trace", "value": "1"}, {"name": "x-api-key", "value": "***", "secret": True}],
    }
    answer = call("PUT", config_path(monitor) + query, sent).json()
    assert answer["changed"] == ["/url", "/headers", "/auth/username"]
    assert secrets_of(api, monitor) == (
        "Basic d2F0Y2hlcjpwdy1RbTd4VDJ2TGM5",
        {"X-Trace": "1", "x-api-key": KEY},
    )


def test_a_change_of_a_secret_is_told_without_it(api: Api, call: Watchful, monitor: dict[str, Any]) -> None:
    answer = call("PATCH", config_path(monitor), {"auth": {"password": OTHER}}).json()
    assert (answer["changed"], answer["auth"], answer["config_version"]) == (["/auth/password"], MASKED_AUTH, 2)
    assert secrets_of(api, monitor)[0] == "Basic cHJvYmU6bnctUGEwdUUyb0lpNw=="
    answer = call("PATCH", config_path(monitor), {"auth": {"username": "watcher", "password": "***"}}).json()
    assert answer["changed"] == ["/auth/username"]
    assert secrets_of(api, monitor)[0] == "Basic d2F0Y2hlcjpudy1QYTB1RTJvSWk3"


def test_other_credentials_take_the_place_of_the_first_ones(api: Api, call: Watchful, monitor: dict[str, Any]) -> None:
    for way in ("PATCH", "PUT"):
        for auth, shown in (
            ({"type": "bearer", "token": TOKEN}, {"type": "bearer", "token": "***"}),
            ({"type": "basic", "username": "probe", "password": PASSWORD}, MASKED_AUTH),
        ):
            answer = call(way, config_path(monitor), {"auth": auth})
            assert (answer.status_code, answer.json()["auth"]) == (200, shown)
    assert call("PATCH", config_path(monitor), {"auth": None}).json()["auth"] is None
    assert secrets_of(api, monitor)[0] is None


def test_a_header_that_is_secret_no_longer_shows_its_new_value(call: Watchful, monitor: dict[str, Any]) -> None:
    public = [{"name": "X-Api-Key", "value": "public", "secret": False}]
    answer = call("PUT", config_path(monitor), {"headers": public}).json()
    assert (answer["headers"], answer["changed"]) == (public, ["/headers"])


def test_a_dry_run_keeps_and_shows_nothing(api: Api, call: Watchful, monitor: dict[str, Any]) -> None:
    answer = call("PATCH", f"{config_path(monitor)}?dry_run=true", {"auth": {"password": OTHER}}).json()
    assert (answer["changed"], answer["auth"]) == (["/auth/password"], MASKED_AUTH)
    assert secrets_of(api, monitor) == WHOLE


NOTHING_TO_KEEP = "is masked, and nothing is stored that it could stand for; send the secret itself"


@pytest.mark.parametrize(
    ("members", "param", "message"),
    [
        ({"auth": MASKED_AUTH}, "auth.password", NOTHING_TO_KEEP),
        ({"auth": {"type": "bearer", "token": "***"}}, "auth.token", NOTHING_TO_KEEP),
        ({"headers": MASKED_HEADERS}, "headers[1].value", NOTHING_TO_KEEP),
        (
            {"headers": [{"name": "X-Api-Key", "value": "***"}]},
            "headers[0].value",
            'is masked; keep it with "secret": true, or send the value itself',
        ),
    ],
)
def test_a_mask_that_stands_for_nothing_is_refused(
    call: Watchful, body: dict[str, Any], members: dict[str, Any], param: str, message: str
) -> None:
    detail = first_detail(call("POST", "/v1/monitors", {**body, **members}))
    assert (detail["param"], detail["message"]) == (param, message)
    made = call("POST", "/v1/monitors", body).json()
    for way in ("PUT", "PATCH"):
        detail = first_detail(call(way, config_path(made), members))
        assert (detail["param"], detail["message"]) == (param, message)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"auth": {"type": "bearer", "token": "***"}}, "auth.token"),
        ({"headers": [{"name": "X-Other", "value": "***", "secret": True}]}, "headers[0].value"),
        ({"headers": [{"name": "Accept", "value": "***", "secret": True}]}, "headers[0].value"),
        ({"headers": [{"name": "X-Api-Key", "value": "***", "secret": False}]}, "headers[0].value"),
    ],
)
def test_a_mask_stands_for_nothing_else_than_it_masked(
    api: Api, call: Watchful, monitor: dict[str, Any], members: dict[str, Any], param: str
) -> None:
    assert first_detail(call("PUT", config_path(monitor), members))["param"] == param
    assert secrets_of(api, monitor) == WHOLE


def test_a_mask_keeps_nothing_of_another_monitor(call: Watchful, monitor: dict[str, Any]) -> None:
    copied = {name: monitor[name] for name in ("type", "url", "headers", "auth")}
    params = [
        detail["param"]
        for detail in call("POST", "/v1/monitors", {"name": "Copy", **copied}).json()["error"]["details"]
    ]
    assert params == ["headers[1].value", "auth.password"]


def _refusals(call: Watchful, monitor: dict[str, Any]) -> Iterator[requests.Response]:
    bearer = {"type": "bearer", "token": TOKEN}
    yield call("POST", "/v1/monitors", {**BODY, "name": ""})
    yield call("POST", "/v1/monitors", {**BODY, "auth": {**BODY["auth"], "password": PASSWORD + "\n"}})
    yield call("POST", "/v1/monitors", {**BODY, "auth": {"type": TOKEN, "token": TOKEN}})
    yield call("POST", "/v1/monitors", {**BODY, "auth": {"type": "bearer", "token": f"Bearer {TOKEN}"}})
    yield call("POST", "/v1/monitors", {**BODY, "auth": [PASSWORD]})
    yield call("POST", "/v1/monitors", {**BODY, "headers": [{"name": KEY + ":", "value": KEY}]})
    yield call("POST", "/v1/monitors", {**BODY, "headers": [*HEADERS, *HEADERS]})
    yield call("POST", "/v1/monitors", {**BODY, "headers": {"X-Api-Key": KEY}})
    yield call("POST", "/v1/monitors", {**BODY, "assertions": [{"source": "body", "operator": "eq", "value": [KEY]}]})
    yield call("PUT", config_path(monitor), {"auth": bearer, "interval_seconds": 0})
    yield call("PATCH", config_path(monitor), {"auth": {"password": [OTHER]}})
    yield call("PUT", config_path(monitor), {"auth": bearer, "config_version": 99})
    yield call("PATCH", f"/v1/monitors/{monitor['id']}", {"auth": {**bearer, "password": OTHER}})


def test_refusals_name_members_and_no_secret(api: Api, call: Watchful, monitor: dict[str, Any]) -> None:
    assert {answer.status_code for answer in _refusals(call, monitor)} == {412, 422}
    assert secrets_of(api, monitor) == WHOLE


def test_a_monitor_from_the_seed_file_keeps_its_secrets_sealed(tmp_path: Path) -> None:
    file = {
        "team": {"name": "Acme", "slug": "acme"},
        "monitors": [{"id": "mon_secret01", **BODY}],
    }
    with running(tmp_path) as api:
        instance = Instance(keyring=api.keyring, policy=Policy(), min_interval_seconds=10)
        for _ in range(2):
            api.write(lambda connection: seed(connection, instance, file, NOW))
        monitor = {"id": "mon_secret01"}
        assert secrets_of(api, monitor) == WHOLE
        masked = {**file, "monitors": [{"id": "mon_secret02", **BODY, "auth": MASKED_AUTH}]}
        with pytest.raises(SeedError) as refused:
            api.write(lambda connection: seed(connection, instance, masked, NOW))
        assert str(refused.value) == f"monitors[0].auth.password {NOTHING_TO_KEEP}."
    kept = b"".join(found.read_bytes() for found in tmp_path.rglob("*") if found.is_file())
    assert [secret for secret in SECRETS if secret.encode() in kept] == []


def test_a_value_of_a_monitor_in_memory_shows_no_secret(api: Api, monitor: dict[str, Any]) -> None:
    def read(connection: Any) -> None:
        found = monitors.get(connection, monitor["team_id"], monitor["id"])
        view = catalog.get(connection, monitor["team_id"], monitor["id"], NOW)
        shown = repr(found) + repr(view)
        assert [secret for secret in SECRETS if secret in shown] == []

    api.database.read_now(read)
