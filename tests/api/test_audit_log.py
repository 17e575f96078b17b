"""The audit log: who changed what, from where, with secrets masked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.server import ADMIN, STRANGER, WRITER, Api

CANARY = "correct horse battery staple"


def entries(api: Api, query: str = "", token: str = ADMIN) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.call("GET", f"/v1/audit-log{query}", token=token).json()["data"]
    return found


def test_a_change_is_told_with_who_where_and_what_it_was_before(api: Api, body: dict[str, Any]) -> None:
    made = api.call("POST", "/v1/monitors", body).json()["id"]
    api.clock.at += 1
    answer = api.call("PATCH", f"/v1/monitors/{made}", {"interval_seconds": 30, "tags": ["eu"]})
    newest, oldest = entries(api, f"?resource={made}")
    me = api.call("GET", "/v1/me").json()
    assert newest["actor"] == {"type": "token", "id": me["token_id"], "label": "writer"}
    assert (newest["action"], newest["ip"]) == ("monitor.updated", "127.0.0.1")
    assert newest["request_id"] == answer.headers["Request-Id"]
    assert newest["diff"] == [
        {"path": "/interval_seconds", "before": 60, "after": 30},
        {"path": "/tags", "before": [], "after": ["eu"]},
    ]
    assert oldest["action"] == "monitor.created"
    assert {"path": "/name", "before": None, "after": body["name"]} in oldest["diff"]


def test_a_secret_that_changes_is_told_and_not_shown(api: Api, body: dict[str, Any]) -> None:
    auth = {"type": "basic", "username": "ops", "password": CANARY}
    made = api.call("POST", "/v1/monitors", {**body, "auth": auth}).json()["id"]
    api.clock.at += 1
    api.call("PATCH", f"/v1/monitors/{made}", {"auth": {"password": CANARY + " again"}})
    newest = entries(api, f"?resource={made}")[0]
    assert newest["diff"] == [{"path": "/auth/password", "before": "***", "after": "***"}]
    assert CANARY not in api.call("GET", "/v1/audit-log?limit=100", token=ADMIN).text


def test_tokens_teams_and_people_are_told_without_a_text_of_a_token(api: Api) -> None:
    token = api.call("POST", "/v1/tokens", {"name": "told", "scopes": ["read"]}, token=ADMIN).json()
    api.clock.at += 1
    api.call("POST", f"/v1/tokens/{token['id']}/rotate", token=ADMIN)
    api.clock.at += 1
    api.call("DELETE", f"/v1/tokens/{token['id']}", token=ADMIN)
    told = entries(api, f"?resource={token['id']}")
    assert [entry["action"] for entry in told] == ["token.revoked", "token.rotated", "token.created"]
    assert {"path": "/scopes", "before": None, "after": ["read"]} in told[2]["diff"]
    assert token["token"] not in str(told)
    member = api.call(
        "POST", "/v1/teams/default/members", {"email": "told@acmecorp.com", "role": "viewer"}, token=ADMIN
    ).json()
    api.clock.at += 1
    api.call("PATCH", f"/v1/teams/default/members/{member['id']}", {"role": "owner"}, token=ADMIN)
    api.clock.at += 1
    api.call("DELETE", f"/v1/teams/default/members/{member['id']}", token=ADMIN)
    told = entries(api, f"?resource={member['id']}")
    assert [entry["action"] for entry in told] == ["member.removed", "member.updated", "member.added"]
    assert told[1]["diff"] == [{"path": "/role", "before": "viewer", "after": "owner"}]


def test_a_new_team_begins_its_own_log(api: Api) -> None:
    made = api.call("POST", "/v1/teams", {"name": "Logged", "slug": "logged"}, token=ADMIN).json()
    for token in (ADMIN, made["token"]):
        (entry,) = entries(api, f"?resource={made['id']}", token)
        assert (entry["action"], entry["actor"]["label"]) == ("team.created", "bootstrap")
    api.call("PATCH", "/v1/teams/logged", {"settings": {"require_preconditions": True}}, token=made["token"])
    changed = entries(api, "?action=team.updated", made["token"])
    assert changed[0]["diff"] == [{"path": "/settings/require_preconditions", "before": False, "after": True}]


def test_the_log_is_narrowed_by_action_and_time_and_comes_in_pages(api: Api, body: dict[str, Any]) -> None:
    begun = api.clock.at = api.clock.at + 1000
    for number in range(3):
        api.clock.at = begun + number
        api.call("POST", "/v1/monitors", {**body, "name": f"logged {number}"})
    since = "from=2026-11-23T06:20:01%2B00:00&action=monitor.created"
    first = api.call("GET", f"/v1/audit-log?{since}&limit=2&include=total", token=ADMIN).json()
    assert (len(first["data"]), first["has_more"], first["total"]) == (2, True, 3)
    rest = api.call("GET", f"/v1/audit-log?{since}&limit=2&cursor={first['next_cursor']}", token=ADMIN).json()
    assert (len(rest["data"]), rest["has_more"]) == (1, False)
    assert entries(api, "?to=2026-11-23T06:00:00Z") == []
    oldest = entries(api, f"?{since}&order=asc")
    assert [entry["at"] for entry in oldest] == sorted(entry["at"] for entry in oldest)


@pytest.mark.parametrize("query", ["?from=yesterday", "?to=2026-11-23", "?actor=x", "?limit=0"])
def test_a_query_that_does_not_hold_is_refused(api: Api, query: str) -> None:
    assert api.call("GET", f"/v1/audit-log{query}", token=ADMIN).status_code == 422


def test_other_teams_and_lesser_tokens_read_nothing(api: Api, body: dict[str, Any]) -> None:
    made = api.call("POST", "/v1/monitors", body).json()["id"]
    assert entries(api, f"?resource={made}", STRANGER) == []
    assert api.call("GET", "/v1/audit-log", token=WRITER).status_code == 403
