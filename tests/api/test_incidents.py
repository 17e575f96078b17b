"""Triggering, acknowledging and resolving incidents."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from statuspulse.catalog.incidents import judged_again
from statuspulse.catalog.policies import SINGLE_STEP
from statuspulse.domain.ids import new_id
from statuspulse.domain.incident import availability_key
from statuspulse.storage import audit, policies
from statuspulse.storage.incidents import IncidentChangedError
from statuspulse.storage.policies import Policy
from statuspulse.storage.schema import outbox
from tests.api.server import NOW, READER, STRANGER, WRITER, Api

MAYA = "maya.rodriguez@acmecorp.com"
NOTE = "Investigating Redis connection pool saturation. Scaling read replicas."
SLACK = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"


def post(api: Api, body: dict[str, Any], **keywords: Any) -> requests.Response:
    return api.call("POST", "/v1/incidents", body, **keywords)


def opened(api: Api, **members: Any) -> dict[str, Any]:
    answer = post(api, {"title": "Redis is full", **members})
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def in_state(api: Api, state: str, **members: Any) -> dict[str, Any]:
    """An incident that was led to the state."""
    incident = opened(api, **members)
    if state != "triggered":
        assert post(api, {"incident_id": incident["id"], "state": state}).status_code == 200
    return incident


def a_monitor(api: Api, **members: Any) -> dict[str, Any]:
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", **members}
    document: dict[str, Any] = api.call("POST", "/v1/monitors", body).json()
    return document


def detail(answer: requests.Response) -> tuple[str, str | None]:
    assert answer.status_code == 422, answer.text
    first = answer.json()["error"]["details"][0]
    return first["code"], first["param"]


def read(api: Api, incident: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = api.call("GET", f"/v1/incidents/{incident['id']}").json()
    return document


def timeline(api: Api, incident: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    listed = api.call("GET", f"/v1/incidents/{incident['id']}/timeline?limit=100").json()["data"]
    return [(entry["type"], entry["detail"]) for entry in listed]


def messages(api: Api, incident: dict[str, Any]) -> list[str]:
    """The actions of the messages that are owed about the incident."""
    query = select(outbox.c.action).where(outbox.c.incident_id == incident["id"]).order_by(outbox.c.seq)
    return list(api.database.read_now(lambda connection: connection.scalars(query).all()))


def audited(api: Api, incident: dict[str, Any]) -> list[str]:
    """What the audit log tells of the incident, in the order of the alphabet."""
    entries = api.database.read_now(lambda connection: audit.entries(connection, incident["team_id"], 100_000))
    return sorted(entry.action for entry in entries if entry.resource == incident["id"])


def test_a_trigger_opens_an_incident(api: Api) -> None:
    answer = post(api, {"title": "Redis is full"})
    document = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch(r"inc_[0-9a-hjkmnp-tv-z]{8}", document["id"])
    assert (answer.headers["Location"], answer.headers["ETag"]) == (f"/v1/incidents/{document['id']}", '"1"')
    assert document["message"] == f"Incident {document['id']} triggered."
    expected = {
        "object": "incident",
        "incident_id": document["id"],
        "version": 1,
        "title": "Redis is full",
        "state": "triggered",
        "previous_state": None,
        "severity": "error",
        "source": "manual",
        "monitor_id": None,
        "dedup_key": None,
        "occurrences": 1,
        "deduplicated": False,
        "assignee": None,
        "notes": None,
        "escalation": {
            "policy": None,
            "step": 0,
            "repeat": 0,
            "next_step_at": None,
            "exhausted": False,
            "held": None,
        },
        "triggered_at": "2026-11-23T06:20:00.412Z",
        "acknowledged_at": None,
        "acknowledged_by": None,
        "ack_expires_at": None,
        "resolved_at": None,
        "resolve_reason": None,
        "external_ids": {},
        "sync": [],
        "links": {"self": f"/v1/incidents/{document['id']}", "timeline": f"/v1/incidents/{document['id']}/timeline"},
    }
    assert {name: document[name] for name in expected} == expected
    assert (document["triggered_by"]["type"], document["triggered_by"]["label"]) == ("token", "writer")
    assert opened(api)["number"] == document["number"] + 1


def test_the_third_example_of_the_reference_answers_as_documented(api: Api) -> None:
    incident = opened(api, severity="critical")
    body = {"incident_id": incident["id"], "state": "acknowledged", "assignee": MAYA, "notes": NOTE}
    first, second = post(api, body), post(api, body)
    assert (first.status_code, second.status_code) == (200, 200)
    assert "Location" not in first.headers
    assert first.json()["message"] == f"Incident {incident['id']} acknowledged and assigned to {MAYA}."
    assert second.json()["message"] == f"Incident {incident['id']} was already acknowledged; the note was added."
    document = first.json()
    assert (document["state"], document["previous_state"], document["assignee"], document["notes"]) == (
        "acknowledged",
        "triggered",
        MAYA,
        NOTE,
    )
    assert (document["acknowledged_at"], document["acknowledged_by"]["label"]) == ("2026-11-23T06:20:00.412Z", "writer")
    assert (document["version"], first.headers["ETag"], second.json()["version"]) == (2, '"2"', 3)
    assert second.json()["previous_state"] == "acknowledged"
    assert [kind for kind, _ in timeline(api, incident)] == ["triggered", "state_changed", "assigned", "note", "note"]


@pytest.mark.parametrize(
    ("before", "asked", "status", "after"),
    [
        ("triggered", {"state": "triggered"}, 200, "triggered"),
        ("triggered", {"state": "acknowledged"}, 200, "acknowledged"),
        ("triggered", {"state": "resolved"}, 200, "resolved"),
        ("acknowledged", {"state": "triggered"}, 200, "triggered"),
        ("acknowledged", {"state": "acknowledged"}, 200, "acknowledged"),
        ("acknowledged", {"state": "resolved"}, 200, "resolved"),
        ("resolved", {"state": "triggered"}, 409, "resolved"),
        ("resolved", {"state": "triggered", "reopen": True}, 200, "triggered"),
        ("resolved", {"state": "acknowledged"}, 409, "resolved"),
        ("resolved", {"state": "resolved"}, 200, "resolved"),
        ("triggered", {"notes": NOTE}, 200, "triggered"),
        ("acknowledged", {"assignee": MAYA}, 200, "acknowledged"),
        ("resolved", {"notes": NOTE}, 200, "resolved"),
        ("resolved", {"assignee": MAYA}, 200, "resolved"),
        ("resolved", {"external_ids": {"jira": "OPS-1"}}, 200, "resolved"),
    ],
)
def test_what_may_become_of_an_incident(api: Api, before: str, asked: dict[str, Any], status: int, after: str) -> None:
    incident = in_state(api, before)
    answer = post(api, {"incident_id": incident["id"], **asked})
    assert answer.status_code == status, answer.text
    assert read(api, incident)["state"] == after
    if status == 200:
        assert answer.json()["previous_state"] == before
        assert answer.json()["deduplicated"] is False
    else:
        assert answer.json()["error"]["code"] == "incident_already_resolved"


@pytest.mark.parametrize("state", ["triggered", "acknowledged", "resolved"])
def test_the_same_state_again_is_a_no_op_and_yet_takes_what_comes_with_it(api: Api, state: str) -> None:
    incident = in_state(api, state)
    plain = post(api, {"incident_id": incident["id"], "state": state})
    before = read(api, incident)
    assert plain.json()["message"] == f"Incident {incident['id']} was already {state}."
    assert plain.json()["version"] == before["version"]
    wanted = {"state": state, "assignee": MAYA, "notes": "look", "external_ids": {"jira": "OPS-7"}}
    document = post(api, {"incident_id": incident["id"], **wanted}).json()
    assert document["message"] == (
        f"Incident {incident['id']} was already {state}; "
        f"assigned to {MAYA}, its external ids were changed, the note was added."
    )
    assert (document["assignee"], document["notes"], document["external_ids"]) == (MAYA, "look", {"jira": "OPS-7"})
    assert document["version"] == before["version"] + 1
    assert [kind for kind, _ in timeline(api, incident)][-3:] == ["assigned", "linked", "note"]


def test_a_withdrawn_acknowledgement_leaves_no_trace_in_the_incident(api: Api) -> None:
    incident = in_state(api, "acknowledged")
    document = post(api, {"incident_id": incident["id"], "state": "triggered"}).json()
    assert document["message"] == f"Incident {incident['id']} triggered again."
    assert (document["acknowledged_at"], document["acknowledged_by"]) == (None, None)


def test_a_resolved_incident_tells_by_whom_and_why(api: Api) -> None:
    incident = in_state(api, "resolved")
    document = read(api, incident)
    assert (document["resolved_at"], document["resolve_reason"]) == ("2026-11-23T06:20:00.412Z", "manual")
    assert document["resolved_by"]["label"] == "writer"
    again = post(api, {"incident_id": incident["id"], "state": "triggered", "reopen": True}).json()
    assert again["message"] == f"Incident {incident['id']} reopened."
    assert (again["resolved_at"], again["resolved_by"], again["resolve_reason"]) == (None, None, None)
    assert again["occurrences"] == 2


def test_a_call_without_state_only_adds(api: Api) -> None:
    incident = opened(api)
    document = post(api, {"incident_id": incident["id"], "assignee": MAYA, "notes": "look"}).json()
    assert document["message"] == f"Incident {incident['id']} updated: assigned to {MAYA}, the note was added."
    unassigned = post(api, {"incident_id": incident["id"], "assignee": None}).json()
    assert (unassigned["message"], unassigned["assignee"]) == (
        f"Incident {incident['id']} updated: assigned to nobody.",
        None,
    )
    nothing = post(api, {"incident_id": incident["id"], "notes": "  "}).json()
    assert nothing["message"] == f"Nothing changed; incident {incident['id']} has the version 3."
    assert nothing["notes"] is None


@pytest.mark.parametrize("members", [{}, {"notes": "x", "severity": "info"}, {"reopen": False}])
def test_without_a_state_and_an_addition_nothing_is_asked(api: Api, members: dict[str, Any]) -> None:
    incident = opened(api, dedup_key=new_id("key"))
    for reference in ({"incident_id": incident["id"]}, {"dedup_key": incident["dedup_key"]}):
        assert detail(post(api, {**reference, **members})) == ("parameter_missing", "state")


# --- which incident is meant ------------------------------------------------------------------------------


def test_an_open_incident_with_the_key_absorbs_a_trigger(api: Api) -> None:
    key = new_id("key")
    first = opened(api, dedup_key=key)
    body = {"state": "triggered", "title": "Again", "severity": "info", "dedup_key": key, "notes": "more"}
    answer = post(api, {**body, "assignee": MAYA})
    document = answer.json()
    assert (answer.status_code, document["id"], document["deduplicated"], document["occurrences"]) == (
        200,
        first["id"],
        True,
        2,
    )
    assert document["message"] == (
        f"Incident {first['id']} is open already; this is its occurrence 2, and nobody is told again."
    )
    assert (document["title"], document["severity"], document["assignee"]) == ("Redis is full", "error", MAYA)
    assert document["warnings"] == []
    assert [kind for kind, _ in timeline(api, first)] == ["triggered", "observation", "assigned", "note"]


def test_a_repeated_trigger_leaves_an_acknowledgement_alone(api: Api) -> None:
    incident = in_state(api, "acknowledged", dedup_key=new_id("key"))
    document = post(api, {"state": "triggered", "title": "x", "dedup_key": incident["dedup_key"]}).json()
    assert (document["state"], document["deduplicated"]) == ("acknowledged", True)


def test_a_key_is_free_again_after_the_resolution(api: Api) -> None:
    first = in_state(api, "resolved", dedup_key=new_id("key"))
    second = opened(api, dedup_key=first["dedup_key"])
    assert second["id"] != first["id"]
    reopened = post(api, {"incident_id": first["id"], "state": "triggered", "reopen": True})
    assert detail(reopened) == ("parameter_conflict", "reopen")
    post(api, {"incident_id": second["id"], "state": "resolved"})
    assert post(api, {"incident_id": first["id"], "state": "triggered", "reopen": True}).status_code == 200


def test_a_key_is_the_teams_own(api: Api) -> None:
    first = opened(api, dedup_key=new_id("key"))
    other = post(api, {"title": "x", "dedup_key": first["dedup_key"]}, token=STRANGER)
    assert other.status_code == 201
    assert other.json()["id"] != first["id"]


def test_a_key_is_narrowed_by_the_monitor(api: Api) -> None:
    key, one, two = new_id("key"), a_monitor(api), a_monitor(api)
    first = opened(api, dedup_key=key, monitor_id=one["id"])
    assert post(api, {"state": "acknowledged", "dedup_key": key}).json()["id"] == first["id"]
    assert post(api, {"state": "acknowledged", "dedup_key": key, "monitor_id": two["id"]}).status_code == 404
    second = opened(api, dedup_key=key, monitor_id=two["id"])
    assert detail(post(api, {"state": "acknowledged", "dedup_key": key})) == ("parameter_conflict", "dedup_key")
    narrowed = post(api, {"state": "resolved", "dedup_key": key, "monitor_id": two["id"]}).json()
    assert (narrowed["id"], narrowed["state"]) == (second["id"], "resolved")


def test_a_monitors_own_key_names_the_monitor(api: Api) -> None:
    monitor = a_monitor(api)
    key = availability_key(monitor["id"])
    incident = post(api, {"dedup_key": key}).json()
    assert (incident["monitor_id"], incident["title"]) == (monitor["id"], "Shop: manual incident")
    for body in ({"dedup_key": key, "title": "Again"}, {"dedup_key": key, "monitor_id": monitor["id"]}):
        again = post(api, {**body, "state": "triggered"}).json()
        assert (again["id"], again["deduplicated"]) == (incident["id"], True)
    assert post(api, {"dedup_key": key, "state": "resolved"}).json()["id"] == incident["id"]


def test_a_monitors_own_key_disagrees_with_another_monitor(api: Api) -> None:
    one, two = a_monitor(api), a_monitor(api)
    for state in ("triggered", "resolved"):
        body = {"state": state, "dedup_key": availability_key(one["id"]), "monitor_id": two["id"]}
        assert detail(post(api, body)) == ("parameter_conflict", "dedup_key")


def test_a_monitors_own_key_is_not_opened_quietly(api: Api) -> None:
    """The incident would take the next outage of the monitor in, and nobody would be told."""
    monitor = a_monitor(api)
    body = {"dedup_key": availability_key(monitor["id"]), "notify": False}
    assert detail(post(api, body)) == ("parameter_conflict", "notify")
    assert post(api, {**body, "dedup_key": new_id("key"), "monitor_id": monitor["id"]}).status_code == 201


def test_the_key_of_a_foreign_monitor_is_a_text_as_that_of_none(api: Api) -> None:
    monitor = a_monitor(api)
    for owner in (monitor["id"], new_id("mon")):
        key = availability_key(owner)
        document = post(api, {"title": "x", "dedup_key": key, "notify": False}, token=STRANGER).json()
        assert (document["monitor_id"], document["dedup_key"], document["severity"]) == (None, key, "error")
        assert detail(post(api, {"dedup_key": f"{key}x"}, token=STRANGER)) == ("parameter_missing", "title")


def test_an_external_id_may_be_the_only_reference(api: Api) -> None:
    ticket = new_id("ops")
    incident = opened(api, external_ids={"jira": ticket})
    acknowledged = post(api, {"state": "acknowledged", "external_ids": {"jira": ticket, "pagerduty": "Q2F9K1"}}).json()
    assert (acknowledged["id"], acknowledged["external_ids"]) == (
        incident["id"],
        {"jira": ticket, "pagerduty": "Q2F9K1"},
    )
    withdrawn = post(api, {"state": "triggered", "external_ids": {"jira": ticket}}).json()
    assert (withdrawn["id"], withdrawn["state"], withdrawn["deduplicated"]) == (incident["id"], "triggered", False)
    noted = post(api, {"notes": "look", "external_ids": {"jira": ticket}}).json()
    assert (noted["id"], noted["notes"]) == (incident["id"], "look")
    assert post(api, {"state": "resolved", "external_ids": {"jira": ticket}}).json()["id"] == incident["id"]
    over = post(api, {"state": "acknowledged", "external_ids": {"jira": ticket}})
    assert over.json()["error"]["code"] == "incident_already_resolved"
    assert post(api, {"state": "resolved", "external_ids": {"jira": ticket}}).status_code == 200
    assert opened(api, external_ids={"jira": ticket})["id"] != incident["id"]


@pytest.mark.parametrize("ticket", ["OPS-142", "ÖPS-142", 'a"b', "a%b", "a_b", "a\\b"])
def test_external_ids_are_told_apart_letter_by_letter(api: Api, ticket: str) -> None:
    incident = opened(api, external_ids={"opsgenie": ticket})
    for other in (ticket.swapcase(), ticket + "0", "axb"):
        assert post(api, {"state": "resolved", "external_ids": {"opsgenie": other}}).status_code == 404
    assert post(api, {"state": "resolved", "external_ids": {"jira": ticket}}).status_code == 404
    assert post(api, {"state": "resolved", "external_ids": {"opsgenie": ticket}}).json()["id"] == incident["id"]


def test_external_ids_that_lead_to_several_open_incidents_are_refused(api: Api) -> None:
    one, two = new_id("ops"), new_id("ops")
    opened(api, external_ids={"jira": one})
    opened(api, external_ids={"pagerduty": two})
    answer = post(api, {"state": "resolved", "external_ids": {"jira": one, "pagerduty": two}})
    assert detail(answer) == ("parameter_conflict", "external_ids")


def test_references_that_disagree_are_refused(api: Api) -> None:
    monitor = a_monitor(api)
    incident = opened(api, dedup_key=new_id("key"), monitor_id=monitor["id"])
    body = {"incident_id": incident["id"], "state": "resolved"}
    assert detail(post(api, {**body, "dedup_key": "another"})) == ("parameter_conflict", "dedup_key")
    assert detail(post(api, {**body, "monitor_id": a_monitor(api)["id"]})) == ("parameter_conflict", "monitor_id")
    agreeing = {**body, "dedup_key": incident["dedup_key"], "monitor_id": monitor["id"]}
    assert post(api, agreeing).status_code == 200


def test_what_a_call_refers_to_has_to_exist(api: Api) -> None:
    foreign = post(api, {"title": "x"}, token=STRANGER).json()
    for incident_id in (new_id("inc"), foreign["id"], "42", ""):
        answer = post(api, {"incident_id": incident_id, "state": "acknowledged"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
    for reference in ({"dedup_key": new_id("key")}, {"external_ids": {"jira": new_id("ops")}}):
        for state in ("acknowledged", "resolved"):
            assert post(api, {"state": state, **reference}).status_code == 404
    for monitor_id in (new_id("mon"), "x", ""):
        answer = post(api, {"title": "x", "monitor_id": monitor_id})
        assert detail(answer) == ("reference_not_found", "monitor_id")
    unknown = {"title": "x", "escalation_policy": "nobody"}
    assert detail(post(api, unknown)) == ("reference_not_found", "escalation_policy")


def test_a_key_that_finds_nothing_is_stored_with_the_new_incident(api: Api) -> None:
    key, ticket = new_id("key"), new_id("ops")
    incident = opened(api, state="triggered", dedup_key=key, external_ids={"jira": ticket})
    assert (incident["dedup_key"], incident["external_ids"]) == (key, {"jira": ticket})


# --- what is in a request ---------------------------------------------------------------------------------


def test_external_ids_are_linked_with_a_warning_as_long_as_nothing_syncs(api: Api) -> None:
    url = "https://acme.atlassian.net/browse/OPS-142"
    incident = opened(api, external_ids={"pagerduty": "Q2F9K1", "jira": {"id": "OPS-142", "url": url}})
    assert incident["external_ids"] == {"pagerduty": "Q2F9K1", "jira": "OPS-142"}
    assert [(one["provider"], one["status"], one["external_id"], one["url"]) for one in incident["sync"]] == [
        ("pagerduty", "not_configured", "Q2F9K1", None),
        ("jira", "not_configured", "OPS-142", url),
    ]
    assert [(warning["code"], warning["param"]) for warning in incident["warnings"][1:]] == [
        ("integration_not_configured", "external_ids.pagerduty"),
        ("integration_not_configured", "external_ids.jira"),
    ]
    again = post(api, {"incident_id": incident["id"], "external_ids": {"jira": "OPS-142"}}).json()
    assert again["version"] == 1
    assert again["sync"][1]["url"] == url
    other = post(api, {"incident_id": incident["id"], "external_ids": {"jira": "OPS-143"}}).json()
    assert (other["external_ids"]["jira"], other["sync"][1]["url"]) == ("OPS-143", None)


def test_a_new_incident_takes_its_defaults_from_the_monitor(api: Api) -> None:
    monitor = a_monitor(api, severity="warning", escalation_policy="shop")
    incident = post(api, {"monitor_id": monitor["id"]}).json()
    assert (incident["title"], incident["severity"], incident["monitor_id"], incident["escalation"]["policy"]) == (
        "Shop: manual incident",
        "warning",
        monitor["id"],
        "shop",
    )
    assert api.call("GET", f"/v1/monitors/{monitor['id']}").json()["open_incident_id"] == incident["id"]
    own = post(api, {"monitor_id": monitor["id"], "title": "Mine", "severity": "info"}).json()
    assert (own["title"], own["severity"]) == ("Mine", "info")


def test_a_new_incident_takes_the_default_policy_of_the_team(api: Api) -> None:
    team_id = post(api, {"title": "x"}, token=STRANGER).json()["team_id"]

    def choose(connection: Connection) -> None:
        policy = Policy(
            id="esc_default1",
            team_id=team_id,
            slug="everyone",
            name="x",
            is_default=True,
            rules=SINGLE_STEP,
            created_at=1,
            updated_at=1,
        )
        policies.insert_if_new(connection, policy)

    api.write(choose)
    assert post(api, {"title": "x"}, token=STRANGER).json()["escalation"]["policy"] == "everyone"


def test_an_incident_may_have_begun_earlier(api: Api) -> None:
    assert opened(api, occurred_at="2026-11-23T08:19:00+02:00")["triggered_at"] == "2026-11-23T06:19:00.000Z"
    assert opened(api, occurred_at="2026-11-16T06:20:00.412Z")["triggered_at"] == "2026-11-16T06:20:00.412Z"
    # A clock that is ahead of ours is no prophet.
    assert opened(api, occurred_at="2026-11-23T06:21:00.412Z")["triggered_at"] == "2026-11-23T06:20:00.412Z"


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"state": "closed"}, "parameter_invalid_enum", "state"),
        ({"state": None}, "parameter_invalid_type", "state"),
        ({"title": ""}, "parameter_out_of_range", "title"),
        ({"title": "  "}, "parameter_out_of_range", "title"),
        ({"title": "x" * 256}, "parameter_too_long", "title"),
        ({"title": "a\nb"}, "parameter_invalid_format", "title"),
        ({"title": None}, "parameter_invalid_type", "title"),
        ({"title": 5}, "parameter_invalid_type", "title"),
        ({"dedup_key": ""}, "parameter_out_of_range", "dedup_key"),
        ({"dedup_key": "x" * 256}, "parameter_too_long", "dedup_key"),
        ({"incident_id": 5}, "parameter_invalid_type", "incident_id"),
        ({"monitor_id": None}, "parameter_invalid_type", "monitor_id"),
        ({"severity": "fatal"}, "parameter_invalid_enum", "severity"),
        ({"assignee": "x" * 255}, "parameter_too_long", "assignee"),
        ({"assignee": ""}, "parameter_out_of_range", "assignee"),
        ({"notes": "x" * 10_001}, "parameter_too_long", "notes"),
        ({"notes": "a\x07"}, "parameter_invalid_format", "notes"),
        ({"escalation_policy": "On Call"}, "parameter_invalid_format", "escalation_policy"),
        ({"notify": "no"}, "parameter_invalid_type", "notify"),
        ({"reopen": 1}, "parameter_invalid_type", "reopen"),
        ({"reopen": True}, "parameter_conflict", "reopen"),
        ({"occurred_at": "2026-11-23T06:20:00"}, "parameter_invalid_format", "occurred_at"),
        ({"occurred_at": 1795414800}, "parameter_invalid_type", "occurred_at"),
        ({"occurred_at": "2026-11-23T06:21:00.413Z"}, "parameter_out_of_range", "occurred_at"),
        ({"occurred_at": "2026-11-16T06:20:00.411Z"}, "parameter_out_of_range", "occurred_at"),
        ({"external_ids": []}, "parameter_invalid_type", "external_ids"),
        ({"external_ids": {"github": "1"}}, "unknown_parameter", "external_ids.github"),
        ({"external_ids": {"jira": None}}, "parameter_invalid_type", "external_ids.jira"),
        ({"external_ids": {"jira": 5}}, "parameter_invalid_type", "external_ids.jira"),
        ({"external_ids": {"jira": ""}}, "parameter_out_of_range", "external_ids.jira"),
        ({"external_ids": {"jira": "x" * 256}}, "parameter_too_long", "external_ids.jira"),
        ({"external_ids": {"jira": {"url": "https://x.example"}}}, "parameter_missing", "external_ids.jira.id"),
        ({"external_ids": {"jira": {"id": "1", "url": "x"}}}, "scheme_unsupported", "external_ids.jira.url"),
        ({"external_ids": {"jira": {"id": "1", "name": "x"}}}, "unknown_parameter", "external_ids.jira.name"),
        ({"acknowledged": True}, "unknown_parameter", "acknowledged"),
    ],
)
def test_a_request_that_does_not_hold_is_refused(api: Api, members: dict[str, Any], code: str, param: str) -> None:
    assert detail(post(api, {"title": "Redis is full", **members})) == (code, param)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "parameter_missing", "title"),
        ({"state": "triggered"}, "parameter_missing", "title"),
        ({"dedup_key": "nobody has this"}, "parameter_missing", "title"),
        ({"state": "acknowledged"}, "parameter_missing", "incident_id"),
        ({"state": "resolved", "title": "x"}, "parameter_missing", "incident_id"),
        ({"state": "resolved", "external_ids": {}}, "parameter_missing", "incident_id"),
        ({"state": "resolved", "incident_id": "inc_00000000", "notify": False}, "parameter_conflict", "notify"),
        (
            {"state": "acknowledged", "incident_id": "inc_00000000", "escalation_policy": "x"},
            "parameter_conflict",
            "escalation_policy",
        ),
        (
            {"state": "acknowledged", "incident_id": "inc_00000000", "occurred_at": "2026-11-23T06:20:00Z"},
            "parameter_conflict",
            "occurred_at",
        ),
        ({"state": "resolved", "incident_id": "inc_00000000", "reopen": True}, "parameter_conflict", "reopen"),
        ({"state": "triggered", "dedup_key": "x", "reopen": True}, "parameter_conflict", "reopen"),
    ],
)
def test_members_that_do_not_go_together_are_refused(api: Api, body: dict[str, Any], code: str, param: str) -> None:
    assert detail(post(api, body)) == (code, param)


def test_what_an_existing_incident_does_not_take_is_told(api: Api) -> None:
    incident = opened(api)
    body = {"incident_id": incident["id"], "state": "acknowledged", "title": "Another", "severity": "info"}
    document = post(api, body).json()
    assert [(warning["code"], warning["param"]) for warning in document["warnings"]] == [
        ("parameter_ignored", "title"),
        ("parameter_ignored", "severity"),
    ]
    assert (document["title"], document["severity"], document["state"]) == ("Redis is full", "error", "acknowledged")


def test_limits_are_taken_in_full(api: Api) -> None:
    longest = {
        "title": "x" * 255,
        "dedup_key": new_id("key").ljust(255, "x"),
        "assignee": "x" * 254,
        "notes": "two\nlines\t" + "x" * 9990,
        "external_ids": {"jira": "x" * 255},
    }
    document = opened(api, **longest)
    assert {name: document[name] for name in longest} == longest


# --- who is told ------------------------------------------------------------------------------------------


def test_an_incident_on_a_monitor_tells_its_channels_and_who_was_told_hears_the_rest(api: Api) -> None:
    monitor = a_monitor(api, notifications=[SLACK])
    incident = opened(api, monitor_id=monitor["id"], dedup_key=new_id("key"))
    for body in (
        {"state": "triggered", "dedup_key": incident["dedup_key"]},
        {"incident_id": incident["id"], "state": "acknowledged", "notes": NOTE},
        {"incident_id": incident["id"], "state": "acknowledged"},
        {"incident_id": incident["id"], "assignee": MAYA},
        {"incident_id": incident["id"], "state": "resolved"},
        {"incident_id": incident["id"], "state": "triggered", "reopen": True},
    ):
        assert post(api, body).status_code == 200
    assert messages(api, incident) == ["trigger", "acknowledge", "resolve", "trigger"]


def test_a_quiet_incident_tells_nobody_ever(api: Api) -> None:
    monitor = a_monitor(api, notifications=[SLACK])
    incident = opened(api, monitor_id=monitor["id"], notify=False)
    post(api, {"incident_id": incident["id"], "state": "resolved"})
    assert messages(api, incident) == []


def test_a_message_holds_what_the_receiver_has_to_know(api: Api) -> None:
    monitor = a_monitor(api, notifications=[SLACK], runbook_url="https://wiki.example/shop")
    incident = opened(api, monitor_id=monitor["id"], notes="look")
    query = select(outbox.c.body).where(outbox.c.incident_id == incident["id"])
    text = str(api.database.read_now(lambda connection: connection.scalar(query)))
    for part in (incident["id"], "Redis is full", "https://shop.example/", "https://wiki.example/shop", "look"):
        assert part in text
    assert "abc123" not in text


def test_only_what_owes_messages_wakes_the_dispatcher(api: Api) -> None:
    incident = opened(api, dedup_key=new_id("key"))
    for body, woken in (
        ({"state": "triggered", "title": "x", "dedup_key": incident["dedup_key"]}, 0),
        ({"incident_id": incident["id"], "state": "acknowledged"}, 1),
        ({"incident_id": incident["id"], "state": "acknowledged", "notes": "x"}, 1),  # other systems have notes, too
        ({"incident_id": incident["id"], "state": "resolved"}, 1),
        ({"incident_id": incident["id"], "state": "acknowledged"}, 0),
        ({"title": "another"}, 1),
        ({}, 0),
    ):
        before = len(api.wakes)
        post(api, body)
        assert len(api.wakes) == before + woken, body


def test_the_life_of_an_incident_is_in_the_audit_log(api: Api) -> None:
    incident = opened(api, dedup_key=new_id("key"))
    reference = {"incident_id": incident["id"]}
    for body in (
        {"state": "triggered", "dedup_key": incident["dedup_key"]},
        {**reference, "state": "acknowledged", "assignee": MAYA, "notes": "x"},
        {**reference, "state": "acknowledged"},
        {**reference, "state": "triggered"},
        {**reference, "assignee": None},
        {**reference, "state": "resolved"},
        {**reference, "state": "acknowledged"},
        {**reference, "state": "triggered", "reopen": True},
    ):
        post(api, body)
    api.call("POST", f"/v1/incidents/{incident['id']}/notes", {"text": "look"})
    api.call("PATCH", f"/v1/incidents/{incident['id']}", {"title": "New"})
    api.call("PATCH", f"/v1/incidents/{incident['id']}", {"title": "New"})
    assert audited(api, incident) == [
        "incident.acknowledged",
        "incident.deduplicated",
        "incident.note_added",
        "incident.reopened",
        "incident.resolved",
        "incident.triggered",
        "incident.unacknowledged",
        "incident.updated",
        "incident.updated",
    ]


# --- at the same time -------------------------------------------------------------------------------------


def at_once(count: int, work: Callable[[], requests.Response]) -> list[requests.Response]:
    with ThreadPoolExecutor(count) as pool:
        return [future.result(30) for future in [pool.submit(work) for _ in range(count)]]


def sent(api: Api, body: dict[str, Any]) -> requests.Response:
    """Like `post`, with a connection of its own."""
    headers = {"Authorization": f"Bearer {WRITER}"}
    return requests.post(f"{api.url}/v1/incidents", json=body, headers=headers, timeout=30)


def test_parallel_triggers_with_one_key_make_one_incident(api: Api) -> None:
    body = {"title": "Redis is full", "dedup_key": new_id("key")}
    answers = at_once(20, lambda: sent(api, {**body, "state": "triggered"}))
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sorted(answer.json()["occurrences"] for answer in answers) == list(range(1, 21))
    assert read(api, answers[0].json())["occurrences"] == 20


def test_of_two_acknowledgements_at_once_one_acts(api: Api) -> None:
    incident = opened(api)
    answers = at_once(2, lambda: sent(api, {"incident_id": incident["id"], "state": "acknowledged"}))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert sorted(answer.json()["previous_state"] for answer in answers) == ["acknowledged", "triggered"]
    assert [kind for kind, _ in timeline(api, incident)] == ["triggered", "state_changed"]


@pytest.mark.parametrize("error", [IncidentChangedError("inc_00000000"), IntegrityError("", {}, Exception())])
def test_who_loses_a_race_is_judged_again_and_leaves_nothing_of_the_first_try(api: Api, error: Exception) -> None:
    slug = new_id("policy")

    def contended(connection: Connection) -> list[bool]:
        tries: list[bool] = []

        def work() -> list[bool]:
            policy = Policy(id=f"esc_{slug}", team_id=team_id, slug=slug, name="x", created_at=1, updated_at=1)
            tries.append(policies.insert_if_new(connection, policy))
            if len(tries) < 3:
                raise error
            return tries

        return judged_again(connection, work)

    team_id = opened(api)["team_id"]
    assert api.write(contended) == [True, True, True]


def test_a_race_that_never_ends_is_a_fault(api: Api) -> None:
    def lost() -> None:
        raise IncidentChangedError("inc_00000000")

    with pytest.raises(IncidentChangedError):
        api.write(lambda connection: judged_again(connection, lost))


# --- the rest of the contract -----------------------------------------------------------------------------


def test_reading_needs_a_scope_and_writing_another(api: Api) -> None:
    incident = opened(api)
    assert post(api, {"title": "x"}, token=READER).status_code == 403
    path = f"/v1/incidents/{incident['id']}"
    assert api.call("PATCH", path, {"title": "x"}, token=READER).status_code == 403
    assert api.call("POST", f"{path}/notes", {"text": "x"}, token=READER).status_code == 403
    for suffix in ("", "/timeline"):
        assert api.call("GET", path + suffix, token=READER).status_code == 200
        assert api.call("GET", path + suffix, token=STRANGER).status_code == 404


def test_the_third_body_of_the_reference_is_an_example(api: Api) -> None:
    document = api.call("GET", "/v1/openapi.json", token=None).json()
    told = document["paths"]["/incidents"]["post"]["requestBody"]["content"]["application/json"]
    assert told["examples"]["acknowledge"]["value"] == {
        "incident_id": "inc_4m8n2v5w",
        "state": "acknowledged",
        "assignee": MAYA,
        "notes": NOTE,
    }


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"title": "x"}, True),
        ({"title": "x", "external_ids": {"jira": "OPS-1", "pagerduty": {"id": "Q"}}, "assignee": None}, True),
        ({"title": "x", "external_ids": {"jira": 1}}, False),
        ({"title": "x", "external_ids": {"github": "1"}}, False),
        ({"title": None}, False),
        ({"title": "x", "severity": "fatal"}, False),
        ({"title": "x", "colour": "red"}, False),
    ],
)
def test_the_schema_of_requests_agrees_with_what_is_taken(api: Api, body: dict[str, Any], valid: bool) -> None:
    document = api.call("GET", "/v1/openapi.json", token=None).json()
    schema = {"$ref": "#/components/schemas/IncidentRequest", "components": document["components"]}
    assert Draft202012Validator(schema).is_valid(body) is valid
    assert (post(api, {**body, "state": "triggered"}).status_code in {200, 201}) is valid


def test_a_manual_incident_is_apart_from_the_monitors_own(api: Api) -> None:
    monitor = a_monitor(api)
    incident = opened(api, monitor_id=monitor["id"])
    assert incident["dedup_key"] is None
    own = opened(api, monitor_id=monitor["id"], dedup_key=availability_key(monitor["id"]))
    assert own["id"] != incident["id"]


def test_pausing_the_monitor_resolves_its_incident(api: Api) -> None:
    monitor = a_monitor(api)
    incident = opened(api, monitor_id=monitor["id"])
    api.call("POST", f"/v1/monitors/{monitor['id']}/pause")
    document = read(api, incident)
    assert (document["state"], document["resolve_reason"]) == ("resolved", "monitor_paused")
    assert timeline(api, incident)[-1] == (
        "state_changed",
        {"state": "resolved", "previous_state": "triggered", "reason": "monitor_paused"},
    )


def test_a_deleted_monitor_stays_named_in_its_incident(api: Api) -> None:
    monitor = a_monitor(api)
    incident = opened(api, monitor_id=monitor["id"])
    api.call("DELETE", f"/v1/monitors/{monitor['id']}")
    document = post(api, {"incident_id": incident["id"], "notes": "over"}).json()
    assert (document["monitor_id"], document["resolve_reason"]) == (monitor["id"], "monitor_deleted")
    assert detail(post(api, {"monitor_id": monitor["id"]})) == ("reference_not_found", "monitor_id")


def test_time_moves_with_the_changes(api: Api) -> None:
    incident = opened(api)
    api.clock.at += 74_200
    try:
        document = post(api, {"incident_id": incident["id"], "state": "acknowledged"}).json()
    finally:
        api.clock.at = NOW
    assert (document["triggered_at"], document["acknowledged_at"], document["updated_at"]) == (
        "2026-11-23T06:20:00.412Z",
        "2026-11-23T06:21:14.612Z",
        "2026-11-23T06:21:14.612Z",
    )


def test_a_title_and_a_key_trigger_every_time(api: Api) -> None:
    body = {"title": "Nightly import failed", "dedup_key": new_id("key")}
    first, second = post(api, body), post(api, body)
    assert (first.status_code, second.status_code) == (201, 200)
    document = second.json()
    assert (document["id"], document["deduplicated"], document["occurrences"]) == (first.json()["id"], True, 2)
    assert document["message"] == post(api, {**body, "state": "triggered"}).json()["message"].replace(
        "occurrence 3", "occurrence 2"
    )


def test_what_lacks_a_state_is_told_how_to_trigger(api: Api) -> None:
    incident = opened(api, dedup_key=new_id("key"))
    for body in (
        {"dedup_key": incident["dedup_key"], "severity": "info"},
        {"incident_id": incident["id"], "title": "x"},
    ):
        refused = post(api, body)
        assert (refused.status_code, refused.json()["error"]["param"]) == (422, "state")
        assert 'send "state": "triggered"' in refused.json()["message"]


def test_another_title_and_severity_are_told_in_message_and_timeline(api: Api) -> None:
    incident = opened(api, title="Redis is full", severity="error")
    edit = {"title": "Redis is down", "severity": "critical"}
    answer = api.call("PATCH", f"/v1/incidents/{incident['id']}", edit)
    assert answer.json()["message"].endswith("updated: it has another title, its severity is critical.")
    entry = api.call("GET", f"/v1/incidents/{incident['id']}/timeline").json()["data"][-1]
    previous = {"previous_title": "Redis is full", "previous_severity": "error"}
    assert (entry["type"], entry["detail"]) == ("observation", {**edit, **previous})
