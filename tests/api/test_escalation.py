"""Policies, schedules, contacts and rules by the API, and the moves that escalate."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from sqlalchemy import select

from statuspulse.engine import escalator
from statuspulse.storage.schema import outbox
from tests.api.server import ADMIN, STRANGER, Api

SLACK = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"
OTHER = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/def456"
MASKED = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***#"


def a_monitor(api: Api, **members: Any) -> dict[str, Any]:
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", "notifications": [SLACK], **members}
    answer = api.call("POST", "/v1/monitors", body)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def channel_of(api: Api, url: str) -> str:
    return str(a_monitor(api, notifications=[url])["notifications"][0].rpartition("#")[2])


def a_policy(api: Api, slug: str, **members: Any) -> dict[str, Any]:
    steps = [
        {"targets": [{"type": "channel", "id": channel_of(api, SLACK)}]},
        {"delay_seconds": 300, "targets": [{"type": "channel", "id": channel_of(api, OTHER)}]},
    ]
    answer = api.call("POST", "/v1/escalation-policies", {"slug": slug, "name": "Night", "steps": steps, **members})
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def an_incident(api: Api, **members: Any) -> dict[str, Any]:
    answer = api.call("POST", "/v1/incidents", {"title": "Redis is full", **members})
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def read(api: Api, incident: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = api.call("GET", f"/v1/incidents/{incident['id']}").json()
    return document


def error(answer: requests.Response) -> tuple[int, str, str | None]:
    told = answer.json()["error"]
    return answer.status_code, told["details"][0]["code"] if told["details"] else told["code"], told["param"]


def told(api: Api, incident: dict[str, Any]) -> list[tuple[str, str]]:
    query = select(outbox.c.action, outbox.c.destination).where(outbox.c.incident_id == incident["id"])
    rows = api.database.read_now(lambda connection: connection.execute(query.order_by(outbox.c.id)).all())
    return [(row.action, row.destination) for row in rows]


def test_a_policy_is_made_changed_and_removed(api: Api) -> None:
    made = a_policy(api, "made", ack_timeout_seconds=600)
    assert (made["repeat"], made["auto_created"]) == ({"count": 0, "delay_seconds": 300}, False)
    assert api.call("GET", "/v1/escalation-policies/made").json()["steps"] == made["steps"]
    put = api.call("PUT", "/v1/escalation-policies/made", {"name": "Day", "ack_timeout_seconds": None}).json()
    assert (put["name"], put["ack_timeout_seconds"], put["steps"]) == ("Day", None, made["steps"])
    patched = api.call("PATCH", "/v1/escalation-policies/made", {"repeat": {"count": 3}}).json()
    assert patched["repeat"] == {"count": 3, "delay_seconds": 300}
    again = api.call("PUT", "/v1/escalation-policies/made", patched)
    assert (again.status_code, again.json()["message"]) == (200, "Nothing changed.")
    assert api.call("DELETE", "/v1/escalation-policies/made").json()["deleted"] is True
    assert api.call("GET", "/v1/escalation-policies/made").status_code == 404


def test_a_policy_that_somebody_names_stays(api: Api) -> None:
    a_policy(api, "used")
    monitor = a_monitor(api, escalation_policy="used")
    answer = api.call("DELETE", "/v1/escalation-policies/used")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "resource_in_use")
    assert answer.json()["error"]["details"][0]["monitor_ids"] == [monitor["id"]]
    api.call("DELETE", f"/v1/monitors/{monitor['id']}")
    api.call("PATCH", "/v1/teams/default", {"default_policy": "used"}, token=ADMIN)
    assert error(api.call("DELETE", "/v1/escalation-policies/used"))[:2] == (409, "resource_in_use")
    api.call("PATCH", "/v1/teams/default", {"default_policy": None}, token=ADMIN)
    assert api.call("DELETE", "/v1/escalation-policies/used").status_code == 200


def test_a_slug_is_given_once(api: Api) -> None:
    a_policy(api, "once")
    body = {"slug": "once", "name": "x", "steps": [{"targets": [{"type": "monitor_notifications"}]}]}
    assert api.call("POST", "/v1/escalation-policies", body).json()["error"]["code"] == "slug_taken"
    renamed = api.call("PATCH", "/v1/escalation-policies/once", {"slug": "twice"})
    assert error(renamed) == (422, "parameter_immutable", "slug")


OWN = {"type": "monitor_notifications"}


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"steps": []}, "parameter_out_of_range", "steps"),
        ({"steps": [{"targets": []}]}, "parameter_out_of_range", "steps[0].targets"),
        ({"steps": [{"targets": [OWN] * 11}]}, "parameter_too_many", "steps[0].targets"),
        ({"steps": [{"targets": [{**OWN, "id": "x"}]}]}, "parameter_conflict", "steps[0].targets[0]"),
        ({"steps": [{"targets": [{"type": "user"}]}]}, "parameter_conflict", "steps[0].targets[0]"),
        (
            {"steps": [{"targets": [{"type": "user", "id": "usr_zzzzzzzz"}]}]},
            "reference_not_found",
            "steps[0].targets[0].id",
        ),
        ({"steps": [{"targets": [OWN], "delay_seconds": 86_401}]}, "parameter_out_of_range", "steps[0].delay_seconds"),
        ({"repeat": {"count": 10}}, "parameter_out_of_range", "repeat.count"),
        ({"ack_timeout_seconds": 299}, "parameter_out_of_range", "ack_timeout_seconds"),
        ({"auto_resolve_seconds": 599}, "parameter_out_of_range", "auto_resolve_seconds"),
        ({"severities": ["fatal"]}, "parameter_invalid_enum", "severities[0]"),
        (
            {"steps": [{"targets": [OWN], "only_between": {"timezone": "Mars", "from": "09:00", "to": "17:00"}}]},
            "timezone_unknown",
            "steps[0].only_between.timezone",
        ),
        (
            {"steps": [{"targets": [OWN], "only_between": {"timezone": "UTC", "from": "9", "to": "17:00"}}]},
            "parameter_invalid_format",
            "steps[0].only_between.from",
        ),
    ],
)
def test_what_is_wrong_with_a_policy_is_named(api: Api, members: dict[str, Any], code: str, param: str) -> None:
    body = {"slug": "bad", "name": "Bad", "steps": [{"targets": [OWN]}], **members}
    assert error(api.call("POST", "/v1/escalation-policies", body)) == (422, code, param)


def test_a_trial_tells_who_would_be_told_when_and_tells_nobody(api: Api) -> None:
    policy = a_policy(api, "trial", repeat={"count": 1, "delay_seconds": 600}, severities=["critical"])
    answer = api.call("POST", "/v1/escalation-policies/trial/test").json()
    assert [(one["step"], one["repeat"], one["at"][11:19]) for one in answer["steps"]] == [
        (0, 0, "06:20:00"),
        (1, 0, "06:25:00"),
        (0, 1, "06:35:00"),
        (1, 1, "06:40:00"),
    ]
    first, second = (target["id"] for step in policy["steps"] for target in step["targets"])
    assert [one["channels"] for one in answer["steps"]][:2] == [[MASKED + first], [MASKED + second]]
    other = api.call("POST", "/v1/escalation-policies/trial/test", {"severity": "info"}).json()
    assert other["steps"] == []
    wrong = api.call("POST", "/v1/escalation-policies/trial/test", {"monitor_id": "mon_zzzzzzzz"})
    assert error(wrong) == (422, "reference_not_found", "monitor_id")


def test_an_incident_shows_how_far_its_escalation_is(api: Api) -> None:
    a_policy(api, "shown", ack_timeout_seconds=600)
    incident = an_incident(api, escalation_policy="shown")
    assert incident["escalation"] == {
        "policy": "shown",
        "step": 0,
        "repeat": 0,
        "next_step_at": "2026-11-23T06:25:00.412Z",
        "exhausted": False,
        "held": None,
    }
    acknowledged = api.call("POST", "/v1/incidents", {"incident_id": incident["id"], "state": "acknowledged"}).json()
    assert acknowledged["ack_expires_at"] == "2026-11-23T06:30:00.412Z"
    assert acknowledged["escalation"]["next_step_at"] is None


def test_somebody_may_escalate_at_once(api: Api) -> None:
    a_policy(api, "at-once")
    incident = an_incident(api, escalation_policy="at-once")
    path = f"/v1/incidents/{incident['id']}/escalate"
    taken = api.call("POST", path).json()
    assert (taken["escalation"]["step"], taken["escalation"]["exhausted"], taken["version"]) == (1, True, 2)
    assert {destination for _, destination in told(api, incident)} == {channel_of(api, SLACK), channel_of(api, OTHER)}
    assert error(api.call("POST", path)) == (422, "parameter_missing", "step")
    assert error(api.call("POST", path, {"step": 2})) == (422, "parameter_out_of_range", "step")
    assert api.call("POST", path, {"step": 0}).json()["escalation"]["next_step_at"] == "2026-11-23T06:25:00.412Z"
    api.call("POST", "/v1/incidents", {"incident_id": incident["id"], "state": "acknowledged"})
    kept = api.call("POST", path, {"step": 0}).json()
    assert (kept["state"], kept["escalation"]["next_step_at"]) == ("acknowledged", None)
    api.call("POST", "/v1/incidents", {"incident_id": incident["id"], "state": "resolved"})
    assert error(api.call("POST", path))[:2] == (409, "incident_not_open")
    alone = an_incident(api)
    assert error(api.call("POST", f"/v1/incidents/{alone['id']}/escalate"))[:2] == (422, "parameter_conflict")


def test_a_snoozed_incident_comes_back(api: Api) -> None:
    incident = an_incident(api)
    path = f"/v1/incidents/{incident['id']}/snooze"
    snoozed = api.call("POST", path, {"seconds": 60}).json()
    assert (snoozed["state"], snoozed["ack_expires_at"]) == ("acknowledged", "2026-11-23T06:21:00.412Z")
    assert error(api.call("POST", path, {"seconds": 59})) == (422, "parameter_out_of_range", "seconds")
    longer = api.call("POST", path, {"seconds": 3600}).json()
    assert longer["ack_expires_at"] == "2026-11-23T07:20:00.412Z"
    api.write(lambda connection: escalator.sweep(connection, api.clock.at + 3_600_000))
    assert read(api, incident)["state"] == "triggered"
    api.call("POST", "/v1/incidents", {"incident_id": incident["id"], "state": "resolved"})
    assert error(api.call("POST", path, {"seconds": 60}))[:2] == (409, "incident_not_open")


def test_rules_of_a_monitor_show_their_channels_masked_and_take_them_back(api: Api) -> None:
    hours = {"timezone": "Europe/Berlin", "days": ["mon"], "from": "09:00", "to": "17:00"}
    rules = [
        {"name": "Office", "when": {"states": ["down"], "schedule": hours}, "notify": [OTHER], "send_resolved": False},
        {"name": "Quiet", "when": {"severities": ["info"]}, "mute": True},
    ]
    monitor = a_monitor(api, notification_rules=rules)
    office, quiet = monitor["notification_rules"]
    assert office == {
        "name": "Office",
        "when": {"states": ["down"], "severities": [], "schedule": hours},
        "notify": [MASKED + channel_of(api, OTHER)],
        "after_seconds": 0,
        "repeat_seconds": None,
        "send_resolved": False,
        "quiet_hours": None,
        "mute": False,
    }
    assert (quiet["mute"], quiet["notify"], quiet["when"]["states"]) == (True, [], ["down", "up"])
    path = f"/v1/monitors/{monitor['id']}/config"
    back = api.call("PUT", path, {"notification_rules": [office, quiet]}).json()
    assert (back["config_version"], back["notification_rules"]) == (1, [office, quiet])
    incident = an_incident(api, monitor_id=monitor["id"])
    assert told(api, incident) == []  # it is Monday, 07:20 in Berlin


@pytest.mark.parametrize(
    ("rule", "code", "param"),
    [
        ({"name": "x"}, "parameter_conflict", "notification_rules[0]"),
        ({"name": "x", "mute": True, "notify": [SLACK]}, "parameter_conflict", "notification_rules[0]"),
        (
            {"name": "x", "notify": [SLACK], "after_seconds": 60, "when": {"states": ["up"]}},
            "parameter_conflict",
            "notification_rules[0]",
        ),
        ({"name": "x", "notify": ["nch_zzzzzzzz"]}, "reference_not_found", "notification_rules[0].notify[0]"),
        (
            {"name": "x", "notify": [SLACK], "repeat_seconds": 59},
            "parameter_out_of_range",
            "notification_rules[0].repeat_seconds",
        ),
        (
            {"name": "x", "notify": [SLACK], "when": {"states": []}},
            "parameter_out_of_range",
            "notification_rules[0].when.states",
        ),
    ],
)
def test_what_is_wrong_with_a_rule_is_named(api: Api, rule: dict[str, Any], code: str, param: str) -> None:
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", "notification_rules": [rule]}
    assert error(api.call("POST", "/v1/monitors", body)) == (422, code, param)


def a_member(api: Api, email: str, **members: Any) -> dict[str, Any]:
    body = {"email": email, "role": "responder", **members}
    document: dict[str, Any] = api.call("POST", "/v1/teams/default/members", body, token=ADMIN).json()
    return document


def test_a_member_is_told_by_his_contacts(api: Api) -> None:
    member = a_member(api, "maya@ours.example", contacts=[SLACK])
    assert (member["contacts"], member["warnings"]) == ([MASKED + channel_of(api, SLACK)], [])
    path = f"/v1/teams/default/members/{member['id']}"
    changed = api.call("PATCH", path, {"contacts": [OTHER]}, token=ADMIN).json()
    assert changed["contacts"] == [MASKED + channel_of(api, OTHER)]
    a_policy(api, "maya", steps=[{"targets": [{"type": "user", "id": member["id"]}]}])
    assert told(api, an_incident(api, escalation_policy="maya")) == [("trigger", channel_of(api, OTHER))]
    assert error(api.call("DELETE", path, token=ADMIN))[:2] == (409, "resource_in_use")
    api.call("DELETE", "/v1/escalation-policies/maya")
    assert api.call("DELETE", path, token=ADMIN).status_code == 200


def test_a_member_nobody_can_reach_is_told_of(api: Api) -> None:
    assert [one["code"] for one in a_member(api, "far@ours.example")["warnings"]] == ["member_unreachable"]


def test_a_schedule_is_made_changed_asked_and_removed(api: Api) -> None:
    for name in ("ana", "bo"):
        a_member(api, f"{name}@ours.example", contacts=[SLACK])
    members = ["ana@ours.example", "bo@ours.example"]
    made = api.call(
        "POST", "/v1/schedules", {"name": "Primary", "timezone": "Europe/Berlin", "members": members}
    ).json()
    # It is 07:20 in Berlin: the last handoff hour was yesterday.
    assert (made["starts_on"], made["rotation"], made["handoff"]) == ("2026-11-22", "weekly", "09:00")
    path = f"/v1/schedules/{made['id']}"
    now = api.call("GET", f"{path}/on-call").json()
    assert (now["member"], now["next_handoff_at"]) == (members[0], "2026-11-29T08:00:00.000Z")
    assert api.call("GET", f"{path}/on-call?at=2026-11-29T08:00:00Z").json()["member"] == members[1]
    assert api.call("GET", f"{path}/on-call?at=2026-11-01T08:00:00Z").json()["member"] is None
    assert error(api.call("GET", f"{path}/on-call?at=tomorrow")) == (422, "parameter_invalid_format", "at")
    for at in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert error(api.call("GET", f"{path}/on-call?at={at}")) == (422, "parameter_out_of_range", "at")
    override = {"start_at": "2026-11-23T00:00:00Z", "end_at": "2026-11-24T00:00:00Z", "member": members[1]}
    put = api.call("PUT", path, {"overrides": [override], "rotation": "FREQ=WEEKLY;BYDAY=MO,TH"}).json()
    assert put["overrides"][0]["member"] == members[1]
    assert api.call("GET", f"{path}/on-call").json()["member"] == members[1]
    a_policy(api, "rota", steps=[{"targets": [{"type": "schedule", "id": made["id"]}]}])
    assert error(api.call("DELETE", path))[:2] == (409, "resource_in_use")
    assert api.call("POST", "/v1/schedules", {"name": "Primary", "members": members}).status_code == 409
    api.call("DELETE", "/v1/escalation-policies/rota")
    listed = api.call("GET", "/v1/schedules?include=total").json()
    assert [one["id"] for one in listed["data"]] == [made["id"]]
    assert api.call("DELETE", path).json()["deleted"] is True
    assert api.call("GET", path).status_code == 404


def test_a_schedule_without_a_zone_goes_by_the_wall_of_its_team(api: Api) -> None:
    a_member(api, "di@ours.example", contacts=[SLACK])
    team = api.call("GET", "/v1/me").json()["team_id"]

    def move(zone: str | None) -> None:
        assert api.call("PATCH", f"/v1/teams/{team}", {"timezone": zone}, token=ADMIN).status_code == 200

    move("Asia/Tokyo")
    made = api.call(
        "POST", "/v1/schedules", {"name": "Wall", "members": ["di@ours.example"], "rotation": "daily"}
    ).json()
    # It is 15:20 in Tokyo: the last handoff hour was today.
    assert (made["timezone"], made["starts_on"]) == (None, "2026-11-23")
    path = f"/v1/schedules/{made['id']}"
    handoffs = []
    for zone in ("Asia/Tokyo", "America/New_York"):
        move(zone)
        handoffs.append(api.call("GET", f"{path}/on-call").json()["next_handoff_at"])
    assert handoffs == ["2026-11-24T00:00:00.000Z", "2026-11-23T14:00:00.000Z"]
    assert api.call("PUT", path, {"timezone": "UTC"}).json()["timezone"] == "UTC"
    assert api.call("GET", f"{path}/on-call").json()["next_handoff_at"] == "2026-11-23T09:00:00.000Z"
    assert api.call("PUT", path, {"timezone": None}).json()["timezone"] is None
    move(None)
    assert api.call("DELETE", path).status_code == 200


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"rotation": "FREQ=MINUTELY"}, "rrule_unsupported", "rotation"),
        ({"rotation": "FREQ=DAILY;BYDAY=MO"}, "rrule_unsupported", "rotation"),
        ({"rotation": "FREQ=DAILY;INTERVAL=0"}, "rrule_unsupported", "rotation"),
        ({"rotation": "FREQ=DAILY;FREQ=DAILY"}, "rrule_unsupported", "rotation"),
        ({"starts_on": "2026-02-30"}, "parameter_invalid_format", "starts_on"),
        ({"starts_on": "9999-12-31"}, "parameter_out_of_range", "starts_on"),
        ({"starts_on": "2031-12-01"}, "parameter_out_of_range", "starts_on"),
        ({"starts_on": "0001-01-01"}, "parameter_out_of_range", "starts_on"),
        ({"handoff": "24:00"}, "parameter_invalid_format", "handoff"),
        ({"timezone": "../etc/passwd"}, "timezone_unknown", "timezone"),
        ({"members": ["nobody@ours.example"]}, "reference_not_found", "members[0]"),
        ({"members": []}, "parameter_out_of_range", "members"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_named(api: Api, members: dict[str, Any], code: str, param: str) -> None:
    a_member(api, "cy@ours.example", contacts=[SLACK])
    body = {"name": "Bad", "members": ["cy@ours.example"], **members}
    assert error(api.call("POST", "/v1/schedules", body)) == (422, code, param)


def test_figures_of_incidents(api: Api) -> None:
    for seconds in (10, 20, 30):
        api.clock.at += 1
        incident = api.call("POST", "/v1/incidents", {"title": "x", "severity": "info"}, token=STRANGER).json()
        for state in ("acknowledged", "resolved"):
            api.clock.at += seconds * 1000
            body = {"incident_id": incident["id"], "state": state}
            api.call("POST", "/v1/incidents", body, token=STRANGER)
    api.call("POST", "/v1/incidents", {"title": "y"}, token=STRANGER)
    found = api.call("GET", "/v1/incidents/stats?group_by=severity", token=STRANGER).json()
    assert (found["count"], found["open"]) == (4, 1)
    assert found["mtta_seconds"] == {"median": 20.0, "p95": 30.0}
    assert found["mttr_seconds"] == {"median": 40.0, "p95": 60.0}
    assert [(one["group"], one["count"]) for one in found["groups"]] == [("info", 3), ("error", 1)]
    days = api.call("GET", "/v1/incidents/stats?group_by=day", token=STRANGER).json()["groups"]
    assert [(one["group"], one["count"]) for one in days] == [("2026-11-23", 4)]
    wrong = api.call("GET", "/v1/incidents/stats?from=2026-11-23T00:00:00Z&to=2026-11-22T00:00:00Z")
    assert error(wrong) == (422, "parameter_conflict", "from")


def test_an_incident_of_which_nobody_hears_says_so_to_whoever_opens_it(api: Api) -> None:
    a_policy(api, "night")
    assert an_incident(api, escalation_policy="night")["warnings"] == []
    assert an_incident(api, notify=False)["warnings"] == []
    [warning] = an_incident(api)["warnings"]
    assert (warning["code"], warning["param"]) == ("nobody_told", "escalation_policy")
    monitor = a_monitor(api, notifications=[], url="https://quiet.example/")
    body = {"title": "Down", "monitor_id": monitor["id"], "dedup_key": f"{monitor['id']}/availability"}
    assert api.call("POST", "/v1/incidents", body).json()["warnings"][0]["code"] == "nobody_told"
    explained = api.call("GET", f"/v1/monitors/{monitor['id']}/explain").json()["sentences"]
    assert explained[-1].startswith("Nobody is told of it")


JIRA = {
    "kind": "jira",
    "base_url": "https://acme.atlassian.net",
    "email": "us@ours.example",
    "api_token": "example-token",
    "project_key": "OPS",
    "issue_type": "Bug",
    "create_on": ["critical"],
}


@pytest.mark.parametrize(
    ("integration", "severity", "hears"),
    [
        ({"kind": "alertmanager"}, "critical", False),
        ({"kind": "pagerduty", "routing_key": "0" * 32, "enabled": False}, "critical", False),
        ({"kind": "pagerduty", "routing_key": "0" * 32}, "info", True),
        (JIRA, "error", False),
        (JIRA, "critical", True),
    ],
)
def test_an_integration_counts_as_somebody_where_it_takes_the_incident(
    api: Api, integration: dict[str, Any], severity: str, hears: bool
) -> None:
    made = api.call("POST", "/v1/integrations", integration).json()
    incident = an_incident(api, severity=severity)
    warned = [warning["code"] for warning in incident["warnings"]]
    assert warned == ([] if hears else ["nobody_told"])
    timeline = api.call("GET", f"/v1/incidents/{incident['id']}/timeline").json()["data"]
    assert timeline[0]["detail"].get("nobody_told", False) is not hears
    api.call("DELETE", f"/v1/integrations/{made['id']}")


@pytest.mark.parametrize("resource", ["escalation-policies", "schedules"])
def test_a_change_may_be_bound_to_the_version_that_was_read(api: Api, resource: str) -> None:
    a_member(api, "ana@ours.example", contacts=[SLACK])
    if resource == "schedules":
        made = api.call(
            "POST", "/v1/schedules", {"name": "A", "timezone": "Etc/UTC", "members": ["ana@ours.example"]}
        ).json()
        path = f"/v1/schedules/{made['id']}"
    else:
        path = f"/v1/escalation-policies/{a_policy(api, 'dawn')['slug']}"
    assert api.call("GET", path).headers["ETag"] == '"1"'
    changed = api.call("PUT", path, {"name": "B"}, headers={"If-Match": '"1"'})
    assert (changed.json()["version"], changed.headers["ETag"]) == (2, '"2"')
    assert api.call("PUT", path, {"name": "B"}).json()["version"] == 2
    late = api.call("PUT", path, {"name": "C"}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["error"]["code"]) == (412, "precondition_failed")
    assert api.call("DELETE", path, headers={"If-Match": '"1"'}).status_code == 412
    assert api.call("DELETE", path, headers={"If-Match": 'W/"2"'}).status_code == 200


QUIET = {"from": "22:00", "to": "07:00"}


def test_quiet_hours_are_shown_as_they_are_stored_without_a_zone_of_their_own(api: Api) -> None:
    rule = {"name": "Later", "notify": [OTHER], "quiet_hours": QUIET}
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", "notification_rules": [rule]}
    [shown] = api.call("POST", "/v1/monitors", body).json()["notification_rules"]
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert shown["quiet_hours"] == {"timezone": None, "days": days, **QUIET}


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"quiet_hours": {"from": "00:00", "to": "00:00"}}, "parameter_conflict"),
        ({"quiet_hours": {**QUIET, "timezone": "Mars"}}, "timezone_unknown"),
        ({"quiet_hours": {**QUIET, "to": "24:00"}}, "parameter_invalid_format"),
        ({"quiet_hours": QUIET, "when": {"states": ["up"]}}, "parameter_conflict"),
        ({"quiet_hours": QUIET, "notify": [], "mute": True}, "parameter_conflict"),
    ],
)
def test_quiet_hours_that_cannot_be_are_refused(api: Api, rule: dict[str, Any], code: str) -> None:
    rules = [{"name": "Later", "notify": [OTHER], **rule}]
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", "notification_rules": rules}
    answer = api.call("POST", "/v1/monitors", body)
    assert (answer.status_code, answer.json()["error"]["details"][0]["code"]) == (422, code)
