"""Members that are not a caller's to set: refused, or without effect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.server import ADMIN, Api
from tests.security.operations import Called, operations

# Columns, parents, roles and what parsers of other languages trip over.
ALIEN: dict[str, Any] = {
    "is_admin": True,
    "is_first": True,
    "owner_id": "usr_00000001",
    "deleted_at": "2020-01-01T00:00:00Z",
    "digest": "00",
    "key": 1,
    "revision": 1,
    "revoked_at": 0,
    "__proto__": {"admin": True},
    "constructor": {},
    "$where": "1",
}
# Members of answers: where a GET may be put back they are ignored, elsewhere refused.
FIXED: dict[str, Any] = {
    "id": "mon_00000001",
    "team_id": "team_00000001",
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def writes(api: Api) -> list[Called]:
    return [
        one
        for one in operations(api.contract.document)
        if one.body is not None and not (one.is_of_probes or one.is_of_others)
    ]


@pytest.fixture(scope="module")
def ids(api: Api) -> dict[str, str]:
    """Objects of the first team that every call of this module may try to change."""
    monitor = api.call(
        "POST",
        "/v1/monitors",
        {"name": "A", "type": "http", "url": "https://a.example", "escalation_policy": "oncall"},
        token=ADMIN,
    )
    incident = api.call("POST", "/v1/incidents", {"title": "A"}, token=ADMIN)
    hook = {"url": "https://ours.example/hook", "events": ["*"]}
    webhook = api.call("POST", "/v1/webhooks", hook, token=ADMIN)
    member = api.call("POST", "/v1/teams/default/members", {"email": "a@a.example", "role": "viewer"}, token=ADMIN)
    rota = {"name": "A", "members": ["a@a.example"]}
    slo = {"name": "A", "monitor_id": monitor.json()["id"], "objective_pct": 99.9}
    window = {"name": "A", "monitors": {"all": True}, "starts_at": "2026-12-06T02:00:00Z", "duration_seconds": 60}
    return {
        "slo_id": api.call("POST", "/v1/slos", slo, token=ADMIN).json()["id"],
        "window_id": api.call("POST", "/v1/maintenance-windows", window, token=ADMIN).json()["id"],
        "schedule_id": api.call("POST", "/v1/schedules", rota, token=ADMIN).json()["id"],
        "slug": "oncall",
        "monitor_id": monitor.json()["id"],
        "incident_id": incident.json()["id"],
        "team_id": member.json()["team_id"],
        "user_id": member.json()["id"],
        "channel_id": api.call("POST", "/v1/channels", {"url": hook["url"]}, token=ADMIN).json()["id"],
        "webhook_id": webhook.json()["id"],
        "integration_id": api.call("POST", "/v1/integrations", {"kind": "alertmanager"}, token=ADMIN).json()["id"],
        "event_id": api.call("GET", "/v1/events", token=ADMIN).json()["data"][0]["id"],
        "probe_id": api.call("GET", "/v1/probes", token=ADMIN).json()["data"][0]["id"],
    }


def test_unknown_members_are_refused_by_every_write(api: Api, writes: list[Called], ids: dict[str, str]) -> None:
    held = 0
    for one in writes:
        for name, value in ALIEN.items():
            answer = api.call(one.method, one.url(ids), {**one.body, name: value}, token=ADMIN)
            assert answer.status_code == 422, (one.name, name)
            assert answer.json()["error"]["details"][0]["code"] in {"unknown_parameter", "parameter_conflict"}
            held += 1
    assert held >= 11 * len(ALIEN)


def test_members_of_answers_change_nothing(api: Api, writes: list[Called], ids: dict[str, str]) -> None:
    for one in writes:
        for name, value in FIXED.items():
            answer = api.call(one.method, one.url(ids), {**one.body, name: value}, token=ADMIN)
            if answer.status_code != 422:
                assert answer.json().get(name) != value, (one.name, name)
                assert one.method in {"PUT", "PATCH"}, (one.name, name)


def test_an_id_that_is_not_that_of_the_path_is_refused_by_every_change(
    api: Api, writes: list[Called], ids: dict[str, str]
) -> None:
    taking = set()
    for one in writes:
        if one.method not in {"PUT", "PATCH"}:
            continue
        foreign = api.call(one.method, one.url(ids), {**one.body, "id": "mon_00000001"}, token=ADMIN)
        code = foreign.json()["error"]["details"][0]["code"]
        assert (foreign.status_code, code in {"parameter_immutable", "unknown_parameter"}) == (422, True), one.name
        if code == "parameter_immutable":
            shown = api.call("GET", one.url(ids), token=ADMIN)
            own = shown.json()["id"] if shown.status_code == 200 else ids["user_id"]
            passed = api.call(one.method, one.url(ids), {**one.body, "id": own}, token=ADMIN)
            assert "parameter_immutable" not in passed.text, (one.name, passed.text)
            taking.add(one.url(dict.fromkeys(ids, "")).split("/")[2])
    assert taking == {
        "monitors",
        "slos",
        "maintenance-windows",
        "schedules",
        "escalation-policies",
        "teams",
        "incidents",
    }


def test_wrong_types_of_every_member_are_refused_without_a_fault(
    api: Api, writes: list[Called], ids: dict[str, str]
) -> None:
    for one in writes:
        for name in sorted(one.members):
            for value in (object_of_depth(3), [[["x"]]], 1e300):
                answer = api.call(one.method, one.url(ids), {**one.body, name: value}, token=ADMIN)
                assert answer.status_code < 500, (one.name, name, value)


def object_of_depth(depth: int) -> Any:
    return {"x": object_of_depth(depth - 1)} if depth else None


def test_a_name_that_stands_twice_is_refused_by_every_write(
    api: Api, writes: list[Called], ids: dict[str, str]
) -> None:
    for one in writes:
        raw = b'{"name": "a", "name": "b"}'
        answer = api.call(one.method, one.url(ids), raw=raw, token=ADMIN, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json"), one.name
