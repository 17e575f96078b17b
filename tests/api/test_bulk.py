"""One action on many monitors, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statuspulse.catalog.bulk import LIMIT, SLICE
from tests.api.server import ADMIN, READER, STRANGER, Api, running

BULK = "/v1/monitors/bulk"


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Api]:
    with running(tmp_path, url=database_url) as started:
        yield started


def made(api: Api, count: int, **members: Any) -> list[str]:
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", **members}
    return [api.call("POST", "/v1/monitors", body).json()["id"] for _ in range(count)]


def act(api: Api, action: str, token: str = ADMIN, **members: Any) -> dict[str, Any]:
    answer = api.call("POST", BULK, {"action": action, **members}, token=token)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def outcomes(document: dict[str, Any]) -> list[str]:
    return [one["outcome"] for one in document["data"]]


def state(api: Api, monitor_id: str) -> Any:
    return api.call("GET", f"/v1/monitors/{monitor_id}").json().get("state")


def test_one_bad_id_does_not_stop_the_others(api: Api) -> None:
    first, second = made(api, 2)
    told = act(api, "pause", ids=[first, "mon_zzzzzzzz", "no id at all", second, first])
    assert [one["monitor_id"] for one in told["data"]] == [first, "mon_zzzzzzzz", "no id at all", second]
    assert outcomes(told) == ["done", "failed", "failed", "done"]
    assert (
        told["data"][1]["error"]
        == told["data"][2]["error"]
        == {
            "code": "resource_missing",
            "message": "There is no such object.",
        }
    )
    assert (told["done"], told["unchanged"], told["failed"]) == (2, 0, 2)
    assert [state(api, one) for one in (first, second)] == ["paused", "paused"]


def test_done_again_it_changes_nothing(api: Api) -> None:
    ids = made(api, 2)
    for action in ("pause", "resume"):
        assert outcomes(act(api, action, ids=ids)) == ["done", "done"]
        wakes = len(api.wakes)
        assert outcomes(act(api, action, ids=ids)) == ["unchanged", "unchanged"]
        assert len(api.wakes) == wakes
    assert outcomes(act(api, "delete", ids=ids)) == ["done", "done"]
    assert outcomes(act(api, "delete", ids=ids)) == ["failed", "failed"]
    assert api.call("GET", f"/v1/monitors/{ids[0]}").status_code == 404


def test_tags_are_added_and_taken_away(api: Api) -> None:
    one, other = *made(api, 1, tags=["prod"]), *made(api, 1, tags=[f"t{number}" for number in range(32)])
    told = act(api, "tag", ids=[one, other], tags=["prod", "eu"])
    assert outcomes(told) == ["done", "failed"]
    assert told["data"][1]["error"]["code"] == "validation_failed"
    assert api.call("GET", f"/v1/monitors/{one}").json()["tags"] == ["prod", "eu"]
    assert outcomes(act(api, "tag", ids=[one], tags=["eu"])) == ["unchanged"]
    assert outcomes(act(api, "untag", ids=[one], tags=["prod", "gone"])) == ["done"]
    assert api.call("GET", f"/v1/monitors/{one}").json()["tags"] == ["eu"]


def test_a_filter_selects_in_the_place_of_ids(api: Api) -> None:
    wanted, others = made(api, 2, tags=["old"]), made(api, 1)
    told = act(api, "pause", filter={"tags": ["old"], "type": "http", "paused": False})
    assert {one["monitor_id"] for one in told["data"]} == set(wanted)
    assert state(api, others[0]) == "pending"
    assert act(api, "delete", filter={"q": "nobody"})["data"] == []


def test_many_are_committed_and_told_in_slices(api: Api) -> None:
    ids = made(api, SLICE + 1)
    wakes = len(api.wakes)
    assert outcomes(act(api, "pause", ids=ids)) == ["done"] * len(ids)
    assert len(api.wakes) == wakes + 2


def test_each_effect_is_in_the_audit_log(api: Api) -> None:
    ids = made(api, 2)
    act(api, "delete", ids=ids)
    entries = api.call("GET", "/v1/audit-log?action=monitor.deleted", token=ADMIN).json()["data"]
    assert {entry["resource"] for entry in entries} == set(ids)


def test_what_another_team_has_is_missing(api: Api) -> None:
    ids = made(api, 1)
    foreign, random = (act(api, "delete", STRANGER, ids=[one])["data"][0] for one in (ids[0], "mon_zzzzzzzz"))
    assert {**foreign, "monitor_id": ""} == {**random, "monitor_id": ""}
    assert act(api, "delete", STRANGER, filter={"type": "http"})["data"] == []
    assert state(api, ids[0]) == "pending"
    assert api.call("POST", BULK, {"action": "pause", "ids": ids}, token=READER).status_code == 403


def test_a_team_that_wants_preconditions_has_them_kept(api: Api) -> None:
    ids = made(api, 1)
    team = api.call("GET", "/v1/me", token=ADMIN).json()["team_id"]
    api.call("PATCH", f"/v1/teams/{team}", {"settings": {"require_preconditions": True}}, token=ADMIN)
    assert act(api, "delete", ids=ids)["data"][0]["error"]["code"] == "precondition_required"
    assert outcomes(act(api, "pause", ids=ids)) == ["done"]


def test_under_a_key_it_is_answered_alike(api: Api) -> None:
    ids = made(api, 1)
    sent, headers = {"action": "pause", "ids": ids}, {"Idempotency-Key": "pause-them"}
    answers = [api.call("POST", BULK, sent, headers=headers) for _ in range(2)]
    assert answers[0].text == answers[1].text
    assert answers[1].headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("sent", "param", "code"),
    [
        ({"action": "pause"}, "ids", "parameter_missing"),
        ({"action": "pause", "ids": []}, "ids", "parameter_out_of_range"),
        ({"action": "pause", "ids": ["mon_zzzzzzzz"], "filter": {"type": "http"}}, "filter", "parameter_conflict"),
        ({"action": "delete", "filter": {}}, "filter", "parameter_missing"),
        ({"action": "pause", "ids": ["mon_zzzzzzzz"] * (LIMIT + 1)}, "ids", "parameter_too_many"),
        ({"action": "tag", "ids": ["mon_zzzzzzzz"]}, "tags", "parameter_missing"),
        ({"action": "pause", "ids": ["mon_zzzzzzzz"], "tags": ["a"]}, "tags", "parameter_conflict"),
        ({"action": "stop", "ids": ["mon_zzzzzzzz"]}, "action", "parameter_invalid_enum"),
        ({"action": "pause", "filter": {"colour": "red"}}, "filter.colour", "unknown_parameter"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(api: Api, sent: dict[str, Any], param: str, code: str) -> None:
    answer = api.call("POST", BULK, sent)
    detail = answer.json()["error"]["details"][0]
    assert (answer.status_code, detail["param"], detail["code"]) == (422, param, code)
