"""Changing a monitor's configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from statuspulse.storage import audit, monitors
from statuspulse.storage.schema import escalation_policies, monitor_channels
from tests.api.server import READER, Api, running

FULL: dict[str, Any] = {
    "name": "Shop",
    "type": "http",
    "url": "https://shop.example/health",
    "interval_seconds": 30,
    "expected_status": [200, 204],
    "retry": {"count": 2, "delay_ms": 500},
    "notifications": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"],
    "escalation_policy": "oncall_senior",
    "tags": ["prod"],
    "metadata": {"owner": "maya", "tier": "1"},
    "description": "The shop.",
}


@pytest.fixture
def monitor(api: Api) -> dict[str, Any]:
    document: dict[str, Any] = api.call("POST", "/v1/monitors", FULL).json()
    return document


def config_path(monitor: dict[str, Any]) -> str:
    return f"/v1/monitors/{monitor['id']}/config"


def stored(api: Api, monitor: dict[str, Any]) -> monitors.Monitor:
    found = api.database.read_now(lambda connection: monitors.get(connection, monitor["team_id"], monitor["id"]))
    assert found is not None
    return found


def test_put_changes_what_it_names_and_keeps_the_rest(api: Api, monitor: dict[str, Any]) -> None:
    api.clock.at += 5000
    answer = api.call("PUT", config_path(monitor), {"timeout_ms": 8000, "tags": ["edge"], "metadata": {"owner": "kim"}})
    document = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert document["message"] == "Configuration 2 applied."
    assert sorted(document["changed"]) == ["/metadata/owner", "/metadata/tier", "/tags", "/timeout_ms"]
    assert (document["timeout_ms"], document["tags"], document["metadata"]) == (8000, ["edge"], {"owner": "kim"})
    assert (document["expected_status"], document["retry"]) == ([200, 204], {"count": 2, "delay_ms": 500})
    assert document["notifications"] == monitor["notifications"]
    assert document["applied_at"] > monitor["updated_at"]
    assert document["updated_by"]["label"] == "writer"


def test_put_replaces_objects_whole_and_patch_merges_them(api: Api, monitor: dict[str, Any]) -> None:
    put = api.call("PUT", config_path(monitor), {"retry": {"count": 1}}).json()
    assert put["retry"] == {"count": 1, "delay_ms": 1000}
    patched = api.call("PATCH", config_path(monitor), {"retry": {"delay_ms": 700}, "metadata": {"tier": None}}).json()
    assert (patched["retry"], patched["metadata"]) == ({"count": 1, "delay_ms": 700}, {"owner": "maya"})


def test_null_takes_a_member_back_to_its_default(api: Api, monitor: dict[str, Any]) -> None:
    sent = dict.fromkeys(["expected_status", "retry", "tags", "notifications", "description", "escalation_policy"])
    document = api.call("PUT", config_path(monitor), sent).json()
    assert {name: document[name] for name in sent} == {
        "expected_status": ["2xx"],
        "retry": {"count": 1, "delay_ms": 1000},
        "tags": [],
        "notifications": [],
        "description": None,
        "escalation_policy": None,
    }


@pytest.mark.parametrize("name", ["name", "url"])
def test_null_is_refused_where_there_is_no_default(api: Api, monitor: dict[str, Any], name: str) -> None:
    for method in ("PUT", "PATCH"):
        answer = api.call(method, config_path(monitor), {name: None})
        assert answer.json()["error"]["details"][0] == {
            "code": "parameter_missing",
            "param": name,
            "pointer": f"/{name}",
            "message": "is required",
        }


def test_replace_resets_what_is_not_named(api: Api, monitor: dict[str, Any]) -> None:
    answer = api.call("PUT", f"{config_path(monitor)}?replace=true", {"name": "Shop", "url": "https://shop.example/"})
    document = answer.json()
    assert (document["interval_seconds"], document["tags"], document["notifications"]) == (60, [], [])
    assert document["type"] == "http"
    missing = api.call("PUT", f"{config_path(monitor)}?replace=true", {"name": "Shop"})
    assert missing.json()["error"]["param"] == "url"


def test_a_put_that_changes_nothing_keeps_the_version(api: Api, monitor: dict[str, Any]) -> None:
    wakes = len(api.wakes)
    answer = api.call("PUT", config_path(monitor), {"timeout_ms": 10_000, "tags": ["prod"]})
    assert (answer.json()["config_version"], answer.json()["changed"], answer.headers["ETag"]) == (1, [], '"1"')
    assert answer.json()["message"] == "Nothing changed; configuration 1 holds."
    assert len(api.wakes) == wakes


def test_a_document_that_was_got_can_be_put_back(api: Api, monitor: dict[str, Any]) -> None:
    for document in (monitor, api.call("GET", config_path(monitor)).json()):
        answer = api.call("PUT", config_path(monitor), document)
        assert (answer.status_code, answer.json()["changed"]) == (200, [])


def test_a_masked_url_sent_back_keeps_the_secret(api: Api, monitor: dict[str, Any]) -> None:
    masked = monitor["notifications"][0]
    before = stored(api, monitor).config["notifications"]
    answer = api.call("PUT", config_path(monitor), {"notifications": [masked], "name": "Renamed"})
    assert answer.json()["notifications"] == [masked]
    assert stored(api, monitor).config["notifications"] == before == [masked.rpartition("#")[2]]


def test_a_masked_url_with_another_face_is_refused(api: Api, monitor: dict[str, Any]) -> None:
    channel_id = monitor["notifications"][0].rpartition("#")[2]
    answer = api.call("PUT", config_path(monitor), {"notifications": [f"slack://hooks/TEVIL/B/***#{channel_id}"]})
    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == "notifications[0]"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_default_timeout_follows_a_shorter_interval_and_a_chosen_one_does_not(
    api: Api, monitor: dict[str, Any], method: str
) -> None:
    with_default = api.call(method, config_path(monitor), {"interval_seconds": 10})
    assert with_default.json()["timeout_ms"] == 10_000
    api.call(method, config_path(monitor), {"interval_seconds": 60, "timeout_ms": 20_000})
    refused = api.call(method, config_path(monitor), {"interval_seconds": 15})
    detail = refused.json()["error"]["details"][0]
    assert (refused.status_code, detail["code"], detail["param"]) == (422, "parameter_conflict", "timeout_ms")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_interval_below_the_default_timeout_is_enough(tmp_path: Path, method: str) -> None:
    with running(tmp_path, min_interval_seconds=1) as brisk:
        made = brisk.call("POST", "/v1/monitors", {"name": "a", "type": "http", "url": "https://a.example/"}).json()
        document = brisk.call(method, config_path(made), {"interval_seconds": 1}).json()
        assert (document["timeout_ms"], document["changed"]) == (1000, ["/interval_seconds", "/timeout_ms"])
        [warning] = [one for one in document["warnings"] if one["param"] == "timeout_ms"]
        assert warning["message"].startswith("timeout_ms followed interval_seconds to 1000;")
        again = brisk.call(method, config_path(made), {"interval_seconds": 30}).json()
        assert (again["timeout_ms"], len(again["warnings"])) == (10_000, 1)
        assert brisk.call(method, config_path(made), {"interval_seconds": 60}).json()["warnings"] == []
        explicit = brisk.call(method, config_path(made), {"interval_seconds": 1, "timeout_ms": 2000})
        assert explicit.json()["error"]["param"] == "timeout_ms"
        assert brisk.call(method, config_path(made), {"interval_seconds": True}).status_code == 422


@pytest.mark.parametrize("name", ["id", "monitor_id", "team_id"])
def test_a_change_of_another_monitor_than_the_path_names_is_refused(
    api: Api, monitor: dict[str, Any], name: str
) -> None:
    for method, way in (
        ("PUT", config_path(monitor)),
        ("PUT", f"{config_path(monitor)}?replace=true"),
        ("PATCH", config_path(monitor)),
        ("PATCH", f"/v1/monitors/{monitor['id']}"),
    ):
        for sent in ("mon_00000000", None):
            answer = api.call(method, way, {**FULL, "name": "Other", name: sent})
            detail = answer.json()["error"]["details"][0]
            assert (answer.status_code, detail["code"], detail["param"]) == (422, "parameter_immutable", name)
        assert api.call(method, way, {**FULL, name: monitor[name]}).status_code == 200
    assert api.call("GET", f"/v1/monitors/{monitor['id']}").json()["name"] == FULL["name"]


def test_the_type_cannot_be_changed(api: Api, monitor: dict[str, Any]) -> None:
    for method in ("PUT", "PATCH"):
        answer = api.call(method, config_path(monitor), {"type": "tcp", "host": "a.example", "port": 1})
        assert answer.json()["error"]["details"][0]["code"] == "parameter_immutable"


def test_a_tcp_monitor_is_moved_by_its_url(api: Api) -> None:
    made = api.call("POST", "/v1/monitors", {"name": "Database", "type": "tcp", "host": "a.example", "port": 1}).json()
    document = api.call("PUT", config_path(made), {"url": "tcp://b.example:2"}).json()
    assert (document["host"], document["port"], document["target"]) == ("b.example", 2, "b.example:2")


@pytest.mark.parametrize(
    ("sent", "headers", "status"),
    [
        ({}, {"If-Match": '"1"'}, 200),
        ({}, {"If-Match": 'W/"1"'}, 200),
        ({}, {"If-Match": '"7", "1"'}, 200),
        ({}, {"If-Match": "*"}, 200),
        ({}, {"If-Match": '"2"'}, 412),
        ({}, {"If-Match": '"one"'}, 412),
        ({"config_version": 1}, {}, 200),
        ({"config_version": 2}, {}, 412),
        ({"config_version": 1}, {"If-Match": '"2"'}, 412),
        ({"config_version": "1"}, {}, 422),
        ({"config_version": True}, {}, 422),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_precondition_that_does_not_hold_is_412_with_the_current_version(
    api: Api, monitor: dict[str, Any], method: str, sent: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    answer = api.call(method, config_path(monitor), {"timeout_ms": 5000, **sent}, headers=headers)
    assert answer.status_code == status
    if status == 412:
        assert answer.json()["error"]["details"][0]["current_version"] == 1
        assert stored(api, monitor).config["timeout_ms"] == 10_000


@pytest.mark.parametrize("value", ["1", '"1', "W/1", "'1'", '*, "1"', '"1" "2"', ",", "", '"1", 2'])
def test_what_is_no_version_in_if_match_is_told_from_a_wrong_one(api: Api, monitor: dict[str, Any], value: str) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        way = f"/v1/monitors/{monitor['id']}" if method == "DELETE" else config_path(monitor)
        answer = api.call(method, way, {"timeout_ms": 5000}, headers={"If-Match": value})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (400, "invalid_header", "If-Match")
        assert 'in double quotes as ETag shows them, such as "3"' in answer.json()["message"]


def test_a_version_in_if_match_may_hold_a_comma_and_stand_among_empty_ones(api: Api, monitor: dict[str, Any]) -> None:
    for value, status in (('"1,x"', 412), (', "1" ,, "9",', 200)):
        answer = api.call("PUT", config_path(monitor), {"timeout_ms": 5000}, headers={"If-Match": value})
        assert answer.status_code == status


def test_a_version_that_never_was_is_told_from_one_that_is_gone(api: Api, monitor: dict[str, Any]) -> None:
    api.call("PUT", config_path(monitor), {"timeout_ms": 5000})
    gone, never = "It was changed meanwhile", "It never had the version that was sent"
    for sent, headers, reason in (
        ({"config_version": 1}, {}, gone),
        ({"config_version": 3}, {}, never),
        ({"config_version": 0}, {}, never),
        ({}, {"If-Match": '"1"'}, gone),
        ({}, {"If-Match": '"7"'}, never),
        ({}, {"If-Match": '"one"'}, never),
        ({}, {"If-Match": '"7", "1"'}, gone),
    ):
        answer = api.call("PUT", config_path(monitor), {"timeout_ms": 6000, **sent}, headers=headers)
        assert (answer.status_code, answer.json()["message"]) == (412, f"{reason}; the current version is 2.")


def test_the_second_of_two_writers_with_one_version_is_refused(api: Api, monitor: dict[str, Any]) -> None:
    first = api.call("PUT", config_path(monitor), {"timeout_ms": 5000, "config_version": 1})
    second = api.call("PUT", config_path(monitor), {"timeout_ms": 6000, "config_version": 1})
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["error"]["code"] == "precondition_failed"


def test_a_pause_in_between_makes_a_version_stale(api: Api, monitor: dict[str, Any]) -> None:
    api.call("POST", f"/v1/monitors/{monitor['id']}/pause")
    assert api.call("PUT", config_path(monitor), {"paused": False, "config_version": 1}).status_code == 412


def test_a_dry_run_answers_what_would_be_and_stores_nothing(api: Api, monitor: dict[str, Any]) -> None:
    wakes = len(api.wakes)
    sent = {
        "timeout_ms": 5000,
        "paused": True,
        "escalation_policy": "not-yet",
        "notifications": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/dryrun1"],
    }
    for method in ("PUT", "PATCH"):
        answer = api.call(method, f"{config_path(monitor)}?dry_run=true", sent)
        document = answer.json()
        assert (answer.status_code, document["timeout_ms"], document["config_version"]) == (200, 5000, 2)
        assert set(document["changed"]) == {"/timeout_ms", "/paused", "/escalation_policy", "/notifications"}
        assert document["message"] == "Configuration 2 would be applied; nothing was stored."
        assert "ETag" not in answer.headers
    assert stored(api, monitor).config_version == 1
    assert len(api.wakes) == wakes
    assert api.call("GET", "/v1/escalation-policies/not-yet").status_code == 404
    assert api.call("GET", f"/v1/monitors/{monitor['id']}").json()["state"] == "pending"
    assert api.call("PUT", f"{config_path(monitor)}?dry_run=true", {"timeout_ms": 1}).status_code == 422


def test_only_the_members_of_the_type_make_older_results_history(api: Api, monitor: dict[str, Any]) -> None:
    for sent, version, judged_from in (
        ({"name": "Shop 2", "interval_seconds": 60}, 2, 1),
        ({"expected_status": 200}, 3, 3),
        ({"tags": []}, 4, 3),
        ({"url": "https://shop.example/other"}, 5, 5),
    ):
        api.call("PUT", config_path(monitor), sent)
        row = stored(api, monitor)
        assert (row.config_version, row.judged_from_version) == (version, judged_from)


def test_every_change_moves_the_revision_of_the_catalog(api: Api, monitor: dict[str, Any]) -> None:
    before = stored(api, monitor).revision
    api.call("PUT", config_path(monitor), {"timeout_ms": 7000})
    assert stored(api, monitor).revision > before


def test_an_interval_below_the_timeout_is_a_conflict_with_its_cure(api: Api, monitor: dict[str, Any]) -> None:
    answer = api.call("PUT", config_path(monitor), {"interval_seconds": 10, "timeout_ms": 12_000})
    assert answer.json()["message"] == "timeout_ms must not exceed the interval; send at most 10000."


def test_a_raised_floor_leaves_a_stored_interval_valid(api: Api, monitor: dict[str, Any]) -> None:
    row = stored(api, monitor)
    shorter = {**row.config, "interval_seconds": 3, "timeout_ms": 3000}
    api.write(lambda connection: monitors.save(connection, replace(row, config=shorter)))
    assert api.call("PUT", config_path(monitor), {"name": "Kept"}).json()["interval_seconds"] == 3
    assert api.call("PUT", config_path(monitor), {"interval_seconds": 3}).status_code == 200
    assert api.call("PUT", config_path(monitor), {"interval_seconds": 4}).status_code == 422


def test_paused_is_a_member_like_others(api: Api, monitor: dict[str, Any]) -> None:
    api.call("PUT", config_path(monitor), {"paused": True})
    assert api.call("GET", f"/v1/monitors/{monitor['id']}").json()["state"] == "paused"
    api.call("PATCH", config_path(monitor), {"paused": False})
    document = api.call("GET", f"/v1/monitors/{monitor['id']}").json()
    assert (document["state"], document["config_version"]) == ("pending", 3)


def test_getting_the_configuration_knows_its_version(api: Api, monitor: dict[str, Any]) -> None:
    answer = api.call("GET", config_path(monitor), token=READER)
    assert (answer.status_code, answer.headers["ETag"], answer.json()["object"]) == (200, '"1"', "monitor_config")
    for known in ('"1"', 'W/"1"', '"4", "1"', "*"):
        unchanged = api.call("GET", config_path(monitor), headers={"If-None-Match": known})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert api.call("GET", config_path(monitor), headers={"If-None-Match": '"2"'}).status_code == 200


def test_patching_the_monitor_answers_the_monitor(api: Api, monitor: dict[str, Any]) -> None:
    path = f"/v1/monitors/{monitor['id']}"
    merge_patch = {"Content-Type": "application/merge-patch+json"}
    answer = api.call("PATCH", path, {"metadata": {"tier": "2"}}, headers=merge_patch)
    document = answer.json()
    assert (document["object"], document["changed"], answer.headers["ETag"]) == ("monitor", ["/metadata/tier"], '"2"')
    assert document["metadata"] == {"owner": "maya", "tier": "2"}
    assert api.call("PATCH", f"{path}?dry_run=true", {"timeout_ms": 200}).json()["config_version"] == 3
    assert stored(api, monitor).config_version == 2


def test_an_unknown_policy_is_made_on_a_change_as_on_creation(api: Api, monitor: dict[str, Any]) -> None:
    made = api.call("PUT", config_path(monitor), {"escalation_policy": "night-shift"})
    assert [warning["code"] for warning in made.json()["warnings"]] == ["escalation_policy_created"]
    strict = {"Prefer": "handling=strict"}
    assert api.call("PUT", config_path(monitor), {"escalation_policy": "day"}, headers=strict).status_code == 422


def test_a_change_is_written_to_the_audit_log(api: Api, monitor: dict[str, Any]) -> None:
    api.call("PUT", config_path(monitor), {"timeout_ms": 9000})
    written = api.database.read_now(lambda connection: audit.entries(connection, monitor["team_id"], 500))
    actions = [entry.action for entry in written if entry.resource == monitor["id"]]
    assert sorted(actions) == ["monitor.created", "monitor.updated"]


def test_a_monitor_without_policy_takes_the_default_of_its_team(api: Api, body: dict[str, Any]) -> None:
    assert api.call("POST", "/v1/monitors", body).json()["escalation_policy"] is None
    api.call("POST", "/v1/monitors", {**body, "escalation_policy": "house-rule"})
    choose = update(escalation_policies).where(escalation_policies.c.slug == "house-rule")
    api.write(lambda connection: connection.execute(choose.values(is_default=True)))
    try:
        assert api.call("POST", "/v1/monitors", body).json()["escalation_policy"] == "house-rule"
        assert api.call("POST", "/v1/monitors", {**body, "escalation_policy": None}).json()["escalation_policy"] is None
    finally:
        api.write(lambda connection: connection.execute(choose.values(is_default=False)))


def test_channels_of_a_monitor_are_linked_in_their_order(api: Api, monitor: dict[str, Any]) -> None:
    urls = [f"slack://hooks/T0A1B2C3D/B0X9Y8Z7W/order{number}" for number in range(3)]
    api.call("PUT", config_path(monitor), {"notifications": urls})
    row = stored(api, monitor)
    linked = api.database.read_now(
        lambda connection: list(
            connection.scalars(
                select(monitor_channels.c.channel_id)
                .where(monitor_channels.c.monitor_key == row.key)
                .order_by(monitor_channels.c.place)
            )
        )
    )
    assert linked == row.config["notifications"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_unknown_member_is_refused_also_where_it_is_null(api: Api, monitor: dict[str, Any], method: str) -> None:
    for path in (config_path(monitor), f"/v1/monitors/{monitor['id']}")[: 2 if method == "PATCH" else 1]:
        answer = api.call(method, path, {"colour": None})
        detail = answer.json()["error"]["details"][0]
        assert (answer.status_code, detail["code"], detail["param"]) == (422, "unknown_parameter", "colour")
    assert api.call("PATCH", config_path(monitor), {"metadata": {"nobody": None}}).json()["changed"] == []
