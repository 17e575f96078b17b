"""The log of events over the API, its schema, and what a call leaves in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator, FormatChecker

from statuspulse.domain.event import EventType
from statuspulse.domain.times import DAY
from statuspulse.storage import events
from tests import emitted
from tests.api.server import STRANGER, Api


def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.call("GET", f"/v1/events{query}").json()["data"]
    return found


def test_a_call_leaves_its_id_and_its_key_in_the_event(api: Api, body: dict[str, Any]) -> None:
    made = api.call("POST", "/v1/monitors", body, headers={"Idempotency-Key": '"deploy-7"'})
    monitor = made.json()["id"]
    [event] = listed(api, f"?monitor_id={monitor}")
    assert event["type"] == "monitor.created"
    assert event["request"] == {"id": made.headers["Request-Id"], "idempotency_key": "deploy-7"}
    assert event["data"]["actor"]["type"] == "token"
    api.call("PATCH", f"/v1/monitors/{monitor}", {"name": "Other"}, headers={"Idempotency-Key": "no key here"})
    assert listed(api, f"?monitor_id={monitor}")[0]["request"]["idempotency_key"] is None


def test_one_event_is_the_item_of_the_list_in_an_envelope(api: Api, body: dict[str, Any]) -> None:
    api.call("POST", "/v1/monitors", body)
    event = listed(api)[0]
    alone = api.call("GET", f"/v1/events/{event['id']}").json()
    assert {name: alone[name] for name in event} == event


def test_an_incident_by_hand_is_told_move_by_move(api: Api) -> None:
    opened = api.call("POST", "/v1/incidents", {"title": "Redis", "notes": "seen", "assignee": "ana@acme.example"})
    incident = {"incident_id": opened.json()["id"]}
    api.call("POST", "/v1/incidents", {**incident, "state": "acknowledged", "assignee": "lee@acme.example"})
    api.call("POST", f"/v1/incidents/{incident['incident_id']}/notes", {"text": "on it"})
    api.call("POST", "/v1/incidents", {**incident, "state": "triggered"})
    api.call("POST", "/v1/incidents", {**incident, "state": "resolved", "notes": "done"})
    api.call("POST", "/v1/incidents", {**incident, "state": "triggered", "reopen": True})
    found = listed(api, f"?incident_id={incident['incident_id']}&order=asc")
    assert [(event["type"], event["data"]["incident"]["version"]) for event in found] == [
        ("incident.triggered", 1),
        ("incident.acknowledged", 2),
        ("incident.reassigned", 2),
        ("incident.note_added", 3),
        ("incident.unacknowledged", 4),
        ("incident.resolved", 5),
        ("incident.reopened", 6),
    ]
    assert found[0]["data"]["note"]["text"] == "seen"
    assert found[0]["data"]["suppressed"] is False
    assert found[2]["data"]["previous_assignee"] == "ana@acme.example"
    assert found[5]["data"]["note"]["text"] == "done"
    assert found[6]["data"]["reason"] == "manual"


def test_a_move_that_changes_nothing_is_no_event(api: Api) -> None:
    opened = api.call("POST", "/v1/incidents", {"title": "Redis"}).json()
    api.call("POST", "/v1/incidents", {"incident_id": opened["id"], "state": "triggered"})
    assert len(listed(api, f"?incident_id={opened['id']}")) == 1


def test_a_repeated_call_under_its_key_is_told_once(api: Api, body: dict[str, Any]) -> None:
    keyed = {"Idempotency-Key": "the same"}
    first, second = (api.call("POST", "/v1/monitors", body, headers=keyed).json() for _ in range(2))
    assert first["id"] == second["id"]
    assert len(listed(api, f"?monitor_id={first['id']}")) == 1


def test_a_list_is_narrowed_by_types_and_beginnings_of_types(api: Api, body: dict[str, Any]) -> None:
    monitor = api.call("POST", "/v1/monitors", body).json()["id"]
    api.call("POST", "/v1/incidents", {"monitor_id": monitor})
    api.call("POST", f"/v1/monitors/{monitor}/pause")

    def types(query: str) -> list[str]:
        return [event["type"] for event in listed(api, f"?monitor_id={monitor}&order=asc&type={query}")]

    assert types("incident.") == ["incident.triggered", "incident.resolved"]
    assert types("incident.resolved,monitor.paused") == ["incident.resolved", "monitor.paused"]
    refused = api.call("GET", "/v1/events?type=incident")
    assert refused.status_code == 422
    assert refused.json()["error"]["param"] == "type"


def test_pages_go_on_where_the_last_one_ended_although_events_come(api: Api, body: dict[str, Any]) -> None:
    monitor = api.call("POST", "/v1/monitors", body).json()["id"]
    for name in ("b", "c", "d"):
        api.call("PATCH", f"/v1/monitors/{monitor}", {"name": name})
    page = api.call("GET", f"/v1/events?monitor_id={monitor}&limit=2&include=total").json()
    assert page["total"] == 4
    api.call("PATCH", f"/v1/monitors/{monitor}", {"name": "e"})
    rest = api.call("GET", f"/v1/events?monitor_id={monitor}&limit=2&cursor={page['next_cursor']}").json()
    assert rest["next_cursor"] is None
    names = [event["data"]["monitor"]["name"] for event in [*page["data"], *rest["data"]]]
    assert names == ["d", "c", "b", body["name"]]


def test_a_cursor_whose_place_is_kept_no_longer_has_expired(api: Api, body: dict[str, Any]) -> None:
    for _ in range(3):
        api.call("POST", "/v1/monitors", body)
    cursor = api.call("GET", "/v1/events?limit=2").json()["next_cursor"]
    api.write(lambda connection: events.delete_older(connection, api.clock.at + DAY, 10_000))
    expired = api.call("GET", f"/v1/events?limit=2&cursor={cursor}")
    assert (expired.status_code, expired.json()["error"]["code"]) == (410, "cursor_expired")


def test_times_that_are_none_are_refused(api: Api) -> None:
    refused = api.call("GET", "/v1/events?from=yesterday")
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "from")


def test_another_team_sees_its_own_events_alone(api: Api, body: dict[str, Any]) -> None:
    ours = api.call("POST", "/v1/monitors", body).json()["id"]
    theirs = api.call("GET", "/v1/events?limit=100", token=STRANGER).text
    assert ours not in theirs


def test_the_schema_is_served_and_holds_for_an_example_of_every_type(api: Api) -> None:
    served = requests.get(f"{api.url}/v1/schemas/events.json", timeout=30).json()
    assert served == emitted.schema()
    Draft202012Validator.check_schema(served)
    whole = Draft202012Validator(served, format_checker=FormatChecker())
    examples = json.loads(emitted.SCHEMA_FILE.with_name("events.examples.json").read_text())
    assert {example["type"] for example in examples} == set(EventType)
    for example in examples:
        whole.validate(example)
        assert emitted.problems(json.dumps(example)) == []
        assert emitted.problems(json.dumps({**example, "more": 1})) != []


@pytest.mark.parametrize("kind", list(EventType))
def test_the_document_describes_the_webhook_of_every_type(api: Api, kind: EventType) -> None:
    webhook = api.contract.document["webhooks"][kind.value]["post"]
    assert [one["name"] for one in webhook["parameters"]] == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    content = webhook["requestBody"]["content"]["application/json"]
    schema = {**content["schema"], "components": api.contract.document["components"]}
    example = content["examples"]["event"]["value"]
    Draft202012Validator(schema).validate(example)
    Draft202012Validator(schema).validate({**example, "member_to_come": 1})
    assert list(Draft202012Validator(schema).iter_errors({**example, "data": {}}))


@pytest.mark.parametrize("path", ["/v1/events", "/v1/webhooks/{id}/deliveries"])
def test_a_stretch_that_ends_before_it_begins_is_refused(api: Api, path: str) -> None:
    made = api.call("POST", "/v1/webhooks", {"url": "https://hooks.example/x", "events": ["*"]}).json()
    refused = api.call("GET", f"{path.format(**made)}?from=2026-11-23T06:20:00Z&to=2026-11-23T06:19:00Z")
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "from")
