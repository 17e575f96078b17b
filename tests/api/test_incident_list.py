"""Listing, reading, changing and annotating incidents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from statuspulse.domain.ids import new_id
from tests.api.server import STRANGER, Api, running

INCIDENTS: list[dict[str, Any]] = [
    {"title": "Redis is full", "severity": "critical", "dedup_key": "redis", "assignee": "maya@acme.example"},
    {"title": "Caf\u00e9 50% slower", "external_ids": {"jira": "OPS-142"}},
    {"title": "Queue grows", "severity": "info", "external_ids": {"pagerduty": "OPS-142", "jira": "ops-142"}},
    {"title": "Mail is late", "severity": "warning"},
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API of its own with five incidents a second apart: two open, one acknowledged, two resolved."""
    with running(tmp_path_factory.mktemp("incidents")) as api:
        monitor = {"name": "Shop", "type": "http", "url": "https://shop.example/"}
        monitor_id = api.call("POST", "/v1/monitors", monitor).json()["id"]
        ids = []
        for body in (*INCIDENTS, {"monitor_id": monitor_id}):
            api.clock.at += 1000
            ids.append(api.call("POST", "/v1/incidents", body).json()["id"])
        for place, state in ((0, "acknowledged"), (1, "resolved"), (3, "resolved")):
            api.call("POST", "/v1/incidents", {"incident_id": ids[place], "state": state})
        yield api


@pytest.fixture
def incident(api: Api) -> dict[str, Any]:
    body = {"title": "Redis is full", "external_ids": {"jira": new_id("ops")}}
    document: dict[str, Any] = api.call("POST", "/v1/incidents", body).json()
    return document


def path(incident: dict[str, Any]) -> str:
    return f"/v1/incidents/{incident['id']}"


def titles(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["title"].split()[0] for item in answer.json()["data"]]


def test_the_newest_comes_first(desk: Api) -> None:
    assert titles(desk.call("GET", "/v1/incidents")) == ["Shop:", "Mail", "Queue", "Caf\u00e9", "Redis"]
    assert titles(desk.call("GET", "/v1/incidents?order=asc")) == ["Redis", "Caf\u00e9", "Queue", "Mail", "Shop:"]
    assert titles(desk.call("GET", "/v1/incidents", token=STRANGER)) == []


def test_an_item_is_the_incident_without_the_envelope(desk: Api) -> None:
    item = desk.call("GET", "/v1/incidents?limit=1").json()["data"][0]
    alone = desk.call("GET", f"/v1/incidents/{item['id']}").json()
    for name in ("request_id", "message", "warnings"):
        alone.pop(name)
    assert alone == item


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=triggered", ["Shop:", "Queue"]),
        ("state=triggered,acknowledged", ["Shop:", "Queue", "Redis"]),
        ("state=resolved", ["Mail", "Caf\u00e9"]),
        ("severity=error", ["Caf\u00e9"]),
        ("severity=critical", ["Shop:", "Redis"]),
        ("assignee=maya@acme.example", ["Redis"]),
        ("assignee=maya", []),
        ("source=manual&state=acknowledged", ["Redis"]),
        ("source=monitor", []),
        ("dedup_key=redis", ["Redis"]),
        ("monitor_id=mon_00000000", []),
        ("external_id=jira:OPS-142", ["Caf\u00e9"]),
        ("external_id=pagerduty:OPS-142", ["Queue"]),
        ("external_id=jira:ops-142", ["Queue"]),
        ("external_id=opsgenie:OPS-142", []),
        ("from=2026-11-23T06:20:03.412Z&to=2026-11-23T06:20:05.412Z", ["Mail", "Queue"]),
        ("from=2026-11-23T08:20:05.412%2B02:00", ["Shop:"]),
        ("q=REDIS", ["Redis"]),
        ("q=CAF%C3%89", ["Caf\u00e9"]),
        ("q=0%25", ["Caf\u00e9"]),
        ("q=i_", []),
    ],
)
def test_a_list_is_narrowed(desk: Api, query: str, expected: list[str]) -> None:
    assert titles(desk.call("GET", f"/v1/incidents?{query}")) == expected


def test_the_incidents_of_a_monitor_are_listed(desk: Api) -> None:
    monitor_id = desk.call("GET", "/v1/monitors").json()["data"][0]["id"]
    assert titles(desk.call("GET", f"/v1/incidents?monitor_id={monitor_id}")) == ["Shop:"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("state=open", "parameter_invalid_enum"),
        ("state=", "parameter_invalid_enum"),
        ("severity=fatal", "parameter_invalid_enum"),
        ("source=people", "parameter_invalid_enum"),
        ("external_id=OPS-142", "parameter_invalid_format"),
        ("external_id=github:1", "parameter_invalid_format"),
        ("external_id=jira:", "parameter_invalid_format"),
        ("from=yesterday", "parameter_invalid_format"),
        ("to=2026-11-23T06:20:00", "parameter_invalid_format"),
        ("q=a", "parameter_out_of_range"),
        ("begin=2026-11-23T06:20:00Z", "unknown_parameter"),
        ("limit=101", "parameter_out_of_range"),
    ],
)
def test_a_wrong_query_is_refused(desk: Api, query: str, code: str) -> None:
    answer = desk.call("GET", f"/v1/incidents?{query}")
    first = answer.json()["error"]["details"][0]
    assert (answer.status_code, first["code"], first["param"]) == (422, code, query.partition("=")[0])


@pytest.mark.parametrize("query", ["", "order=asc", "state=triggered,resolved", "external_id=jira:OPS-142"])
def test_pages_together_are_the_list_whole_and_in_order(desk: Api, query: str) -> None:
    whole = titles(desk.call("GET", f"/v1/incidents?{query}"))
    collected: list[str] = []
    link = f"/v1/incidents?{query}&limit=2"
    while link:
        answer = desk.call("GET", link)
        collected += titles(answer)
        found = urlsplit(answer.links.get("next", {}).get("url", ""))
        link = f"{found.path}?{found.query}" if found.path else ""
        assert answer.json()["has_more"] is bool(link)
    assert collected == whole


def test_a_total_is_there_only_when_asked_for(desk: Api) -> None:
    assert "total" not in desk.call("GET", "/v1/incidents").json()
    assert desk.call("GET", "/v1/incidents?include=total&limit=1").json()["total"] == 5
    assert desk.call("GET", "/v1/incidents?include=total&external_id=jira:OPS-142").json()["total"] == 1


def test_an_incident_is_read_with_its_version(api: Api, incident: dict[str, Any]) -> None:
    answer = api.call("GET", path(incident))
    assert (answer.headers["ETag"], answer.json()["message"]) == ('"1"', f"Incident {incident['id']} is triggered.")
    known = api.call("GET", path(incident), headers={"If-None-Match": '"1"'})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", '"1"')
    assert api.call("GET", path(incident), headers={"If-None-Match": '"2"'}).status_code == 200


def test_members_are_changed_and_ids_merged(api: Api, incident: dict[str, Any]) -> None:
    sent = {
        "title": "Redis was full",
        "severity": "info",
        "assignee": "maya",
        "external_ids": {"pagerduty": "Q2F9K1", "jira": {"id": "OPS-143", "url": "https://jira.example/OPS-143"}},
    }
    answer = api.call("PATCH", path(incident), sent, headers={"Content-Type": "application/merge-patch+json"})
    document = answer.json()
    assert (answer.status_code, answer.headers["ETag"], document["version"]) == (200, '"2"', 2)
    assert (document["title"], document["severity"], document["assignee"], document["state"]) == (
        "Redis was full",
        "info",
        "maya",
        "triggered",
    )
    assert document["external_ids"] == {"jira": "OPS-143", "pagerduty": "Q2F9K1"}
    assert document["message"] == (
        f"Incident {incident['id']} updated: it has another title, its severity is info, assigned to maya, "
        "its external ids were changed."
    )
    unlinked = api.call("PATCH", path(incident), {"assignee": None, "external_ids": {"jira": None}}).json()
    assert (unlinked["assignee"], unlinked["external_ids"]) == (None, {"pagerduty": "Q2F9K1"})
    assert api.call("PATCH", path(incident), {"external_ids": None}).json()["external_ids"] == {}
    entries = api.call("GET", f"{path(incident)}/timeline").json()["data"]
    assert (entries[2]["type"], entries[2]["detail"]["title"]) == ("observation", "Redis was full")
    assert (entries[2]["detail"]["severity"], entries[3]["type"]) == ("info", "assigned")
    assert [(entry["type"], entry["detail"]) for entry in entries[4:]] == [
        (
            "linked",
            {
                "external_ids": {
                    "jira": {"id": "OPS-143", "url": "https://jira.example/OPS-143"},
                    "pagerduty": {"id": "Q2F9K1", "url": None},
                }
            },
        ),
        ("assigned", {"assignee": None, "previous_assignee": "maya"}),
        ("linked", {"external_ids": {"jira": None}}),
        ("linked", {"external_ids": {"pagerduty": None}}),
    ]


def test_a_patch_that_changes_nothing_keeps_the_version(api: Api, incident: dict[str, Any]) -> None:
    links = {**incident["external_ids"], "opsgenie": None}
    bodies: tuple[dict[str, Any], ...] = ({}, {"title": "Redis is full"}, {"external_ids": links})
    for sent in bodies:
        document = api.call("PATCH", path(incident), sent).json()
        assert document["version"] == 1
        assert document["message"] == f"Nothing changed; incident {incident['id']} has the version 1."


def test_an_answer_may_be_sent_back(api: Api, incident: dict[str, Any]) -> None:
    document = api.call("GET", path(incident)).json()
    answer = api.call("PATCH", path(incident), {**document, "title": "New"})
    assert (answer.status_code, answer.json()["title"]) == (200, "New")
    assert [warning["code"] for warning in answer.json()["warnings"]] == ["integration_not_configured"]


@pytest.mark.parametrize("version", [{}, {"version": 1}])
def test_a_patch_that_means_another_call_names_it(api: Api, incident: dict[str, Any], version: dict[str, int]) -> None:
    answer = api.call("PATCH", path(incident), {"title": "New", "state": "resolved", "notes": "over", **version})
    assert answer.status_code == 422
    assert [(detail["code"], detail["param"], detail["message"]) for detail in answer.json()["error"]["details"]] == [
        ("parameter_immutable", "state", "is not changed here; use POST /v1/incidents with incident_id and state"),
        ("parameter_immutable", "notes", "is not changed here; use POST /v1/incidents/{id}/notes"),
    ]
    assert api.call("GET", path(incident)).json()["title"] == incident["title"]


def test_an_answer_from_before_a_change_of_state_may_be_sent_back(api: Api, incident: dict[str, Any]) -> None:
    before = api.call("GET", path(incident)).json()
    api.call("POST", "/v1/incidents", {"incident_id": incident["id"], "state": "acknowledged"})
    document = api.call("PATCH", path(incident), {**before, "title": "New"}).json()
    assert (document["title"], document["state"]) == ("New", "acknowledged")
    assert ("parameter_ignored", "state") in [(one["code"], one["param"]) for one in document["warnings"]]


@pytest.mark.parametrize("name", ["id", "incident_id", "monitor_id", "team_id", "dedup_key"])
def test_a_patch_cannot_make_it_another_incident(api: Api, incident: dict[str, Any], name: str) -> None:
    answer = api.call("PATCH", path(incident), {"title": "New", name: "another"})
    detail = answer.json()["error"]["details"][0]
    assert (answer.status_code, detail["code"], detail["param"]) == (422, "parameter_immutable", name)
    assert api.call("PATCH", path(incident), {"title": "New", name: incident[name]}).status_code == 200


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({"title": None}, "parameter_invalid_type", "title"),
        ({"title": "x" * 256}, "parameter_too_long", "title"),
        ({"severity": None}, "parameter_invalid_type", "severity"),
        ({"severity": "fatal"}, "parameter_invalid_enum", "severity"),
        ({"assignee": 5}, "parameter_invalid_type", "assignee"),
        ({"external_ids": {"github": "1"}}, "unknown_parameter", "external_ids.github"),
        ({"external_ids": {"jira": 5}}, "parameter_invalid_type", "external_ids.jira"),
        ({"colour": "red"}, "unknown_parameter", "colour"),
        ({"reopen": True}, "unknown_parameter", "reopen"),
    ],
)
def test_a_patch_that_does_not_hold_is_refused(
    api: Api, incident: dict[str, Any], sent: dict[str, Any], code: str, param: str
) -> None:
    answer = api.call("PATCH", path(incident), sent)
    first = answer.json()["error"]["details"][0]
    assert (answer.status_code, first["code"], first["param"]) == (422, code, param)


def test_a_change_asks_for_the_version_where_the_caller_does(api: Api, incident: dict[str, Any]) -> None:
    stale = api.call("PATCH", path(incident), {"title": "New"}, headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json()["error"]["details"][0]["current_version"]) == (412, 1)
    for version in ('"1"', 'W/"2"', "*"):
        fresh = api.call("PATCH", path(incident), {"title": f"New {version}"}, headers={"If-Match": version})
        assert fresh.status_code == 200


def test_a_timeline_is_read_page_by_page_from_the_beginning(api: Api, incident: dict[str, Any]) -> None:
    for number in range(3):
        api.call("POST", f"{path(incident)}/notes", {"text": f"note {number}"})
    first = api.call("GET", f"{path(incident)}/timeline?limit=3&include=total").json()
    assert [entry["type"] for entry in first["data"]] == ["triggered", "linked", "note"]
    assert (first["total"], first["has_more"], first["message"]) == (5, True, "3 entries, and there are more.")
    second = api.call("GET", f"{path(incident)}/timeline?limit=3&cursor={first['next_cursor']}").json()
    assert [entry["detail"] for entry in second["data"]] == [{"text": "note 1"}, {"text": "note 2"}]
    assert second["has_more"] is False
    assert second["data"][0]["actor"]["label"] == "writer"
    assert api.call("GET", f"{path(incident)}/timeline?order=desc").status_code == 422


def test_a_note_is_added_even_after_the_end(api: Api, incident: dict[str, Any]) -> None:
    api.call("POST", "/v1/incidents", {"incident_id": incident["id"], "state": "resolved"})
    answer = api.call("POST", f"{path(incident)}/notes", {"text": "two\n\tlines"})
    document = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{path(incident)}/timeline")
    assert (document["object"], document["incident_id"], document["text"], document["actor"]["label"]) == (
        "note",
        incident["id"],
        "two\n\tlines",
        "writer",
    )
    assert document["id"].startswith("note_")
    assert api.call("GET", path(incident)).json()["version"] == 3


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({}, "parameter_missing", "text"),
        ({"text": ""}, "parameter_out_of_range", "text"),
        ({"text": " "}, "parameter_out_of_range", "text"),
        ({"text": "x" * 10_001}, "parameter_too_long", "text"),
        ({"text": "a\x07"}, "parameter_invalid_format", "text"),
        ({"text": None}, "parameter_invalid_type", "text"),
        ({"text": "x", "public": True}, "unknown_parameter", "public"),
    ],
)
def test_a_note_that_does_not_hold_is_refused(
    api: Api, incident: dict[str, Any], sent: dict[str, Any], code: str, param: str
) -> None:
    answer = api.call("POST", f"{path(incident)}/notes", sent)
    first = answer.json()["error"]["details"][0]
    assert (answer.status_code, first["code"], first["param"]) == (422, code, param)


def test_an_id_that_never_was_is_not_found(api: Api) -> None:
    for incident_id in (new_id("inc"), "x", "mon_00000000", "%00"):
        for method, suffix, sent in (
            ("GET", "", None),
            ("PATCH", "", {"title": "x"}),
            ("GET", "/timeline", None),
            ("POST", "/notes", {"text": "x"}),
        ):
            answer = api.call(method, f"/v1/incidents/{incident_id}{suffix}", sent)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")
