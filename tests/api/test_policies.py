"""Escalation policies."""

from __future__ import annotations

from typing import Any

from tests.api.server import STRANGER, Api


def test_a_policy_made_for_a_monitor_has_one_step_and_repeats_twice(api: Api, body: dict[str, Any]) -> None:
    api.call("POST", "/v1/monitors", {**body, "escalation_policy": "oncall_senior"})
    document = api.call("GET", "/v1/escalation-policies/oncall_senior").json()
    assert document["steps"] == [
        {"delay_seconds": 0, "targets": [{"type": "monitor_notifications", "id": None}], "only_between": None}
    ]
    assert document["repeat"] == {"count": 2, "delay_seconds": 900}
    assert (document["slug"], document["auto_created"], document["is_default"]) == ("oncall_senior", True, False)


def test_policies_are_listed_page_by_page(api: Api, body: dict[str, Any]) -> None:
    for slug in ("first", "second", "third"):
        api.clock.at += 10
        api.call("POST", "/v1/monitors", {**body, "escalation_policy": slug}, token=STRANGER)
    one = api.call("GET", "/v1/escalation-policies?limit=2", token=STRANGER).json()
    two = api.call("GET", f"/v1/escalation-policies?cursor={one['next_cursor']}", token=STRANGER).json()
    assert [item["slug"] for item in one["data"] + two["data"]] == ["third", "second", "first"]
    upwards = api.call("GET", "/v1/escalation-policies?order=asc&limit=1", token=STRANGER).json()
    assert (upwards["data"][0]["slug"], upwards["message"]) == ("first", "1 escalation policy, and there are more.")


def test_an_unknown_slug_is_not_found(api: Api) -> None:
    for slug in ("nobody", "%00", "a%20b"):
        assert api.call("GET", f"/v1/escalation-policies/{slug}").status_code == 404


def test_a_policy_that_is_known_is_not_sent_again(api: Api, body: dict[str, Any]) -> None:
    api.call("POST", "/v1/monitors", {**body, "escalation_policy": "known"})
    made = api.call("GET", "/v1/escalation-policies/known").headers["ETag"]
    assert api.call("GET", "/v1/escalation-policies/known", headers={"If-None-Match": made}).status_code == 304
    api.call("PATCH", "/v1/escalation-policies/known", {"name": "Other"})
    assert api.call("GET", "/v1/escalation-policies/known", headers={"If-None-Match": made}).status_code == 200
