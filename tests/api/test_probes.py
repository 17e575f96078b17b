"""Regions, probes and their keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statuspulse.catalog import setup
from statuspulse.domain.times import SECOND, to_text
from statuspulse.storage import audit, teams
from tests.api.server import ADMIN, READER, STRANGER, WRITER, Api, running


@pytest.fixture(autouse=True)
def _left_as_found(api: Api) -> Iterator[None]:
    """Every test finds the local probe alone, and no monitor."""
    yield
    for kind in ("monitors", "probes"):
        for found in api.call("GET", f"/v1/{kind}", token=ADMIN).json()["data"]:
            if found["name"] != "local":
                assert api.call("DELETE", f"/v1/{kind}/{found['id']}", token=ADMIN).status_code == 200


def create(api: Api, **members: Any) -> dict[str, Any]:
    answer = api.call("POST", "/v1/probes", {"name": "fra-1", "region": "eu-west", **members}, token=ADMIN)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/v1/probes/{made['id']}"
    return made


def get(api: Api, path: str) -> dict[str, Any]:
    answer = api.call("GET", path, token=ADMIN)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def beat(api: Api, key: str, **members: Any) -> int:
    body = {"clock": to_text(api.clock.at), "boot_id": "boot_1", "version": "1.2.3", **members}
    return api.call("POST", "/v1/agent/heartbeat", body, token=key).status_code


def poll(api: Api, key: str, query: str = "", version: int | None = None) -> Any:
    headers = {} if version is None else {"If-None-Match": f'"{version}"'}
    return api.call("GET", f"/v1/agent/assignments{query}", token=key, headers=headers)


def region_of(api: Api, slug: str) -> dict[str, Any]:
    found: dict[str, Any] = {region["slug"]: region for region in get(api, "/v1/regions")["data"]}
    region: dict[str, Any] = found[slug]
    return region


def slugs(api: Api) -> list[str]:
    return [region["slug"] for region in get(api, "/v1/regions?order=asc")["data"]]


def test_a_fresh_instance_has_one_region_with_one_probe(api: Api) -> None:
    (region,) = get(api, "/v1/regions")["data"]
    assert {**region, "created_at": None} == {
        "object": "region",
        "slug": "local",
        "name": "Local",
        "probes_online": 0,
        "probes_total": 1,
        "default": True,
        "team_id": None,
        "created_at": None,
    }
    (probe,) = get(api, "/v1/probes")["data"]
    assert (probe["name"], probe["region"], probe["status"]) == ("local", "local", "offline")
    assert api.call("GET", "/v1/regions", token=READER).status_code == 200


def test_a_new_slug_makes_a_region_and_the_key_opens_the_agent_protocol_alone(api: Api, body: dict[str, Any]) -> None:
    made = create(api, region_name="Frankfurt")
    assert made["key"].startswith("prb_live_")
    assert (made["object"], made["status"], made["assigned"]) == ("probe", "offline", 0)
    assert [made[name] for name in ("version", "last_seen_at", "clock_skew_ms", "capacity", "ip")] == [None] * 5
    assert "key" not in get(api, f"/v1/probes/{made['id']}")
    region = region_of(api, "eu-west")
    assert (region["slug"], region["name"], region["default"]) == ("eu-west", "Frankfurt", False)
    assert beat(api, made["key"]) == 200
    assert api.call("GET", "/v1/monitors", token=made["key"]).status_code == 403
    monitor = api.call("POST", "/v1/monitors", {**body, "regions": ["local", "eu-west"]})
    assert monitor.status_code == 201


def test_a_region_that_exists_keeps_its_name_and_says_so(api: Api) -> None:
    create(api, region_name="Frankfurt")
    again = create(api, name="fra-2", region_name="Paris")
    assert [warning["code"] for warning in again["warnings"]] == ["region_exists"]
    assert create(api, name="fra-3", region_name="Frankfurt")["warnings"] == []
    assert region_of(api, "eu-west")["name"] == "Frankfurt"


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({"name": "x"}, "region"),
        ({"region": "eu"}, "name"),
        ({"name": " ", "region": "eu"}, "name"),
        ({"name": "x", "region": "EU West"}, "region"),
        ({"name": "x", "region": "eu", "region_name": None}, "region_name"),
        ({"name": "x", "region": "eu", "key": "prb_live_mine"}, "key"),
    ],
)
def test_what_does_not_hold_is_named(api: Api, sent: dict[str, Any], param: str) -> None:
    answer = api.call("POST", "/v1/probes", sent, token=ADMIN)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)
    assert slugs(api) == ["local"]


def test_what_is_heard_of_a_probe_is_shown(api: Api, body: dict[str, Any]) -> None:
    made = create(api)
    api.call("POST", "/v1/monitors", {**body, "regions": ["eu-west"]})
    clock = to_text(api.clock.at + 7200)
    assert beat(api, made["key"], clock=clock, capacity=290, blind=["public"]) == 200
    api.clock.at += 15 * SECOND
    beat(api, made["key"], clock=to_text(api.clock.at + 7200), capacity=290, blind=["public"])
    shown = get(api, f"/v1/probes/{made['id']}")
    assert {name: shown[name] for name in ("status", "blind", "version", "clock_skew_ms", "capacity", "assigned")} == {
        "status": "online",
        "blind": ["public"],
        "version": "1.2.3",
        "clock_skew_ms": 7200,
        "capacity": 290,
        "assigned": 1,
    }
    assert (shown["ip"], shown["last_seen_at"]) == ("127.0.0.1", to_text(api.clock.at))
    assert region_of(api, "eu-west")["probes_online"] == 1
    api.clock.at += 15 * SECOND
    gone = get(api, f"/v1/probes/{made['id']}")
    assert (gone["status"], gone["blind"], gone["assigned"]) == ("offline", [], 0)
    assert gone["last_seen_at"] == shown["last_seen_at"]


def test_members_are_changed_and_what_is_not_sent_stays(api: Api) -> None:
    made = create(api)
    path = f"/v1/probes/{made['id']}"
    beat(api, made["key"])
    renamed = api.call("PATCH", path, {"name": "fra-9"}, token=ADMIN).json()
    assert (renamed["name"], renamed["status"]) == ("fra-9", "online")
    drained = api.call("PATCH", path, {"draining": True}, token=ADMIN).json()
    assert (drained["name"], drained["status"]) == ("fra-9", "draining")
    back = api.call("PATCH", path, {"draining": False}, token=ADMIN).json()
    assert back["status"] == "online"
    assert api.call("PATCH", path, {"region": "local"}, token=ADMIN).status_code == 422


def test_the_last_probe_of_a_region_that_monitors_name_stays(api: Api, body: dict[str, Any]) -> None:
    first, second = create(api), create(api, name="fra-2")
    monitor = api.call("POST", "/v1/monitors", {**body, "regions": ["eu-west"]}).json()["id"]
    assert api.call("DELETE", f"/v1/probes/{first['id']}", token=ADMIN).json()["deleted"] is True
    refused = api.call("DELETE", f"/v1/probes/{second['id']}", token=ADMIN)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "resource_in_use")
    assert refused.json()["error"]["details"][0]["monitor_ids"] == [monitor]
    assert (beat(api, first["key"]), beat(api, second["key"])) == (401, 200)
    api.call("DELETE", f"/v1/monitors/{monitor}")
    assert api.call("DELETE", f"/v1/probes/{second['id']}", token=ADMIN).status_code == 200
    assert slugs(api) == ["local"]
    assert api.call("GET", f"/v1/probes/{second['id']}", token=ADMIN).status_code == 404
    assert api.call("DELETE", f"/v1/probes/{second['id']}", token=ADMIN).status_code == 404
    unknown = api.call("POST", "/v1/monitors", {**body, "regions": ["eu-west"]})
    assert unknown.json()["error"]["details"][0]["known"] == ["local"]


def test_a_region_that_is_left_without_a_live_probe_is_told_of(api: Api) -> None:
    first, second, third = create(api), create(api, name="fra-2"), create(api, name="fra-3")
    for probe in (first, second):
        assert beat(api, probe["key"]) == 200
    assert api.call("DELETE", f"/v1/probes/{first['id']}", token=ADMIN).json()["warnings"] == []
    [warning] = api.call("DELETE", f"/v1/probes/{second['id']}", token=ADMIN).json()["warnings"]
    assert warning["message"].startswith("No live probe is left in region eu-west")
    assert api.call("DELETE", f"/v1/probes/{third['id']}", token=ADMIN).json()["warnings"] == []


def test_a_region_comes_back_under_its_slug(api: Api) -> None:
    made = create(api, region_name="Frankfurt")
    api.call("DELETE", f"/v1/probes/{made['id']}", token=ADMIN)
    again = create(api, region_name="Paris")
    assert again["warnings"] == []
    assert region_of(api, "eu-west")["name"] == "Paris"


def test_an_old_key_is_good_for_the_overlap(api: Api) -> None:
    made = create(api)
    path = f"/v1/probes/{made['id']}/rotate-key"
    rotated = api.call("POST", path, {"overlap_seconds": 60}, token=ADMIN)
    assert rotated.status_code == 200
    key = rotated.json()["key"]
    assert key != made["key"]
    assert (beat(api, made["key"]), beat(api, key)) == (200, 200)
    api.clock.at += 60 * SECOND
    assert (beat(api, made["key"]), beat(api, key)) == (401, 200)
    newest = api.call("POST", path, {"overlap_seconds": 0}, token=ADMIN).json()["key"]
    assert (beat(api, key), beat(api, newest)) == (401, 200)
    assert api.call("POST", path, token=ADMIN).status_code == 200
    assert beat(api, newest) == 200
    assert api.call("POST", path, {"overlap_seconds": 604801}, token=ADMIN).status_code == 422


def test_a_probe_exchanges_its_key_and_the_old_one_ends_with_the_first_use_of_the_new(api: Api) -> None:
    made = create(api)
    lost = api.call("POST", "/v1/agent/key", {}, token=made["key"]).json()
    assert lost["id"] == made["id"]
    assert beat(api, made["key"]) == 200
    given = api.call("POST", "/v1/agent/key", token=made["key"]).json()["key"]
    assert (beat(api, lost["key"]), beat(api, made["key"])) == (401, 200)
    assert beat(api, given) == 200
    assert (beat(api, made["key"]), beat(api, given)) == (401, 200)
    assert api.call("POST", "/v1/agent/key", {"key": "mine"}, token=given).status_code == 422
    assert api.call("POST", "/v1/agent/key", {}, token=ADMIN).status_code == 403


@pytest.mark.parametrize("token", [WRITER, READER, STRANGER])
def test_only_admins_of_the_first_team_change_probes(api: Api, token: str) -> None:
    made = create(api)
    for method, path, body in (
        ("POST", "/v1/probes", {"name": "x", "region": "eu"}),
        ("PATCH", f"/v1/probes/{made['id']}", {"draining": True}),
        ("DELETE", f"/v1/probes/{made['id']}", None),
        ("POST", f"/v1/probes/{made['id']}/rotate-key", {}),
    ):
        answer = api.call(method, path, body, token=token)
        assert answer.status_code == 403
        assert answer.json()["error"]["details"][0]["required_scope"] == "probes:write"
    assert api.call("GET", f"/v1/probes/{made['id']}", token=token).status_code == 200


def test_ids_of_another_form_and_of_nobody_are_not_found(api: Api) -> None:
    for probe_id in ("prb_00000000", "mon_9x2k4p7q", "%00"):
        assert api.call("GET", f"/v1/probes/{probe_id}", token=ADMIN).status_code == 404


def test_lists_go_page_by_page(api: Api) -> None:
    for number in range(3):
        api.clock.at += 10
        create(api, name=f"fra-{number}", region=f"eu-{number}")
    for path, name in (("/v1/probes", "name"), ("/v1/regions", "slug")):
        one = get(api, f"{path}?limit=3&include=total")
        two = get(api, f"{path}?cursor={one['next_cursor']}")
        upwards = [item[name] for item in get(api, f"{path}?order=asc")["data"]]
        assert [item[name] for item in one["data"] + two["data"]] == upwards[::-1]
        assert (one["total"], upwards[0]) == (4, "local")


def test_every_change_is_in_the_audit_log(api: Api) -> None:
    made = create(api, region="audited")
    path = f"/v1/probes/{made['id']}"
    api.call("PATCH", path, {"draining": True}, token=ADMIN)
    api.call("PATCH", path, {"draining": True}, token=ADMIN)
    key = api.call("POST", f"{path}/rotate-key", {}, token=ADMIN).json()["key"]
    api.call("POST", "/v1/agent/key", {}, token=key)
    api.call("DELETE", path, token=ADMIN)

    def log(connection: Any) -> list[tuple[str, str, str]]:
        team = teams.first(connection)
        assert team is not None
        return sorted(
            (entry.action, entry.resource, entry.actor.type)
            for entry in audit.entries(connection, team.id, 200)
            if entry.resource in {made["id"], "audited"}
        )

    assert api.database.read_now(log) == [
        ("probe.created", made["id"], "token"),
        ("probe.deleted", made["id"], "token"),
        ("probe.key_exchanged", made["id"], "probe"),
        ("probe.key_rotated", made["id"], "token"),
        ("probe.updated", made["id"], "token"),
        ("region.created", "audited", "token"),
        ("region.deleted", "audited", "token"),
    ]


def test_assignments_name_the_live_probes_and_change_with_them(tmp_path: Path) -> None:
    with running(tmp_path) as api:
        _tell_the_members(api)


def _tell_the_members(api: Api) -> None:
    first, second = create(api), create(api, name="fra-2")
    beat(api, first["key"])
    early = poll(api, first["key"]).json()
    assert (early["members"], early["epoch"]) == ([], 0)
    api.clock.at += 15 * SECOND
    for made in (first, second):
        beat(api, made["key"])
    both = poll(api, first["key"], "?epoch=0", early["version"]).json()
    assert both["members"] == sorted([first["id"], second["id"]])
    assert (both["base"], both["version"], both["monitors"]) == (early["version"], early["version"], [])
    assert poll(api, first["key"], f"?epoch={both['epoch']}", early["version"]).status_code == 304
    api.call("PATCH", f"/v1/probes/{second['id']}", {"draining": True}, token=ADMIN)
    alone = poll(api, first["key"], f"?epoch={both['epoch']}", early["version"]).json()
    assert alone["members"] == [first["id"]]
    assert alone["epoch"] > both["epoch"]
    draining = api.call(
        "POST",
        "/v1/agent/heartbeat",
        {"clock": to_text(api.clock.at), "boot_id": "b", "version": "1"},
        token=second["key"],
    )
    assert draining.json()["draining"] is True


@pytest.mark.parametrize("epoch", ["", "-1", "x", "1" * 30, "²"])
def test_an_epoch_is_a_number(api: Api, epoch: str) -> None:
    answer = poll(api, api.probe_key, f"?epoch={epoch}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "epoch")


@pytest.mark.parametrize("wait", ["", "-1", "31", "9" * 5000, "²", "٣"])
def test_a_wait_is_a_number_of_seconds(api: Api, wait: str) -> None:
    answer = poll(api, api.probe_key, f"?wait={wait}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "wait")


def test_a_version_that_nobody_counts_to_is_none_that_is_known(api: Api) -> None:
    answer = poll(api, api.probe_key, version=int("9" * 4000))
    assert (answer.status_code, answer.json()["base"]) == (200, None)
    headers = {"If-None-Match": f'"{"9" * 5000}"'}
    assert api.call("GET", "/v1/agent/assignments", token=api.probe_key, headers=headers).status_code == 200


def test_a_set_that_differs_is_sent_whole(api: Api, body: dict[str, Any]) -> None:
    monitor = api.call("POST", "/v1/monitors", body).json()["id"]
    other = api.call("POST", "/v1/monitors", {**body, "paused": True}).json()["id"]
    version = poll(api, api.probe_key).json()["version"]
    digest = digest_of((monitor, 1))
    beat(api, api.probe_key, assignments_version=version, assignments_digest=digest)
    assert poll(api, api.probe_key, version=version).status_code == 304
    beat(api, api.probe_key, assignments_version=version - 1, assignments_digest="0" * 16)
    assert poll(api, api.probe_key, version=version).status_code == 304
    for wrong in (digest_of((monitor, 2)), digest_of((monitor, 1), (other, 1)), "0" * 16):
        beat(api, api.probe_key, assignments_version=version, assignments_digest=wrong)
        snapshot = poll(api, api.probe_key, version=version).json()
        assert snapshot["base"] is None
        assert [one["monitor_id"] for one in snapshot["monitors"]] == [monitor]
        assert poll(api, api.probe_key, version=version).status_code == 304
    api.call("PATCH", f"/v1/monitors/{monitor}", {"timeout_ms": 2000})
    api.call("POST", f"/v1/monitors/{other}/resume")
    version = poll(api, api.probe_key).json()["version"]
    digest = digest_of((monitor, 2), (other, 2))
    beat(api, api.probe_key, assignments_version=version, assignments_digest=digest)
    assert poll(api, api.probe_key, version=version).status_code == 304


def digest_of(*assigned: tuple[str, int]) -> str:
    """XOR of blake2b over id and version of each, computed by itself."""
    digest = 0
    for monitor_id, version in assigned:
        text = f"{monitor_id}:{version}".encode()
        digest ^= int.from_bytes(hashlib.blake2b(text, digest_size=8, person=b"sp-digest").digest())
    return f"{digest:016x}"


def test_times_without_an_offset_are_refused(api: Api) -> None:
    assert beat(api, api.probe_key, clock="2026-11-23T06:20:00") == 422
    sent = {"sent_at": "2026-11-23T06:20:00", "results": []}
    assert api.call("POST", "/v1/agent/results", sent, token=api.probe_key).status_code == 422


def test_the_local_probe_is_made_again_if_it_was_deleted(api: Api) -> None:
    (probe,) = get(api, "/v1/probes")["data"]
    assert api.call("DELETE", f"/v1/probes/{probe['id']}", token=ADMIN).status_code == 200
    assert slugs(api) == []
    made = api.write(lambda connection: setup.set_up(connection, api.keyring, bootstrap_token=None, now=api.clock.at))
    assert made.local_probe_key is not None
    api.probe_key = made.local_probe_key.reveal()
    assert slugs(api) == ["local"]
