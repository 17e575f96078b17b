"""Versions of a configuration and the way back to one, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from statuspulse.storage import config_versions, probes
from statuspulse.storage.config_versions import KEPT
from statuspulse.storage.schema import config_versions as rows
from tests.api.server import ADMIN, READER, STRANGER, Api, running

PASSWORD = "correct horse battery"
BODY: dict[str, Any] = {
    "name": "Shop",
    "type": "http",
    "url": "https://shop.example/health",
    "timeout_ms": 4000,
    "auth": {"type": "basic", "username": "ops", "password": PASSWORD},
    "notifications": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"],
}


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with running(tmp_path, url=database_url) as started:
        yield started


@pytest.fixture
def path(api: Api) -> str:
    """The configuration of a monitor with three versions: timeouts of 4000, 5000 and 6000 ms."""
    monitor = api.call("POST", "/v1/monitors", BODY).json()
    path = f"/v1/monitors/{monitor['id']}/config"
    for timeout_ms in (5000, 6000):
        api.clock.at += 1000
        assert api.call("PUT", path, {"timeout_ms": timeout_ms}).status_code == 200
    return path


def back(api: Api, path: str, version: Any, query: str = "", **headers: str) -> Any:
    return api.call("POST", f"{path}/rollback{query}", {"config_version": version}, headers=headers)


def problem(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 422
    found: dict[str, Any] = answer.json()["error"]["details"][0]
    return found


def test_every_version_is_listed_with_who_made_it_and_what_was_new(api: Api, path: str) -> None:
    api.call("POST", f"{path.removesuffix('/config')}/pause")
    data = api.call("GET", f"{path}/versions", token=READER).json()["data"]
    assert [(one["config_version"], one["changed"]) for one in data] == [
        (4, ["/paused"]),
        (3, ["/timeout_ms"]),
        (2, ["/timeout_ms"]),
        (1, []),
    ]
    assert data[1]["updated_by"]["label"] == "writer"
    assert data[1]["updated_at"] > data[2]["updated_at"]


def test_the_list_goes_on_from_its_cursor_in_both_orders(api: Api, path: str) -> None:
    for order, expected in (("desc", [3, 2, 1]), ("asc", [1, 2, 3])):
        seen: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            page = api.call("GET", f"{path}/versions?limit=2&order={order}&include=total{cursor}").json()
            assert page["total"] == 3
            seen += [one["config_version"] for one in page["data"]]
            cursor = f"&cursor={page['next_cursor']}" if page["has_more"] else None
        assert seen == expected


def test_a_rollback_is_a_new_version_and_brings_secrets_and_channels_back(api: Api, path: str) -> None:
    first = api.call("GET", path).json()["notifications"]
    api.call("PUT", path, {"auth": None, "notifications": [], "name": "Other"})
    wakes = len(api.wakes)
    answer = back(api, path, 1)
    document = answer.json()
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"5"')
    assert (document["config_version"], document["timeout_ms"], document["name"]) == (5, 4000, "Shop")
    assert document["notifications"] == first
    assert set(document["changed"]) == {"/timeout_ms", "/auth", "/notifications", "/name"}
    assert len(api.wakes) == wakes + 1
    assert PASSWORD not in answer.text
    # The very secret came back: put where it shows that it is the same, nothing changes.
    assert api.call("PUT", path, {"auth": BODY["auth"]}).json()["changed"] == []


def test_secrets_lie_sealed_in_every_version(api: Api, path: str) -> None:
    texts = api.database.read_now(lambda connection: list(connection.scalars(select(rows.c.config))))
    assert len(texts) == 3
    assert all("$sealed" in text and PASSWORD not in text for text in texts)


def test_a_rollback_stands_in_the_audit_log(api: Api, path: str) -> None:
    api.clock.at += 1000
    back(api, path, 2)
    entries = api.call("GET", f"/v1/audit-log?resource={path.split('/')[3]}", token=ADMIN).json()["data"]
    told = {entry["action"]: entry["diff"] for entry in entries[:2]}
    assert told["monitor.rolled_back"] == [{"path": "/rolled_back_to", "before": None, "after": 2}]
    assert told["monitor.updated"] == [{"path": "/timeout_ms", "before": 6000, "after": 5000}]


def test_a_rollback_to_what_holds_changes_nothing(api: Api, path: str) -> None:
    back(api, path, 1)
    wakes = len(api.wakes)
    document = back(api, path, 1).json()
    assert (document["changed"], document["config_version"]) == ([], 4)
    assert len(api.wakes) == wakes


def test_a_dry_run_shows_the_version_and_stores_nothing(api: Api, path: str) -> None:
    answer = back(api, path, 1, "?dry_run=true")
    assert (answer.json()["timeout_ms"], answer.json()["changed"]) == (4000, ["/timeout_ms"])
    assert "ETag" not in answer.headers
    assert api.call("GET", path).json()["config_version"] == 3
    assert len(api.call("GET", f"{path}/versions").json()["data"]) == 3


def test_a_rollback_to_a_pause_pauses(api: Api, path: str) -> None:
    monitor = path.removesuffix("/config")
    api.call("POST", f"{monitor}/pause")
    api.call("POST", f"{monitor}/resume")
    assert back(api, path, 4).status_code == 200
    assert api.call("GET", monitor).json()["state"] == "paused"


def test_preconditions_hold_as_for_a_put(api: Api, path: str) -> None:
    refused = back(api, path, 1, **{"If-Match": '"2"'})
    assert refused.status_code == 412
    assert refused.json()["error"]["details"][0]["current_version"] == 3
    team = api.call("GET", "/v1/me", token=ADMIN).json()["team_id"]
    api.call("PATCH", f"/v1/teams/{team}", {"settings": {"require_preconditions": True}}, token=ADMIN)
    assert back(api, path, 1).status_code == 428
    assert back(api, path, 1, **{"If-Match": '"3"'}).status_code == 200


@pytest.mark.parametrize(("version", "code"), [(4, "reference_not_found"), (0, "parameter_out_of_range")])
def test_a_version_that_is_not_there_is_refused_by_name(api: Api, path: str, version: int, code: str) -> None:
    told = problem(back(api, path, version))
    assert (told["code"], told["param"], told["pointer"]) == (code, "config_version", "/config_version")
    assert version == 0 or "1 to 3" in told["message"]
    assert problem(back(api, path, "1"))["code"] == "parameter_invalid_type"
    assert problem(back(api, path, 1 << 70))["code"] == "parameter_out_of_range"


def test_a_version_that_does_not_hold_any_more_is_refused_and_nothing_made(api: Api, path: str) -> None:
    region = api.write(lambda connection: probes.ensure_region(connection, "gone-soon", "Gone", 1))
    api.call("PUT", path, {"regions": ["gone-soon"]})
    api.call("PUT", path, {"regions": ["local"]})
    api.write(lambda connection: probes.delete_region(connection, region, api.clock.at))
    told = problem(back(api, path, 4))
    assert (told["code"], told["param"], told["pointer"]) == ("reference_not_found", "regions[0]", None)
    assert told["message"].endswith("so it stands in version 4")
    assert api.call("GET", path).json()["config_version"] == 5


def test_other_teams_find_nothing(api: Api, path: str) -> None:
    foreign, random = path, "/v1/monitors/mon_zzzzzzzz/config"
    for one in (foreign, random):
        assert api.call("GET", f"{one}/versions", token=STRANGER).status_code == 404
        assert api.call("POST", f"{one}/rollback", {"config_version": 1}, token=STRANGER).status_code == 404
    assert api.call("POST", f"{path}/rollback", {"config_version": 1}, token=READER).status_code == 403


def test_a_repeated_rollback_under_a_key_is_done_once(api: Api, path: str) -> None:
    answers = [back(api, path, 1, **{"Idempotency-Key": "back-1"}) for _ in range(2)]
    assert answers[0].text == answers[1].text
    assert api.call("GET", path).json()["config_version"] == 4


def test_as_many_versions_are_kept_as_is_said_and_none_of_a_deleted_monitor(api: Api, path: str) -> None:
    for number in range(KEPT):
        api.call("PATCH", path, {"timeout_ms": 7000 + number})

    def counted(connection: Connection) -> tuple[int, int]:
        kept, oldest = connection.execute(select(func.count(), func.min(rows.c.version)).select_from(rows)).one()
        return kept, oldest

    assert api.database.read_now(counted) == (KEPT, 4)
    assert "4 to 103" in problem(back(api, path, 3))["message"]
    assert back(api, path, 4).json()["timeout_ms"] == 7000
    api.call("DELETE", path.removesuffix("/config"))
    assert api.database.read_now(lambda connection: config_versions.count(connection, 1)) == 0
