"""`depends_on` as callers see it: what is refused, what is shown, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.server import ADMIN, STRANGER, Api

BODY = {"name": "Shop", "type": "http", "url": "https://shop.example/"}


def made(api: Api, **members: Any) -> str:
    answer = api.call("POST", "/v1/monitors", {**BODY, **members})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def refusal(answer: Any) -> tuple[int, str, str, str]:
    error = answer.json()["error"]
    [detail] = error["details"]
    return answer.status_code, detail["code"], detail["param"], detail["message"]


def test_a_monitor_shows_what_it_depends_on_wherever_it_is_shown(api: Api) -> None:
    gateway = made(api, name="Gateway")
    shop = made(api, depends_on=[gateway])
    for path in (f"/v1/monitors/{shop}", f"/v1/monitors/{shop}/config"):
        assert api.call("GET", path).json()["depends_on"] == [gateway]
    explained = api.call("GET", f"/v1/monitors/{shop}/explain").json()
    assert explained["depends_on"] == [{"monitor_id": gateway, "name": "Gateway", "health": "pending"}]


def test_a_circle_is_refused_with_the_way_it_goes(api: Api) -> None:
    power = made(api, name="Power")
    gateway = made(api, name="Gateway", depends_on=[power])
    shop = made(api, depends_on=[gateway])
    answer = api.call("PATCH", f"/v1/monitors/{power}", {"depends_on": [shop]})
    status, code, param, message = refusal(answer)
    assert (status, code, param) == (422, "parameter_conflict", "depends_on[0]")
    assert f"{power} → {shop} → {gateway} → {power}" in message
    assert api.call("GET", f"/v1/monitors/{power}").json()["depends_on"] == []


def test_a_monitor_cannot_depend_on_itself(api: Api) -> None:
    shop = made(api)
    status, code, _, message = refusal(api.call("PATCH", f"/v1/monitors/{shop}", {"depends_on": [shop]}))
    assert (status, code) == (422, "parameter_conflict")
    assert f"{shop} → {shop}" in message


def test_a_chain_of_eleven_is_refused_and_one_of_ten_is_not(api: Api) -> None:
    last = made(api)
    for _ in range(9):
        last = made(api, depends_on=[last])
    status, code, param, message = refusal(api.call("POST", "/v1/monitors", {**BODY, "depends_on": [last]}))
    assert (status, code, param) == (422, "parameter_conflict", "depends_on")
    assert "a chain of 11 monitors, and 10 is the limit: this monitor → " in message


@pytest.mark.parametrize("named", ["mon_00000000", "mon_zzzzzzzz", "Gateway", "inc_4m8n2v5w"])
def test_what_is_no_monitor_is_refused(api: Api, named: str) -> None:
    status, code, param, message = refusal(api.call("POST", "/v1/monitors", {**BODY, "depends_on": [named]}))
    assert (status, code, param) == (422, "reference_not_found", "depends_on[0]")
    assert "names no monitor of this team" in message


def test_another_teams_monitor_is_refused_like_one_that_does_not_exist(api: Api) -> None:
    theirs = made(api)
    foreign = api.call("POST", "/v1/monitors", {**BODY, "depends_on": [theirs]}, token=STRANGER)
    missing = api.call("POST", "/v1/monitors", {**BODY, "depends_on": ["mon_00000000"]}, token=STRANGER)
    assert refusal(foreign) == refusal(missing)


def test_a_monitor_that_is_deleted_is_taken_out_of_what_depends_on_it(api: Api) -> None:
    gateway, power = made(api, name="Gateway"), made(api, name="Power")
    shop = made(api, depends_on=[gateway, power])
    assert api.call("DELETE", f"/v1/monitors/{gateway}").status_code == 200
    document = api.call("GET", f"/v1/monitors/{shop}/config").json()
    assert (document["depends_on"], document["config_version"]) == ([power], 2)
    versions = api.call("GET", f"/v1/monitors/{shop}/config/versions").json()["data"]
    assert versions[0]["changed"] == ["/depends_on"]
    entries = api.call("GET", "/v1/audit-log", token=ADMIN).json()["data"]
    assert ("monitor.updated", shop) in [(entry["action"], entry["resource"]) for entry in entries]


def test_a_version_that_names_a_deleted_monitor_is_not_rolled_back_to(api: Api) -> None:
    gateway = made(api, name="Gateway")
    shop = made(api, depends_on=[gateway])
    api.call("DELETE", f"/v1/monitors/{gateway}")
    answer = api.call("POST", f"/v1/monitors/{shop}/config/rollback", {"config_version": 1})
    assert answer.status_code == 422
    assert "names no monitor of this team" in answer.text


def test_a_dry_run_of_a_circle_is_refused_and_one_that_holds_stores_nothing(api: Api) -> None:
    gateway, shop = made(api, name="Gateway"), made(api)
    path = f"/v1/monitors/{shop}/config?dry_run=true"
    assert refusal(api.call("PATCH", path, {"depends_on": [shop]}))[1] == "parameter_conflict"
    assert api.call("PATCH", path, {"depends_on": [gateway]}).json()["depends_on"] == [gateway]
    assert api.call("GET", f"/v1/monitors/{shop}").json()["depends_on"] == []
