"""Teams, their settings and the people in them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.api.server import ADMIN, STRANGER, WRITER, Api

MONITOR = {"name": "Shop", "type": "http", "url": "https://shop.example/health"}


def new_team(api: Api, slug: str, **members: Any) -> dict[str, Any]:
    answer = api.call("POST", "/v1/teams", {"name": slug.title(), "slug": slug, **members}, token=ADMIN)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def error(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def team(api: Api, token: str) -> dict[str, Any]:
    document: dict[str, Any] = api.call("GET", "/v1/teams", token=token).json()["data"][0]
    return document


def test_a_new_team_comes_with_a_token_that_opens_it(api: Api) -> None:
    answer = api.call("POST", "/v1/teams", {"name": "Payments", "slug": "payments"}, token=ADMIN)
    document = answer.json()
    assert answer.headers["Location"] == f"/v1/teams/{document['id']}"
    me = api.call("GET", "/v1/me", token=document["token"]).json()
    assert (me["team_id"], me["team_slug"]) == (document["id"], "payments")
    assert "tokens:write" in me["scopes"]
    assert "probes:write" not in me["scopes"]
    assert api.call("POST", "/v1/monitors", MONITOR, token=document["token"]).status_code == 201
    shown = api.call("GET", "/v1/teams/payments", token=document["token"]).json()
    assert shown["id"] == document["id"]
    assert "token" not in shown


def test_only_the_first_team_makes_teams(api: Api) -> None:
    answer = api.call("POST", "/v1/teams", {"name": "Mine", "slug": "mine"}, token=STRANGER)
    assert error(answer) == (403, "scope_insufficient")
    assert "first team" in answer.json()["message"]


def test_a_team_made_without_the_power_to_make_tokens_has_none(api: Api) -> None:
    body = {"name": "teams only", "scopes": ["teams:write"]}
    maker = api.call("POST", "/v1/tokens", body, token=ADMIN).json()["token"]
    document = api.call("POST", "/v1/teams", {"name": "Quiet", "slug": "quiet"}, token=maker).json()
    assert document["token"] is None
    assert [warning["code"] for warning in document["warnings"]] == ["token_not_created"]


def test_a_slug_is_taken_once(api: Api) -> None:
    new_team(api, "twice")
    assert error(api.call("POST", "/v1/teams", {"name": "Again", "slug": "twice"}, token=ADMIN)) == (409, "slug_taken")


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"slug": "Not A Slug"}, "slug"),
        ({"name": ""}, "name"),
        ({"default_policy": "nobody"}, "default_policy"),
        ({"timezone": "Europe/Atlantis"}, "timezone"),
        ({"default_regions": ["eu-west"]}, "default_regions"),
        ({"settings": {"reopen_window_seconds": 3601}}, "settings.reopen_window_seconds"),
        ({"settings": {"fallback_channel": "nch_zzzzzzzz"}}, "settings.fallback_channel"),
        ({"settings": {"lenient_references": "yes"}}, "settings.lenient_references"),
        ({"settings": {"status_default_window": "30d"}}, "settings.status_default_window"),
        ({"settings": {"colour": "red"}}, "settings.colour"),
        ({"is_first": True}, "is_first"),
    ],
)
def test_what_is_wrong_with_a_team_is_named(api: Api, members: dict[str, Any], param: str) -> None:
    answer = api.call("POST", "/v1/teams", {"name": "Bad", "slug": "bad", **members}, token=ADMIN)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


def test_a_team_is_changed_by_a_merge(api: Api) -> None:
    token = new_team(api, "merging")["token"]
    api.call("POST", "/v1/monitors", {**MONITOR, "escalation_policy": "night"}, token=token)
    edit = {"name": "Merged", "default_policy": "night", "settings": {"status_default_window": "7d"}}
    changed = api.call("PATCH", "/v1/teams/merging", edit, token=token).json()
    assert (changed["name"], changed["default_policy"]) == ("Merged", "night")
    assert changed["settings"]["status_default_window"] == "7d"
    kept = api.call("PATCH", "/v1/teams/merging", {"settings": {"lenient_references": False}}, token=token).json()
    assert (kept["settings"]["status_default_window"], kept["settings"]["lenient_references"]) == ("7d", False)
    back = api.call("PATCH", "/v1/teams/merging", {"settings": None, "default_policy": None}, token=token).json()
    assert (back["settings"]["status_default_window"], back["default_policy"]) == ("24h", None)
    whole = api.call("PATCH", "/v1/teams/merging", back, token=token)
    assert whole.json()["message"] == 'Nothing changed in team "Merged".'


def test_a_slug_stays_and_a_policy_has_to_be_there(api: Api) -> None:
    token = new_team(api, "staying")["token"]
    answer = api.call("PATCH", "/v1/teams/staying", {"slug": "moving"}, token=token)
    assert answer.json()["error"]["details"][0]["code"] == "parameter_immutable"
    answer = api.call("PATCH", "/v1/teams/staying", {"default_policy": "nobody"}, token=token)
    assert answer.json()["error"]["details"][0]["code"] == "reference_not_found"


def test_the_default_policy_is_that_of_monitors_that_name_none(api: Api) -> None:
    token = new_team(api, "defaults")["token"]
    api.call("POST", "/v1/monitors", {**MONITOR, "escalation_policy": "night"}, token=token)
    api.call("PATCH", "/v1/teams/defaults", {"default_policy": "night"}, token=token)
    assert api.call("POST", "/v1/monitors", MONITOR, token=token).json()["escalation_policy"] == "night"


def test_strict_references_can_be_the_rule_of_a_team(api: Api) -> None:
    token = new_team(api, "strict", settings={"lenient_references": False})["token"]
    answer = api.call("POST", "/v1/monitors", {**MONITOR, "escalation_policy": "typo"}, token=token)
    assert answer.json()["error"]["details"][0]["code"] == "reference_not_found"


def test_status_is_told_over_the_window_of_the_team(api: Api) -> None:
    token = new_team(api, "weekly", settings={"status_default_window": "7d"})["token"]
    made = api.call("POST", "/v1/monitors", MONITOR, token=token).json()["id"]
    for query, window in (("", "7d"), ("?window=24h", "24h")):
        shown = api.call("GET", f"/v1/status/{made}{query}", token=token).json()
        assert shown["metrics"]["window"] == window
        listed = api.call("GET", f"/v1/status{query}", token=token).json()["data"]
        assert [item["metrics"]["window"] for item in listed] == [window]


def test_a_team_may_want_a_precondition_with_every_change(api: Api) -> None:
    token = new_team(api, "careful", settings={"require_preconditions": True})["token"]
    monitor = api.call("POST", "/v1/monitors", MONITOR, token=token).json()
    path = f"/v1/monitors/{monitor['id']}"
    for method, where, body in (
        ("PATCH", path, {"name": "Other"}),
        ("PUT", f"{path}/config", {"name": "Other"}),
        ("DELETE", path, None),
    ):
        assert error(api.call(method, where, body, token=token)) == (428, "precondition_required")
    assert api.call("PATCH", path, {"name": "Other", "config_version": 1}, token=token).status_code == 200
    assert api.call("DELETE", path, token=token, headers={"If-Match": '"2"'}).status_code == 200
    incident = api.call("POST", "/v1/incidents", {"title": "Slow"}, token=token).json()
    where = f"/v1/incidents/{incident['id']}"
    assert error(api.call("PATCH", where, {"title": "Slower"}, token=token)) == (428, "precondition_required")
    assert api.call("PATCH", where, {"title": "Slower"}, token=token, headers={"If-Match": "*"}).status_code == 200


def test_a_team_is_deleted_when_it_watches_nothing(api: Api) -> None:
    document = new_team(api, "leaving")
    token = document["token"]
    monitor = api.call("POST", "/v1/monitors", MONITOR, token=token).json()["id"]
    assert error(api.call("DELETE", "/v1/teams/leaving", token=token)) == (409, "resource_in_use")
    api.call("DELETE", f"/v1/monitors/{monitor}", token=token)
    incident = api.call("POST", "/v1/incidents", {"title": "Slow", "notify": False}, token=token).json()["id"]
    assert "open incidents" in api.call("DELETE", "/v1/teams/leaving", token=token).json()["message"]
    api.call("POST", "/v1/incidents", {"incident_id": incident, "state": "resolved"}, token=token)
    assert api.call("DELETE", f"/v1/teams/{document['id']}", token=token).status_code == 200
    assert error(api.call("GET", "/v1/me", token=token)) == (401, "token_revoked")
    assert new_team(api, "leaving")["id"] != document["id"]


def test_the_first_team_stays(api: Api) -> None:
    assert error(api.call("DELETE", "/v1/teams/default", token=ADMIN)) == (409, "resource_in_use")


def test_people_are_added_changed_and_removed(api: Api) -> None:
    document = new_team(api, "people")
    token, path = document["token"], f"/v1/teams/{document['id']}/members"
    answer = api.call("POST", path, {"email": "Maya@AcmeCorp.com", "role": "viewer"}, token=token)
    member = answer.json()
    assert (answer.status_code, member["email"], member["role"]) == (201, "maya@acmecorp.com", "viewer")
    assert error(api.call("POST", path, {"email": "maya@acmecorp.com", "role": "owner"}, token=token)) == (
        409,
        "name_taken",
    )
    one = f"{path}/{member['id']}"
    assert api.call("PATCH", one, {**member, "role": "responder"}, token=token).json()["role"] == "responder"
    assert api.call("PATCH", one, {"email": "other@acmecorp.com"}, token=token).status_code == 422
    assert [item["id"] for item in api.call("GET", path, token=token).json()["data"]] == [member["id"]]
    assert api.call("DELETE", one, token=token).json()["deleted"] is True
    assert api.call("DELETE", one, token=token).status_code == 404
    assert api.call("GET", f"{path}?include=total", token=token).json()["total"] == 0


def test_a_person_of_two_teams_is_two_members(api: Api) -> None:
    first, second = new_team(api, "one-of-two"), new_team(api, "two-of-two")
    ids = []
    for document in (first, second):
        body = {"email": "both@acmecorp.com", "role": "editor"}
        answer = api.call("POST", f"/v1/teams/{document['id']}/members", body, token=document["token"])
        ids.append(answer.json()["id"])
    assert ids[0] == ids[1]
    api.call("DELETE", f"/v1/teams/{first['id']}/members/{ids[0]}", token=first["token"])
    left = api.call("GET", f"/v1/teams/{second['id']}/members", token=second["token"]).json()["data"]
    assert [item["role"] for item in left] == ["editor"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"email": "no address", "role": "owner"}, "email"),
        ({"email": "a@b@c", "role": "owner"}, "email"),
        ({"email": "a@b.example", "role": "admin"}, "role"),
        ({"email": "a@b.example"}, "role"),
        ({"email": "a@b.example", "role": "owner", "contacts": ["nch_zzzzzzzz"]}, "contacts[0]"),
        ({"email": "a@b.example", "role": "owner", "contacts": "nch_zzzzzzzz"}, "contacts"),
    ],
)
def test_what_is_wrong_with_a_member_is_named(api: Api, body: dict[str, Any], param: str) -> None:
    answer = api.call("POST", "/v1/teams/default/members", body, token=ADMIN)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


def test_teams_come_in_pages(api: Api) -> None:
    answer = api.call("GET", "/v1/teams?limit=1&include=total", token=ADMIN).json()
    assert (answer["total"], answer["has_more"], team(api, ADMIN)["slug"]) == (1, False, "default")
    assert api.call("GET", "/v1/teams", token=WRITER).json()["data"][0]["slug"] == "default"


def test_a_team_has_a_time_zone(api: Api) -> None:
    made = api.call("POST", "/v1/teams", {"name": "Far", "slug": "far", "timezone": "Asia/Tokyo"}, token=ADMIN).json()
    assert made["timezone"] == "Asia/Tokyo"
    token = made["token"]
    changed = api.call("PATCH", "/v1/teams/far", {"timezone": "Europe/Berlin"}, token=token).json()
    assert changed["timezone"] == "Europe/Berlin"
    assert api.call("PATCH", "/v1/teams/far", {"name": "Near"}, token=token).json()["timezone"] == "Europe/Berlin"
    assert api.call("PATCH", "/v1/teams/far", {"timezone": None}, token=token).json()["timezone"] == "UTC"
