"""The same POST under the same key is done once and answered alike, on both engines."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Connection, func, select

from statuspulse.domain.times import DAY, HOUR
from statuspulse.engine.housekeeping import Housekeeping
from statuspulse.storage.schema import idempotency_records, incidents, monitors, timeline
from tests.api.server import ADMIN, READER, STRANGER, WRITER, Api, running

BODY = {"name": "Shop", "type": "http", "url": "https://shop.example/health"}


@pytest.fixture
def api(database_url: str, tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path, url=database_url) as started:
        yield started


@pytest.fixture
def light(sqlite_file: str, tmp_path: Path) -> Iterator[Api]:
    """For what does not depend on the engine."""
    with running(tmp_path, url=sqlite_file) as started:
        yield started


def post(api: Api, path: str, body: Any = None, *, key: str = "k-1", **options: Any) -> requests.Response:
    headers = {"Idempotency-Key": key, **options.pop("headers", {})}
    return api.call("POST", f"/v1{path}", body, headers=headers, **options)


def rows(api: Api, table: Any) -> int:
    return api.database.read_now(lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0)


def assert_replays(first: requests.Response, second: requests.Response) -> None:
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (second.status_code, second.content) == (first.status_code, first.content)
    for name in ("Content-Type", "Location", "ETag"):
        assert second.headers.get(name) == first.headers.get(name)
    assert second.headers["Request-Id"] != first.headers["Request-Id"]
    assert second.json()["request_id"] == first.headers["Request-Id"]


def test_a_repeated_call_makes_nothing_new_and_is_answered_alike(api: Api) -> None:
    first = post(api, "/monitors", BODY)
    assert (first.status_code, len(api.wakes)) == (201, 1)
    api.clock.at += HOUR
    assert_replays(first, post(api, "/monitors", BODY))
    assert (rows(api, monitors), len(api.wakes)) == (1, 1)


def test_a_thousand_calls_at_once_under_a_hundred_keys_make_a_hundred_objects(api: Api) -> None:
    ready = threading.Barrier(20)

    def create(session: requests.Session, key: int) -> requests.Response:
        """What a caller does: an instance that is busy says so, and is asked again."""
        while True:
            answer = session.post(
                f"{api.url}/v1/monitors",
                json={**BODY, "name": f"Shop {key}"},
                headers={"Authorization": f"Bearer {WRITER}", "Idempotency-Key": f"key-{key}"},
                timeout=30,
            )
            if answer.status_code != 503:
                return answer
            time.sleep(int(answer.headers["Retry-After"]))

    def many(caller: int) -> list[tuple[int, str]]:
        ready.wait(10)
        answers = []
        with requests.Session() as session:
            for number in range(50):
                key = (caller + number * 7) % 100
                answer = create(session, key)
                assert answer.status_code == 201, answer.text
                answers.append((key, answer.json()["id"]))
        return answers

    with ThreadPoolExecutor(20) as callers:
        found = [pair for answers in callers.map(many, range(20)) for pair in answers]
    assert len(found) == 1000
    assert len(set(found)) == len({monitor_id for _, monitor_id in found}) == 100
    assert rows(api, monitors) == rows(api, idempotency_records) == 100


def test_the_key_with_and_without_quotes_is_one(light: Api) -> None:
    assert_replays(post(light, "/monitors", BODY, key='"a b"'), post(light, "/monitors", BODY, key="a b"))


def test_members_in_another_order_are_the_same_body(light: Api) -> None:
    swapped = dict(reversed(BODY.items()))
    assert_replays(post(light, "/monitors", BODY), post(light, "/monitors", swapped))


@pytest.mark.parametrize("other", [{**BODY, "name": "Other"}, {"nonsense": True}, {}])
def test_another_body_under_the_key_is_refused_before_it_is_looked_at(api: Api, other: Any) -> None:
    post(api, "/monitors", BODY)
    refused = post(api, "/monitors", other)
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "idempotency_key_reused"
    assert refused.json()["error"]["type"] == "idempotency_error"
    assert refused.json()["error"]["param"] == "Idempotency-Key"
    assert rows(api, monitors) == 1


def test_a_key_belongs_to_a_token_and_a_path(light: Api) -> None:
    first = post(light, "/monitors", BODY).json()["id"]
    assert post(light, "/monitors", BODY, token=ADMIN).json()["id"] != first
    assert post(light, "/monitors", BODY, token=STRANGER).json()["id"] != first
    assert post(light, "/incidents", {"title": "Slow"}).status_code == 201
    assert rows(light, monitors) == 3


def test_whoever_may_not_make_the_call_is_not_answered_from_what_is_kept(light: Api) -> None:
    post(light, "/monitors", BODY)
    assert post(light, "/monitors", BODY, token=READER).status_code == 403
    assert post(light, "/monitors", BODY, token=None).status_code == 401


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "schlüssel".encode().decode("latin-1"), "a\tb"])
def test_what_is_no_key_is_refused(light: Api, key: str) -> None:
    refused = post(light, "/monitors", BODY, key=key)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_header")
    assert rows(light, monitors) == 0


def test_the_longest_key_is_taken(light: Api) -> None:
    assert post(light, "/monitors", BODY, key="x" * 255).status_code == 201


def test_a_key_is_free_again_after_a_day(api: Api) -> None:
    first = post(api, "/monitors", BODY)
    api.clock.at += DAY
    assert_replays(first, post(api, "/monitors", BODY))
    api.clock.at += 1
    again = post(api, "/monitors", {**BODY, "name": "Other"})
    assert (again.status_code, rows(api, monitors), rows(api, idempotency_records)) == (201, 2, 1)


def test_what_was_decided_about_objects_is_kept(api: Api) -> None:
    missing = post(api, "/monitors/mon_00000000/pause")
    assert missing.status_code == 404
    assert_replays(missing, post(api, "/monitors/mon_00000000/pause"))
    incident = api.call("POST", "/v1/incidents", {"title": "Slow"}).json()["id"]
    resolve = {"incident_id": incident, "state": "resolved"}
    acknowledge = {"incident_id": incident, "state": "acknowledged"}
    assert api.call("POST", "/v1/incidents", resolve).status_code == 200
    conflict = post(api, "/incidents", acknowledge, key="k-2")
    assert conflict.status_code == 409
    assert_replays(conflict, post(api, "/incidents", acknowledge, key="k-2"))
    lost = {**BODY, "regions": ["nowhere"]}
    unknown = post(api, "/monitors", lost, key="k-3")
    assert unknown.json()["error"]["details"][0]["code"] == "reference_not_found"
    assert_replays(unknown, post(api, "/monitors", lost, key="k-3"))


def test_what_was_refused_before_leaves_the_key_free(api: Api) -> None:
    assert post(api, "/monitors", {**BODY, "interval_seconds": 1}).status_code == 422
    assert post(api, "/monitors", {}).status_code == 422
    assert post(api, "/monitors", raw=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert post(api, "/monitors", raw=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert rows(api, idempotency_records) == 0
    assert post(api, "/monitors", BODY).status_code == 201


def test_a_call_that_fails_behind_its_effect_leaves_neither_effect_nor_answer(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("statuspulse.storage.idempotency.settle", fails)
        assert post(api, "/monitors", BODY).status_code == 500
    assert (rows(api, monitors), rows(api, idempotency_records), api.wakes) == (0, 0, [])
    assert post(api, "/monitors", BODY).status_code == 201


def test_notes_under_a_key_are_added_once(api: Api) -> None:
    incident = api.call("POST", "/v1/incidents", {"title": "Slow"}).json()["id"]
    before = rows(api, timeline)
    seed = {"incident_id": incident, "state": "acknowledged", "notes": "Investigating."}
    assert_replays(post(api, "/incidents", seed), post(api, "/incidents", seed))
    added = rows(api, timeline) - before
    assert post(api, "/incidents", seed, key="k-2").status_code == 200
    assert rows(api, timeline) > before + added
    assert rows(api, incidents) == 1


def test_what_is_kept_of_an_answer_is_sealed(light: Api) -> None:
    post(light, "/monitors", BODY, key="secret-looking-key")

    def stored(connection: Connection) -> bytes:
        row = connection.execute(select(idempotency_records)).one()
        return b"".join(value for value in row if isinstance(value, bytes))

    found = light.database.read_now(stored)
    for word in (b"Shop", b"shop.example", b"secret-looking-key", b"message"):
        assert word not in found


def test_every_post_with_a_token_takes_a_key(light: Api) -> None:
    """An endpoint that waits without saying so, or goes past its call's transaction, shows here as a 500."""
    known = {"incident_id": light.call("POST", "/v1/incidents", {"title": "Slow"}).json()["id"]}
    done = set()
    for path, item in sorted(light.contract.document["paths"].items(), key=lambda pair: pair[0].count("{")):
        operation = item.get("post", {})
        if not operation.get("security"):
            continue
        assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}, path
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        body = next((example["value"] for example in content.get("examples", {}).values()), None)
        names = {part[1:-1]: known.get(part[1:-1], "none") for part in path.split("/") if part.startswith("{")}
        first = post(light, path.format(**names), body, key=f"key {path}", token=ADMIN)
        assert first.status_code < 500, f"{path}: {first.text}"
        if first.status_code < 300:
            done.add(operation["operationId"])
            known[f"{first.json()['object']}_id"] = first.json().get("id", "none")
            assert_replays(first, post(light, path.format(**names), body, key=f"key {path}", token=ADMIN))
    assert done >= {
        "createMonitor",
        "pauseMonitor",
        "checkMonitor",
        "createIncidentNote",
        "createToken",
        "rotateToken",
        "createTeam",
        "createProbe",
        "rotateProbeKey",
    }


async def test_keys_that_are_kept_no_longer_are_deleted(api: Api) -> None:
    for number in range(3):
        post(api, "/monitors", BODY, key=f"old {number}")
    api.clock.at += DAY + 1
    post(api, "/monitors", BODY, key="new")
    house = Housekeeping(api.database, now=api.clock)
    await api.database.write(house._forget)
    assert rows(api, idempotency_records) == 1
