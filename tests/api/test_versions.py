"""Versions of what people change: channels, webhook endpoints, integrations, teams and probes, on a condition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from statuspulse.egress.policy import Policy
from statuspulse.storage.schema import token_teams
from tests.api.server import ADMIN, STRANGER, Api, running

POLICY = Policy.parse(probe_deny="", delivery_allow="10.1.0.0/16", operator_urls=())
SETTINGS = "/v1/teams/default"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one is made and changed; `rotate` is the end of the path that gives it another secret."""

    path: str
    new: dict[str, Any]
    edit: dict[str, Any]
    rotate: str | None = None
    member: str = "version"


KINDS = {
    "channel": Kind(
        path="/v1/channels",
        new={"url": "https://ops.example/hooks/alerts"},
        edit={"name": "Night"},
        rotate="rotate-secret",
    ),
    "webhook": Kind(
        path="/v1/webhooks",
        new={"url": "https://ops.example/hook", "events": ["*"]},
        edit={"events": ["incident.*"]},
        rotate="rotate-secret",
    ),
    "integration": Kind(
        path="/v1/integrations", new={"kind": "alertmanager"}, edit={"name": "Alerts"}, rotate="rotate-secret"
    ),
    "team": Kind(path="/v1/teams", new={"name": "Payments", "slug": "payments"}, edit={"name": "Money"}),
    "probe": Kind(
        path="/v1/probes",
        new={"name": "fra-1", "region": "eu-west"},
        edit={"draining": True},
        rotate="rotate-key",
        member="config_version",
    ),
}


@pytest.fixture
def api(sqlite_file: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("versions"), url=sqlite_file, policy=POLICY) as started:
        yield started


@dataclass(frozen=True)
class Made:
    """One of a kind, and a token that may change it."""

    api: Api
    path: str
    token: str

    def call(self, method: str, body: Any = None, *, version: str | None = None, at: str = "") -> requests.Response:
        headers = {} if version is None else {"If-Match": version}
        return self.api.call(method, f"{self.path}{at}", body, token=self.token, headers=headers)

    def version(self) -> int:
        """By the header of a GET."""
        return int(self.call("GET").headers["ETag"].strip('"'))


def made(api: Api, kind: Kind) -> Made:
    answer = api.call("POST", kind.path, kind.new, token=ADMIN)
    assert (answer.status_code, answer.headers["ETag"], answer.json()[kind.member]) == (201, '"1"', 1), answer.text
    token = answer.json()["token"] if kind.path == "/v1/teams" else ADMIN
    return Made(api, f"{kind.path}/{answer.json()['id']}", token)


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_change_makes_another_version_and_an_answer_tells_which(api: Api, kind: Kind) -> None:
    one = made(api, kind)
    changed = one.call("PATCH", kind.edit)
    assert (changed.headers["ETag"], changed.json()[kind.member], one.version()) == ('"2"', 2, 2)
    assert one.call("PATCH", kind.edit).headers["ETag"] == '"2"'  # nothing has changed
    if kind.rotate is not None:
        assert one.call("POST", at=f"/{kind.rotate}").headers["ETag"] == '"3"'
        assert one.version() == 3
    listed = api.call("GET", kind.path, token=one.token).json()["data"]
    assert one.version() in [item[kind.member] for item in listed]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_a_change_of_another_version_is_refused_and_tells_the_current_one(api: Api, kind: Kind) -> None:
    one = made(api, kind)
    assert one.call("PATCH", kind.edit, version='"1"').status_code == 200
    for method, body in (("PATCH", kind.edit), ("DELETE", None)):
        stale = one.call(method, body, version='"1"')
        assert code(stale) == (412, "precondition_failed")
        assert stale.json()["error"]["details"][0]["current_version"] == 2
        assert one.call(method, body, version="2").status_code == 400
    assert one.call("PATCH", kind.edit, version='"1", W/"2"').status_code == 200
    assert one.version() == 2
    assert one.call("DELETE", version='"2"').status_code == 200


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_a_team_may_want_a_version_with_every_change(api: Api, kind: Kind) -> None:
    one = made(api, kind)
    where = one.path if kind.path == "/v1/teams" else SETTINGS
    settings = {"settings": {"require_preconditions": True}}
    assert api.call("PATCH", where, settings, token=one.token).status_code == 200
    for method, body in (("PATCH", kind.edit), ("DELETE", None)):
        refused = one.call(method, body)
        assert code(refused) == (428, "precondition_required")
        assert "If-Match" in refused.json()["message"]
    assert one.call("PATCH", kind.edit, version=f'"{one.version()}"').status_code == 200
    assert one.call("DELETE", version=f'"{one.version()}"').status_code == 200


def test_whether_a_team_is_changed_on_a_condition_is_settled_by_itself(api: Api) -> None:
    """Not by the team that the call names."""
    document = api.call("POST", "/v1/tokens", {"name": "both", "scopes": ["admin"]}, token=ADMIN).json()
    theirs = api.call("GET", "/v1/me", token=STRANGER).json()["team_id"]
    row = {"token_id": document["id"], "team_id": theirs}
    api.write(lambda connection: connection.execute(token_teams.insert().values(row)))
    careful = {"settings": {"require_preconditions": True}}
    assert api.call("PATCH", "/v1/teams/other", careful, token=STRANGER).status_code == 200

    def rename(team: str) -> int:
        headers = {"StatusPulse-Team": "default"}
        body = {"name": "Other name"}
        return api.call("PATCH", f"/v1/teams/{team}", body, token=document["token"], headers=headers).status_code

    assert (rename("default"), rename("other")) == (200, 428)


def test_a_channel_that_goes_takes_the_version_of_the_team_with_it(api: Api) -> None:
    """The team loses its fallback channel by that, so whoever has read the team before has to read it again."""
    channel = api.call("POST", "/v1/channels", {"url": "https://ops.example/hooks/fallback"}).json()["id"]
    settings = {"settings": {"fallback_channel": channel}}
    assert api.call("PATCH", SETTINGS, settings, token=ADMIN).headers["ETag"] == '"2"'
    assert api.call("DELETE", f"/v1/channels/{channel}").status_code == 200
    assert api.call("GET", SETTINGS, token=ADMIN).headers["ETag"] == '"3"'


def test_an_endpoint_that_is_switched_on_and_off_has_other_versions(api: Api) -> None:
    one = made(api, KINDS["webhook"])
    assert one.call("PATCH", {"enabled": False}).headers["ETag"] == '"2"'
    assert one.call("POST", at="/enable").headers["ETag"] == '"3"'
    assert one.call("POST", at="/enable").headers["ETag"] == '"3"'


def test_the_version_of_a_team_may_be_sent_back_with_it_and_a_member_has_none(api: Api) -> None:
    one = made(api, KINDS["team"])
    document = one.call("GET").json()
    assert one.call("PATCH", document).headers["ETag"] == '"1"'
    member = one.call("POST", {"email": "ana@example.com", "role": "viewer"}, at="/members").json()
    assert "version" not in member
    refused = one.call("PATCH", {"role": "editor", "version": 1}, at=f"/members/{member['id']}")
    assert code(refused) == (422, "validation_failed")
