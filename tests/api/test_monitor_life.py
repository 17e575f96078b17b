"""Reading, pausing, resuming and deleting monitors."""

from __future__ import annotations

from typing import Any

import pytest

from statuspulse.domain.ids import new_id
from statuspulse.domain.result import Observation, Result, ResultKind
from statuspulse.storage import audit, monitors, results, watch
from statuspulse.storage.results import Placed
from tests.api.server import Api


@pytest.fixture
def monitor(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = api.call("POST", "/v1/monitors", body).json()
    return document


def path(monitor: dict[str, Any]) -> str:
    return f"/v1/monitors/{monitor['id']}"


def test_a_monitor_is_read_as_it_was_created(api: Api, monitor: dict[str, Any]) -> None:
    answer = api.call("GET", path(monitor))
    envelope = {"request_id", "message", "warnings"}
    assert answer.headers["ETag"] == '"1"'
    assert answer.json()["message"] == 'Monitor "Shop" is pending.'
    assert {name: value for name, value in answer.json().items() if name not in envelope} == {
        name: value for name, value in monitor.items() if name not in envelope
    }


def test_the_last_probe_is_the_newest_of_any_region(api: Api, monitor: dict[str, Any]) -> None:
    def look(connection: Any) -> None:
        row = monitors.get(connection, monitor["team_id"], monitor["id"])
        assert row is not None
        region_key = watch.region_keys(connection)["local"]
        placed = [
            Placed(
                row.key,
                region_key,
                1,
                Result(
                    monitor_id=row.id,
                    region="local",
                    scheduled_at=at,
                    kind=ResultKind.SCHEDULED,
                    round=0,
                    lag_us=0,
                    observed_at=at + 250,
                    attempt=1,
                    config_version=1,
                    observation=Observation(latency_us=250_000, status_code=200),
                ),
            )
            for at in (1_795_414_810_000, 1_795_414_840_000)
        ]
        results.insert(connection, placed)

    api.write(look)
    assert api.call("GET", path(monitor)).json()["last_probe_at"] == "2026-11-23T06:20:40.250Z"


def test_pausing_stops_and_resuming_begins_anew(api: Api, monitor: dict[str, Any]) -> None:
    wakes = len(api.wakes)
    paused = api.call("POST", f"{path(monitor)}/pause").json()
    assert (paused["state"], paused["paused"], paused["next_probe_at"]) == ("paused", True, None)
    assert (paused["message"], paused["config_version"]) == ('Monitor "Shop" paused.', 2)
    resumed = api.call("POST", f"{path(monitor)}/resume", {}).json()
    assert (resumed["state"], resumed["paused"], resumed["config_version"]) == ("pending", False, 3)
    assert resumed["next_probe_at"] is not None
    assert len(api.wakes) == wakes + 2


def test_pausing_and_resuming_twice_changes_nothing_more(api: Api, monitor: dict[str, Any]) -> None:
    assert api.call("POST", f"{path(monitor)}/resume").json()["message"] == 'Monitor "Shop" was not paused.'
    first = api.call("POST", f"{path(monitor)}/pause").json()
    second = api.call("POST", f"{path(monitor)}/pause").json()
    assert second["message"] == 'Monitor "Shop" was already paused.'
    assert (second["config_version"], second["state_since"]) == (first["config_version"], first["state_since"])


@pytest.mark.parametrize("sent", [{"resume_at": "2026-11-24T00:00:00Z"}, {"reason": "deploy"}, {"for": "ever"}])
def test_a_pause_takes_nothing_that_nobody_would_obey(api: Api, monitor: dict[str, Any], sent: dict[str, Any]) -> None:
    assert api.call("POST", f"{path(monitor)}/pause", sent).status_code == 422
    assert api.call("POST", f"{path(monitor)}/pause", dict.fromkeys(["resume_at", "reason"])).status_code == 200


def test_a_deleted_monitor_is_gone(api: Api, monitor: dict[str, Any]) -> None:
    answer = api.call("DELETE", path(monitor))
    assert (answer.status_code, answer.json()["id"], answer.json()["deleted"]) == (200, monitor["id"], True)
    for method, suffix, sent in (
        ("DELETE", "", None),
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("GET", "/config", None),
        ("PUT", "/config", {"name": "x"}),
        ("POST", "/pause", None),
    ):
        assert api.call(method, path(monitor) + suffix, sent).status_code == 404
    listed = [item["id"] for item in api.call("GET", "/v1/monitors?limit=100").json()["data"]]
    assert monitor["id"] not in listed


def test_deleting_asks_for_the_version_where_the_caller_does(api: Api, monitor: dict[str, Any]) -> None:
    assert api.call("DELETE", path(monitor), headers={"If-Match": '"2"'}).status_code == 412
    assert api.call("DELETE", path(monitor), headers={"If-Match": '"1"'}).status_code == 200


def test_probes_learn_of_a_deletion(api: Api, monitor: dict[str, Any]) -> None:
    before = api.database.read_now(watch.revision)
    api.call("DELETE", path(monitor))
    changed = api.database.read_now(lambda connection: watch.changed_since(connection, before))
    assert [(one.id, one.deleted) for one in changed] == [(monitor["id"], True)]


def test_the_life_of_a_monitor_is_in_the_audit_log(api: Api, monitor: dict[str, Any]) -> None:
    for suffix in ("/pause", "/resume"):
        api.call("POST", path(monitor) + suffix)
    api.call("DELETE", path(monitor))
    written = api.database.read_now(lambda connection: audit.entries(connection, monitor["team_id"], 1000))
    actions = {entry.action for entry in written if entry.resource == monitor["id"]}
    assert actions == {"monitor.created", "monitor.updated", "monitor.paused", "monitor.resumed", "monitor.deleted"}


def test_an_id_that_never_was_is_not_found(api: Api) -> None:
    assert api.call("GET", f"/v1/monitors/{new_id('mon')}").json()["message"] == "There is no such object."
